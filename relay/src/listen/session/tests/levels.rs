//! What a listener is told of how loud calls are.

use super::*;

#[test]
fn levels_are_of_what_is_watched() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    story.live_call("CA2", 2);
    let mut session = story.session();
    story.told(&mut session);
    session.on_text(
        story.now,
        r#"{"type":"watch","levels_hz":10,"call_sids":["CA1"]}"#,
    );
    let mut later = story.now;
    let mut told = Vec::new();
    for n in 0..3 {
        later = later.plus(Duration::from_millis(100));
        story.frames(&call, 1, n * 5 + 1..=n * 5 + 5);
        session.on_deadline(later);
        told.extend(std::iter::from_fn(|| session.poll_transmit(later)).map(as_json));
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0]["levels"],
        json!([{ "call_sid": "CA1", "inbound": -90.0, "outbound": null }])
    );
}
