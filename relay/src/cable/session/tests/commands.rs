//! Commands: in order, each answered once or not at all.

use super::*;

#[test]
fn a_live_call_is_confirmed_begun_and_told_until_it_is_over() {
    let story = Story::begin();
    let call = story.live_call("CA1", 7);
    story.belongs_to(&call, "12345");
    story.frames(&call, 7, 1..=3);
    story.line(&call, "before", true);
    let mut session = story.session();
    let told = story.subscribe(&mut session, STREAM);
    assert_eq!(told[0], confirmed(STREAM));
    let view = call.view();
    let start =
        json!({ "event": "start", "call_sid": "CA1", "customer_id": "12345", "started_at": view.started_at });
    assert_eq!(told[1..], [json!({ "identifier": STREAM, "message": start })]);
    assert_eq!(story.subscribe(&mut session, MEDIA), [confirmed(MEDIA)]);
    assert_eq!(
        story.presence.all()[0].follows.len(),
        1,
        "one call, however often"
    );
    story.frames(&call, 7, 4..=4);
    story.line(&call, "how", false);
    let told = story.told(&mut session);
    assert_eq!(
        events(&told),
        ["transcript how", "media 4", "media 4"],
        "nothing of before, lines first, media on both"
    );
    let of: Vec<&Value> = told.iter().map(|told| &told["identifier"]).collect();
    assert!(of.contains(&&json!(STREAM)) && of.iter().filter(|id| ***id == json!(MEDIA)).count() == 2);
    story.frames(&call, 7, 5..=40);
    story.line(&call, "bye", true);
    story.end(&call);
    let told = events(&story.told(&mut session));
    assert_eq!(told.first().map(String::as_str), Some("transcript bye"));
    assert_eq!(told.last().map(String::as_str), Some("stop"), "the last of all");
    assert_eq!(told.len(), 2 + 36 * 2);
    story.say(&mut session, "unsubscribe", STREAM);
    story.say(&mut session, "unsubscribe", MEDIA);
    assert!(story.told(&mut session).is_empty(), "there is no answer to that");
    assert!(story.presence.all()[0].follows.is_empty() && call.listeners().is_empty());
}

#[test]
fn what_cannot_be_is_rejected_and_the_socket_stays() {
    let story = Story::begin();
    story.live_call("CA1", 7);
    let hers = story.live_call("CA2", 8);
    story.belongs_to(&hers, "777");
    let mut session = story.session_of(story.user(&["777"]));
    for identifier in [
        STREAM,
        r#"{"channel":"CallStreamChannel","call_id":"CA3"}"#,
        r#"{"channel":"ChatChannel","room":1}"#,
        "no JSON",
        "",
        "{}",
    ] {
        assert_eq!(story.subscribe(&mut session, identifier), [rejected(identifier)]);
    }
    for nothing in [
        "{",
        "[]",
        r#"{"command":"subscribe"}"#,
        r#"{"command":"message","identifier":"x","data":"{}"}"#,
    ] {
        session.on_text(story.now, nothing);
        assert!(story.told(&mut session).is_empty(), "{nothing}");
    }
    story.say(&mut session, "unsubscribe", "never heard of");
    let mine = r#"{"call_id":"CA2","channel":"CallStreamChannel"}"#;
    assert_eq!(story.subscribe(&mut session, mine)[0], confirmed(mine));
    assert_eq!(story.registry.metrics().subscriptions_rejected.get(), 6);
}

#[test]
fn each_subscribe_has_one_confirmation_at_most() {
    let mut story = Story::begin();
    story.live_call("CA1", 7);
    let mut session = story.session();
    // Repeated while it is being put on record, and before the answer can have been read.
    for _ in 0..3 {
        story.say(&mut session, "subscribe", MEDIA);
    }
    assert!(story.told(&mut session).is_empty(), "it is not on record yet");
    story.record(&mut session);
    story.say(&mut session, "subscribe", MEDIA);
    assert_eq!(story.told(&mut session), [confirmed(MEDIA)]);
    assert!(
        story.subscribe(&mut session, MEDIA).is_empty(),
        "it crossed the confirmation"
    );
    story.now = story.now.plus(Duration::from_millis(500));
    assert_eq!(
        story.subscribe(&mut session, MEDIA),
        [confirmed(MEDIA)],
        "a second object of the page, which repeats until it is confirmed"
    );
    let other = r#"{"call_sid": "CA1", "channel": "TwilioMediaChannel"}"#;
    assert_eq!(
        story.subscribe(&mut session, other),
        [confirmed(other)],
        "another spelling is another"
    );
    // In order: each is answered for itself, and what is left again before it is told is not told.
    for command in ["unsubscribe", "subscribe", "unsubscribe", "subscribe"] {
        story.say(&mut session, command, MEDIA);
        story.record(&mut session);
    }
    assert_eq!(story.told(&mut session), [confirmed(MEDIA)]);
}

#[test]
fn who_cannot_be_put_on_record_hears_nothing() {
    let story = Story::begin();
    let call = story.live_call("CA1", 7);
    let mut session = story.session();
    story.say(&mut session, "subscribe", STREAM);
    assert!(session.next_asked().is_some() && session.next_asked().is_none());
    story.frames(&call, 7, 1..=1);
    assert!(story.told(&mut session).is_empty());
    session.on_answer(story.now, false);
    assert_eq!(story.told(&mut session), [rejected(STREAM)]);
    assert!(call.listeners().is_empty());
}

#[test]
fn a_socket_has_so_many_subscriptions_and_answers_are_bounded() {
    let story = Story::begin();
    let calls = MAX_SUBSCRIPTIONS / MAX_OF_CALL;
    for n in 0..=calls {
        story.live_call(&format!("CA{n}"), 7);
    }
    let mut session = story.session();
    let spelled = |n: usize| {
        let call = n / MAX_OF_CALL;
        format!(r#"{{"channel":"TwilioMediaChannel","call_sid":"CA{call}","n":{n}}}"#)
    };
    for n in 0..MAX_OF_CALL {
        assert_eq!(
            story.subscribe(&mut session, &spelled(n)),
            [confirmed(&spelled(n))]
        );
    }
    let another = STREAM.replace("CA1", "CA0");
    assert_eq!(
        story.subscribe(&mut session, &another),
        [rejected(&another)],
        "one too many of this call"
    );
    for n in MAX_OF_CALL..MAX_SUBSCRIPTIONS {
        assert_eq!(
            story.subscribe(&mut session, &spelled(n)),
            [confirmed(&spelled(n))]
        );
    }
    let more = spelled(MAX_SUBSCRIPTIONS);
    assert_eq!(story.subscribe(&mut session, &more), [rejected(&more)]);
    story.say(&mut session, "unsubscribe", &spelled(3));
    assert_eq!(story.subscribe(&mut session, &more), [confirmed(&more)]);
    assert!(!session.owes_much() && !session.asks_much());
    let long = "<".repeat(MAX_MESSAGE / 4);
    story.say(&mut session, "subscribe", &long);
    assert!(session.owes_much(), "an echo of what is escaped is long");
    assert_eq!(story.told(&mut session), [rejected(&long)]);
    assert!(!session.owes_much());
    story.say(&mut session, "unsubscribe", &spelled(5));
    story.say(&mut session, "subscribe", &spelled(3));
    for _ in 0..OWED {
        story.say(&mut session, "subscribe", "x");
    }
    assert!(
        session.asks_much(),
        "what comes while it waits for the record waits too"
    );
    story.record(&mut session);
    story.told(&mut session);
    assert!(!session.asks_much());
    story.say(&mut session, "unsubscribe", &spelled(6));
    story.say(&mut session, "subscribe", &spelled(6));
    let long = "x".repeat(MAX_MESSAGE / 2);
    story.say(&mut session, "subscribe", &long);
    assert!(!session.asks_much());
    story.say(&mut session, "subscribe", &long);
    assert!(session.asks_much(), "not as many, but as much");
    story.record(&mut session);
    assert!(!session.asks_much());
}

#[test]
fn pings_come_every_three_seconds_ahead_of_audio() {
    let mut story = Story::begin();
    let call = story.live_call("CA1", 7);
    let mut session = story.session();
    story.subscribe(&mut session, MEDIA);
    for n in 1..=6 {
        story.frames(&call, 7, n * 2..=n * 2 + 1);
        story.now = story.now.plus(PING);
        assert!(session.deadline() <= story.now.mono);
        session.on_sign(story.now.mono);
        session.on_deadline(story.now);
        let told = story.told(&mut session);
        let seconds = story.now.wall.unix_ms() / 1000;
        assert_eq!(told[0], json!({ "type": "ping", "message": seconds }));
        assert_eq!(events(&told[1..]).len(), 2);
        assert!(session.deadline() > story.now.mono);
    }
}
