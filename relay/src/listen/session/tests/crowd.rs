//! How many calls one listener hears and follows: all of them, and one more is refused until another is left.

use super::*;

/// Asks for a call; gives the type of the first answer, and of a refusal its code.
fn ask(session: &mut Session, story: &Story, n: usize, audio: bool) -> (String, Value) {
    let sid = format!("C{n}");
    subscribe(session, story, json!({ "call_sid": sid, "audio": audio }));
    let told = story.told(session);
    let first = told
        .iter()
        .find(|message| message["call_sid"] == *sid || message["re"] == *sid);
    let first = first.unwrap_or_else(|| panic!("no answer about {sid}: {told:?}"));
    (first["type"].as_str().unwrap().to_owned(), first["code"].clone())
}

#[test]
fn so_many_calls_are_heard_and_so_many_followed() {
    let story = Story::begin();
    for n in 0..=MAX_SUBSCRIPTIONS {
        story.call(&format!("C{n}"));
    }
    let mut session = story.session();
    story.told(&mut session);
    let fine = ("subscribed".to_owned(), Value::Null);
    let refused = ("error".to_owned(), json!("too_many_subscriptions"));
    for n in 0..MAX_HEARD {
        assert_eq!(ask(&mut session, &story, n, true), fine, "{n}");
    }
    assert_eq!(ask(&mut session, &story, MAX_HEARD, true), refused);
    assert_eq!(
        ask(&mut session, &story, 0, true),
        fine,
        "it has its place already"
    );
    for n in MAX_HEARD..MAX_SUBSCRIPTIONS {
        assert_eq!(ask(&mut session, &story, n, false), fine, "{n}");
    }
    assert_eq!(ask(&mut session, &story, MAX_SUBSCRIPTIONS, false), refused);
    let leave = json!({ "type": "unsubscribe", "call_sid": "C0" });
    session.on_text(story.now, &leave.to_string());
    story.told(&mut session);
    assert_eq!(ask(&mut session, &story, MAX_SUBSCRIPTIONS, true), fine);
}
