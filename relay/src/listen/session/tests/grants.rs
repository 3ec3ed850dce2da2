//! Any order of what people ask, what becomes of calls and what becomes of rights: nobody is told what the grant does
//! not cover at that moment, everybody is told what it does, and whoever hears is on record from before the first
//! frame to the end.

mod judge;
mod office;
mod world;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use world::World;

/// Who may have a token.
const USERS: usize = 50;
/// Calls that there are.
const CALLS: usize = 200;
/// Whose calls they are; one more stands for nobody's.
const CUSTOMERS: usize = 8;
/// Steps of one history at most; half as many on average.
const STEPS: usize = 1250;
/// One history for so many cases that others have: `make test` then goes 10,000 steps.
const CASES_A_HISTORY: u32 = 16;

/// One step. Numbers are taken modulo what there is of each.
#[derive(Debug, Clone)]
enum Step {
    Connect(usize),
    Leave(usize),
    Subscribe {
        session: usize,
        call: usize,
        audio: bool,
        replay_ms: u64,
        save: bool,
    },
    Unsubscribe {
        session: usize,
        call: usize,
    },
    Watch(usize),
    /// Shows another token, or the same again; `None` for a wrong one.
    Auth(usize, Option<usize>),
    /// What the session asked for is done: on disk or not, known or not.
    Answer(usize, bool),
    /// Takes so many messages: its socket has room for no more.
    Take(usize, usize),
    /// Takes all, then sleeps: frames go past the session.
    Sleep(usize),
    Frames(usize),
    Line(usize),
    End(usize),
    Revive(usize),
    /// A later webhook says whose it is.
    Reassign(usize, usize),
    /// A token is taken away.
    Revoke(usize),
    /// A token is another's from now on: role, first customer, how many, may keep audio.
    Regrant(usize, usize, usize, usize, bool),
    /// A token ends in so many ms.
    Expire(usize, i64),
    Time(u64),
    /// A script asks for a call, and for the list.
    Ask(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    // Few, so that steps meet.
    let n = || prop_oneof![3 => 0..3usize, 1 => 0..1000usize];
    let call = || prop_oneof![4 => 0..4usize, 1 => 0..CALLS + 5];
    let user = || prop_oneof![2 => 0..8usize, 1 => 0..USERS];
    prop_oneof![
        4 => user().prop_map(Step::Connect),
        1 => n().prop_map(Step::Leave),
        14 => (n(), call(), prop::bool::weighted(0.8), prop_oneof![Just(0), Just(5000)], prop::bool::weighted(0.1))
            .prop_map(|(session, call, audio, replay_ms, save)| Step::Subscribe { session, call, audio, replay_ms, save }),
        3 => (n(), call()).prop_map(|(session, call)| Step::Unsubscribe { session, call }),
        2 => n().prop_map(Step::Watch),
        3 => (n(), prop::option::weighted(0.95, user())).prop_map(|(session, of)| Step::Auth(session, of)),
        18 => (n(), prop::bool::weighted(0.9)).prop_map(|(session, good)| Step::Answer(session, good)),
        8 => (n(), 1..12usize).prop_map(|(session, count)| Step::Take(session, count)),
        8 => n().prop_map(Step::Sleep),
        14 => call().prop_map(Step::Frames),
        6 => call().prop_map(Step::Line),
        4 => call().prop_map(Step::End),
        5 => call().prop_map(Step::Revive),
        8 => (call(), 0..CUSTOMERS).prop_map(|(call, customer)| Step::Reassign(call, customer)),
        1 => user().prop_map(Step::Revoke),
        5 => (user(), 0..6usize, 0..CUSTOMERS, 2..6usize, any::<bool>()).prop_map(|(u, r, c, m, s)| Step::Regrant(u, r, c, m, s)),
        1 => (user(), 0..3000i64).prop_map(|(user, ms)| Step::Expire(user, ms)),
        6 => (1..1500u64).prop_map(Step::Time),
        4 => (user(), call()).prop_map(|(user, call)| Step::Ask(user, call)),
    ]
}

#[test]
fn nobody_is_told_what_the_grant_does_not_cover() {
    // Not by the macro, which would take as many cases as `make fuzz` asks for of small ones.
    let cases = ProptestConfig::default().cases.div_ceil(CASES_A_HISTORY);
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    };
    let histories = prop::collection::vec(step(), 1..STEPS);
    let told = TestRunner::new(config).run(&histories, |steps| {
        let mut world = World::begin();
        for step in steps {
            world.go(step);
        }
        world.end();
        Ok(())
    });
    told.unwrap_or_else(|failed| panic!("{failed}"));
}
