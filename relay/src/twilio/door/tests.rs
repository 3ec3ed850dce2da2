//! One webhook at several relays, and at one that was started again.

use std::sync::Arc;

use super::*;
use crate::broker::commons::tests_support::Stand;
use crate::calls::registry::Registry;
use crate::twilio::tests_support::{CALL, OURS, TOKEN, config, door_sharing};

const SEEN: [u8; 16] = [5; 16];

struct Place {
    door: Arc<Door>,
    config: Arc<Config>,
}

impl Place {
    fn new(commons: Arc<Commons>) -> Place {
        Place {
            door: door_sharing(commons),
            config: Arc::new(config(&format!("{OURS}={TOKEN}"), false)),
        }
    }

    fn here(&self) -> Here<'_> {
        Here {
            config: &self.config,
            local: "127.0.0.1:8080".parse().unwrap(),
            draining: false,
        }
    }

    async fn asks(&self, hook: Hook, seen: Seen) -> String {
        let form = format!("CallSid={CALL}&AccountSid={OURS}&To=%2B12125550123");
        let asked = (&Form::default(), &Form::parse(form.as_bytes()));
        self.door
            .answer(Now::take(), self.here(), hook, Some(seen), asked)
            .await
    }

    async fn tells(&self, seen: Seen) {
        let form = format!("CallSid={CALL}&AccountSid={OURS}&CallStatus=ringing");
        let form = Form::parse(form.as_bytes());
        self.door
            .callback(Now::take(), Hook::Status, Some(seen), &form)
            .await;
    }

    fn knows(&self) -> bool {
        let sid = CallSid::parse(CALL).unwrap();
        Registry::known(self.door.registry(), &sid).is_some()
    }

    fn replayed(&self) -> u64 {
        self.door.metrics().webhooks_replayed.get()
    }
}

#[tokio::test]
async fn a_webhook_gets_the_same_answer_at_another_relay_and_does_nothing_there() {
    let stand = Stand::new();
    let commons = stand.commons();
    let (one, other) = (Place::new(commons.clone()), Place::new(stand.commons()));
    let kept = tokio::spawn(async move { commons.keep(|_| {}).await });
    let first = one.asks(Hook::Voice, SEEN).await;
    assert!(
        first.contains("<Stream") && first.contains("partyline_pass"),
        "{first}"
    );
    // At once, and again from what that relay remembers by then.
    for _ in 0..2 {
        assert_eq!(other.asks(Hook::Voice, SEEN).await, first);
    }
    assert_eq!((one.knows(), other.knows(), other.replayed()), (true, false, 2));
    let next = other.asks(Hook::Voice, [6; 16]).await;
    assert!(other.knows() && next != first, "another request is another pass");
    kept.abort();
}

#[tokio::test]
async fn a_callback_acts_at_one_relay() {
    let stand = Stand::new();
    let (one, other) = (Place::new(stand.commons()), Place::new(stand.commons()));
    one.tells(SEEN).await;
    // What came of it was told to nobody yet: it has begun somewhere.
    other.tells(SEEN).await;
    assert_eq!((one.knows(), other.knows(), other.replayed()), (true, false, 1));
}

#[tokio::test]
async fn one_that_another_relay_has_begun_is_connected_and_not_followed() {
    let stand = Stand::new();
    let (one, other) = (Place::new(stand.commons()), Place::new(stand.commons()));
    one.asks(Hook::Voice, SEEN).await;
    let second = other.asks(Hook::Voice, SEEN).await;
    assert!(second.contains("<Dial") && !second.contains("<Start"), "{second}");
    assert!(!other.knows());
}

#[tokio::test]
async fn without_redis_each_relay_answers_what_comes_to_it() {
    let stand = Stand::new();
    let (one, other) = (Place::new(stand.commons()), Place::new(stand.commons()));
    stand.be(false);
    for place in [&one, &other] {
        let first = place.asks(Hook::Voice, SEEN).await;
        assert!(first.contains("<Stream") && place.knows());
        assert_eq!(place.asks(Hook::Voice, SEEN).await, first, "here it is known");
    }
    assert_eq!((one.replayed(), other.replayed()), (1, 1));
}

#[tokio::test]
async fn a_notice_that_was_asked_for_before_a_restart_rings_nobody() {
    let place = Place::new(Arc::new(Commons::alone()));
    let now = Now::take();
    let mark = Mark::webhook(marks::Kind::Answer, SEEN, now.wall.unix_ms());
    place.door.recall(now, [mark]);
    let again = place.asks(Hook::Notice, SEEN).await;
    assert!(again.contains("<Say") && !again.contains("<Dial"), "{again}");
}
