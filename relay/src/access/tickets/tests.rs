//! Tickets are used once, end in time, and are bounded.

use proptest::prelude::*;

use super::super::grant::{Role, Source};
use super::*;

fn at(ms: i64) -> UtcTime {
    UtcTime::from_unix_ms(ms)
}

fn of(name: &str) -> Grant {
    Grant::new(name, Role::User, vec!["7".into()], Vec::new()).known_by(Source::Token, name)
}

#[test]
fn a_ticket_gives_the_same_rights_once_and_for_a_minute() {
    let (mut tickets, key) = (Tickets::default(), Key::draw().unwrap());
    let one = tickets.issue(&key, &of("alice"), at(0)).unwrap();
    let two = tickets.issue(&key, &of("alice"), at(0)).unwrap();
    assert_ne!(one.ticket, two.ticket);
    assert_eq!(one.expires_at, at(60_000));
    assert!(
        one.ticket.len() >= 22 + PREFIX.len(),
        "128 bits are 22 characters"
    );
    assert!(!format!("{one:?}").contains(&one.ticket));
    let alice = Redeemed {
        grant: of("alice"),
        until: at(60_000),
        shared: false,
    };
    assert_eq!(tickets.redeem(&key, &one.ticket, at(59_999)), Some(alice));
    assert_eq!(tickets.redeem(&key, &one.ticket, at(59_999)), None);
    assert_eq!(tickets.redeem(&key, &two.ticket, at(60_000)), None);
    assert_eq!(
        (tickets.known.len(), tickets.in_order.len(), tickets.of_one.len()),
        (0, 0, 0)
    );
}

#[test]
fn what_is_no_ticket_is_none() {
    let (mut tickets, key) = (Tickets::default(), Key::draw().unwrap());
    let good = tickets.issue(&key, &of("alice"), at(0)).unwrap().ticket;
    let long = format!("{good}{}", "A".repeat(1 << 20));
    for bad in [
        "",
        "plt_",
        &good[..good.len() - 1],
        &good[4..],
        &good.to_lowercase(),
        &long,
        "pl_x",
    ] {
        assert_eq!(tickets.redeem(&key, bad, at(1)), None, "{}", bad.len());
    }
    assert!(tickets.redeem(&key, &good, at(1)).is_some());
}

#[test]
fn one_bearer_cannot_take_all_and_all_are_bounded() {
    let (mut tickets, key) = (Tickets::default(), Key::draw().unwrap());
    for _ in 0..MAX_OF_ONE {
        tickets.issue(&key, &of("greedy"), at(0)).unwrap();
    }
    assert_eq!(
        tickets.issue(&key, &of("greedy"), at(0)),
        Err(NoTicket::TooManyOfOne)
    );
    assert!(tickets.issue(&key, &of("other"), at(0)).is_ok());
    let others = (0..).map(|n| of(&format!("b{}", n / MAX_OF_ONE)));
    for other in others.take(MAX_TICKETS - MAX_OF_ONE - 1) {
        tickets.issue(&key, &other, at(1)).unwrap();
    }
    assert_eq!(tickets.issue(&key, &of("late"), at(1)), Err(NoTicket::TooMany));
    assert!(
        tickets.issue(&key, &of("greedy"), at(60_000)).is_ok(),
        "the first have ended"
    );
}

#[test]
fn who_draws_and_uses_all_day_takes_no_room() {
    let (mut tickets, key) = (Tickets::default(), Key::draw().unwrap());
    for _ in 0..2 * MAX_TICKETS + 10 {
        let ticket = tickets.issue(&key, &of("busy"), at(0)).unwrap().ticket;
        assert!(tickets.redeem(&key, &ticket, at(0)).is_some());
    }
    assert!(tickets.in_order.len() <= 20, "{}", tickets.in_order.len());
}

#[derive(Debug, Clone)]
enum Step {
    Issue(u8),
    Redeem(usize),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3u8).prop_map(Step::Issue),
        (0..20usize).prop_map(Step::Redeem),
        prop_oneof![0..100i64, 20_000..70_000i64].prop_map(Step::Wait),
    ]
}

proptest! {
    /// Against a list that is looked through: a ticket is good exactly once, before its end, for its bearer.
    #[test]
    fn any_order_comes_to_what_a_list_says(steps in prop::collection::vec(step(), 0..60)) {
        let (mut tickets, key) = (Tickets::default(), Key::draw().unwrap());
        let mut listed: Vec<(String, u8, i64, bool)> = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Issue(who) => {
                    let issued = tickets.issue(&key, &of(&who.to_string()), at(now)).unwrap();
                    listed.push((issued.ticket, who, now + LIFE_MS, false));
                }
                Step::Redeem(index) => {
                    if let Some((ticket, who, until, used)) = listed.get_mut(index) {
                        let wanted = (!*used && now < *until).then(|| of(&who.to_string()));
                        *used = true;
                        let redeemed = tickets.redeem(&key, ticket, at(now));
                        prop_assert_eq!(redeemed.map(|redeemed| redeemed.grant), wanted);
                    }
                }
                Step::Wait(ms) => now += ms,
            }
            tickets.forget_old(at(now));
            let open = listed.iter().filter(|(_, _, until, used)| !used && now < *until).count();
            prop_assert_eq!(tickets.known.len(), open);
            prop_assert_eq!(tickets.of_one.values().sum::<usize>(), open);
        }
    }
}
