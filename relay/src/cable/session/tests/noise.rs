//! Clients that say anything, to calls that do anything.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Say(bool, usize),
    Text(String),
    Record(bool),
    Tell(usize),
    Frames,
    Line(bool),
    Accept,
    End,
    Owner(bool),
    Later(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<bool>(), 0..5usize).prop_map(|(subscribe, n)| Step::Say(subscribe, n)),
        1 => "\\PC{0,40}".prop_map(Step::Text),
        5 => prop::bool::weighted(0.9).prop_map(Step::Record),
        6 => (0..20usize).prop_map(Step::Tell),
        3 => Just(Step::Frames),
        3 => any::<bool>().prop_map(Step::Line),
        1 => Just(Step::Accept),
        1 => Just(Step::End),
        1 => any::<bool>().prop_map(Step::Owner),
        2 => (1..2_000u64).prop_map(Step::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever happens: a subscribe has one answer at most, media comes only between confirmation and rejection, and
    /// nothing of a call comes while it is another's.
    #[test]
    fn answers_are_never_more_than_asked_for(steps in prop::collection::vec(step(), 1..120)) {
        let mut story = Story::begin();
        let call = story.live_call("CA1", 1);
        story.belongs_to(&call, "777");
        let mut session = story.session_of(story.user(&["777"]));
        let identifiers = [STREAM, MEDIA, r#"{"call_sid":"CA1","channel":"TwilioMediaChannel"}"#, "x", r#"{"channel":"CallStreamChannel","call_id":"CA9"}"#];
        let (mut asked, mut answered, mut stands) = ([0u32; 5], [0u32; 5], [false; 5]);
        let (mut key, mut chunk, mut hers) = (1, 0, true);
        for step in steps {
            match step {
                Step::Say(subscribe, n) => {
                    story.say(&mut session, if subscribe { "subscribe" } else { "unsubscribe" }, identifiers[n]);
                    asked[n] += u32::from(subscribe);
                }
                Step::Text(text) => session.on_text(story.now, &text),
                Step::Record(on_disk) => {
                    if session.next_asked().is_some() {
                        session.on_answer(story.now, on_disk);
                    }
                }
                Step::Tell(most) => {
                    for _ in 0..most {
                        let Some(told) = session.poll_transmit(story.now).map(as_json) else { break };
                        let Some(n) = identifiers.iter().position(|known| told["identifier"] == *known) else {
                            continue;
                        };
                        match told["type"].as_str() {
                            Some("confirm_subscription") => (answered[n], stands[n]) = (answered[n] + 1, true),
                            Some("reject_subscription") => {
                                answered[n] += u32::from(!stands[n]);
                                stands[n] = false;
                            }
                            _ => prop_assert!(stands[n] && hers, "{told}"),
                        }
                        prop_assert!(answered[n] <= asked[n], "{told}");
                    }
                }
                Step::Frames => {
                    story.frames(&call, key, chunk + 1..=chunk + 3);
                    chunk += 3;
                }
                Step::Line(is_final) => story.line(&call, "said", is_final),
                Step::Accept => {
                    (key, chunk) = (key + 1, 0);
                    story.accept(&call, key);
                }
                Step::End => story.end(&call),
                Step::Owner(is_hers) => {
                    hers = is_hers;
                    story.belongs_to(&call, if hers { "777" } else { "888" });
                }
                Step::Later(ms) => {
                    story.now = story.now.plus(Duration::from_millis(ms));
                    session.on_sign(story.now.mono);
                    session.on_deadline(story.now);
                }
            }
        }
    }
}
