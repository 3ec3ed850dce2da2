//! Who may hear, while that changes between what is asked and what is answered.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use tokio::sync::watch;

use super::*;
use crate::access::login::{Answer as Known, Login};
use crate::access::{Right, Role};
use crate::audit::OnFailure;
use crate::calls::parties::FromWebhook;
use crate::lock::lock;
use crate::sparing::AT_ONCE;

/// A login elsewhere: the bearer's name is the token.
#[derive(Default)]
struct Desk(Mutex<HashMap<String, Grant>>);

impl Desk {
    fn knows(&self, grant: &Grant) {
        lock(&self.0).insert(grant.name().to_owned(), grant.clone());
    }

    fn revokes(&self, name: &str) {
        lock(&self.0).remove(name);
    }
}

impl Login for Desk {
    fn bearer<'a>(&'a self, token: &'a str, _: UtcTime) -> Known<'a> {
        Box::pin(async move { lock(&self.0).get(token).cloned() })
    }

    fn renewed(&self, grant: &Grant, _: UtcTime) -> Option<Grant> {
        lock(&self.0).get(grant.name()).cloned()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

fn story() -> (Story, Arc<Desk>) {
    let desk = Arc::<Desk>::default();
    let access = Access::new(None, Some(desk.clone())).unwrap();
    let story = Story {
        access,
        ..Story::begin()
    };
    (story, desk)
}

fn user(name: &str, customers: &[&str], allow: &[Right]) -> Grant {
    let customers = customers.iter().map(|c| (*c).to_owned()).collect();
    Grant::new(name, Role::User, customers, allow.to_vec()).known_by(Source::Jwt, name)
}

fn belongs_to(story: &Story, call: &Call, customer: &str) {
    let from = FromWebhook {
        customer_id: Some(customer.to_owned()),
        ..FromWebhook::default()
    };
    call.webhook(story.now, from, None);
}

/// What is said, with what it makes the session ask for.
fn says(session: &mut Session, story: &Story, said: Value) -> Option<Asked> {
    session.on_text(story.now, &said.to_string());
    session.next_asked()
}

/// An audit in a file of one test's own.
struct Book {
    audit: Arc<Audit>,
    path: PathBuf,
}

impl Book {
    fn open(test: &str) -> Book {
        let path = std::env::temp_dir().join(format!("partyline-rights-{}-{test}", std::process::id()));
        let audit = Audit::open(path.clone(), "n".into(), OnFailure::Refuse, Arc::default()).unwrap();
        Book {
            audit: Arc::new(audit),
            path,
        }
    }

    /// Event and bearer of each line, once all of them are on disk.
    async fn lines(&self) -> Vec<(String, String)> {
        assert!(self.audit.close().await);
        let text = std::fs::read_to_string(&self.path).unwrap();
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            (text("event"), text("who"))
        };
        text.lines()
            .map(line)
            .filter(|(event, _)| event != "started")
            .collect()
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(crate::audit::head::path_of(&self.path));
    }
}

/// Puts on record what the session asks for, as its socket's task does.
async fn on_record(session: &mut Session, story: &Story, asked: Option<Asked>) {
    let mut asked = asked;
    while let Some(Asked::Record(entries)) = asked {
        for entry in entries {
            story.audit.write(entry).await.unwrap();
        }
        session.on_answer(story.now, Answer::Recorded(true));
        asked = session.next_asked();
    }
}

#[test]
fn who_is_revoked_while_something_is_put_on_record_is_told_nothing_more() {
    let (story, desk) = story();
    let alice = user("alice", &["7"], &[]);
    desk.knows(&alice);
    belongs_to(&story, &story.live_call("CA1", 1), "7");
    let mut session = story.session_of(alice);
    story.told(&mut session);
    let asked = says(
        &mut session,
        &story,
        json!({ "type": "subscribe", "call_sid": "CA1" }),
    );
    assert!(matches!(asked, Some(Asked::Record(_))));
    desk.revokes("alice");
    session.recheck(story.now);
    session.on_answer(story.now, Answer::Recorded(true));
    assert_eq!(types(&story.told(&mut session)), ["close"]);
}

#[test]
fn a_bearer_that_was_revoked_while_it_was_looked_up_is_none() {
    let (story, desk) = story();
    let (alice, bob) = (user("alice", &["7"], &[]), user("bob", &["7"], &[]));
    desk.knows(&alice);
    let mut session = story.session_of(alice);
    story.told(&mut session);
    let asked = says(&mut session, &story, json!({ "type": "auth", "token": "bob" }));
    assert_eq!(asked, Some(Asked::Bearer(Token("bob".to_owned()))));
    // It was known a moment ago, and the word that it is not any more came before the answer.
    session.on_answer(story.now, Answer::Bearer(Some(bob)));
    assert_eq!(types(&story.told(&mut session)), ["close"]);
}

#[test]
fn the_right_to_keep_audio_is_looked_at_when_it_begins() {
    let (story, desk) = story();
    let saver = user("alice", &["7"], &[Right::Save]);
    desk.knows(&saver);
    belongs_to(&story, &story.live_call("CA1", 1), "7");
    let mut session = story.session_of(saver);
    story.told(&mut session);
    let ask = json!({ "type": "subscribe", "call_sid": "CA1", "save": true });
    assert!(says(&mut session, &story, ask).is_some());
    desk.knows(&user("alice", &["7"], &[]));
    session.recheck(story.now);
    session.on_answer(story.now, Answer::Recorded(true));
    let told = story.told(&mut session);
    assert_eq!(types(&told), ["error"], "{told:?}");
    assert_eq!(told[0]["code"], "not_allowed");
}

#[test]
fn a_call_that_ended_again_before_its_hearing_was_on_record_is_not_heard_when_it_comes_back() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    story.told(&mut session);
    subscribe(&mut session, &story, json!({}));
    story.told(&mut session);
    call.stream_stopped(story.now, 1);
    story.told(&mut session);
    story.live_call("CA1", 2);
    story.told(&mut session);
    let asked = session.next_asked();
    assert!(matches!(asked, Some(Asked::Record(_))), "{asked:?}");
    call.stream_stopped(story.now, 2);
    session.on_answer(story.now, Answer::Recorded(true));
    story.told(&mut session);
    story.live_call("CA1", 3);
    story.frames(&call, 3, 1..=1);
    let told = story.told(&mut session);
    assert!(!types(&told).contains(&"frame"), "{told:?}");
    let asked = session.next_asked();
    assert!(matches!(asked, Some(Asked::Record(_))), "{asked:?}");
    session.on_answer(story.now, Answer::Recorded(true));
    story.frames(&call, 3, 2..=2);
    let told = story.told(&mut session);
    let heard: Vec<_> = told
        .iter()
        .filter(|m| m["type"] == "frame")
        .map(|m| m["chunk"].clone())
        .collect();
    assert_eq!(
        heard,
        [json!(1), json!(2)],
        "what came meanwhile is heard too: {told:?}"
    );
}

#[tokio::test]
async fn each_begin_on_record_has_one_end_however_often_a_call_comes_back() {
    let book = Book::open("comes-back");
    let story = Story {
        audit: book.audit.clone(),
        ..Story::begin()
    };
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    story.told(&mut session);
    let ask = json!({ "type": "subscribe", "call_sid": "CA1" });
    let asked = says(&mut session, &story, ask.clone());
    on_record(&mut session, &story, asked).await;
    story.told(&mut session);
    call.stream_stopped(story.now, 1);
    story.told(&mut session);
    story.live_call("CA1", 2);
    // Asked anew, while it is told that the call is back.
    let asked = says(&mut session, &story, ask);
    story.told(&mut session);
    on_record(&mut session, &story, asked).await;
    story.told(&mut session);
    call.stream_stopped(story.now, 2);
    story.told(&mut session);
    story.live_call("CA1", 3);
    story.told(&mut session);
    let asked = session.next_asked();
    // Removed while that is written.
    call.forget();
    story.told(&mut session);
    on_record(&mut session, &story, asked).await;
    drop(session);
    let lines = book.lines().await;
    let events: Vec<&str> = lines.iter().map(|(event, _)| event.as_str()).collect();
    let one = ["listen_begin", "listen_end"];
    assert_eq!(events, [one, one, one].concat());
}

#[tokio::test]
async fn who_hears_on_by_anothers_token_is_on_record_or_hears_nothing() {
    let book = Book::open("another");
    let (mut story, desk) = story();
    story.audit = book.audit.clone();
    let (alice, bob) = (user("alice", &["7"], &[]), user("bob", &["7"], &[]));
    desk.knows(&alice);
    desk.knows(&bob);
    let call = story.live_call("CA1", 1);
    belongs_to(&story, &call, "7");
    let mut session = story.session_of(alice);
    story.told(&mut session);
    let asked = says(
        &mut session,
        &story,
        json!({ "type": "subscribe", "call_sid": "CA1" }),
    );
    on_record(&mut session, &story, asked).await;
    story.told(&mut session);
    says(&mut session, &story, json!({ "type": "auth", "token": "bob" }));
    session.on_answer(story.now, Answer::Bearer(Some(bob)));
    story.frames(&call, 1, 1..=1);
    let told = story.told(&mut session);
    assert_eq!(types(&told)[0], "unsubscribed", "{told:?}");
    assert!(!types(&told).contains(&"frame"), "{told:?}");
    drop(session);
    let (begin, end) = ("listen_begin".to_owned(), "listen_end".to_owned());
    let alice = || "alice".to_owned();
    assert_eq!(book.lines().await, [(begin, alice()), (end, alice())]);
}

#[test]
fn a_subscription_to_a_call_that_was_never_listed_ends_as_any_other() {
    let (story, desk) = story();
    let alice = user("alice", &["7"], &[]);
    desk.knows(&alice);
    let old = story.call("OLD");
    belongs_to(&story, &old, "7");
    story.end(&old);
    let later = Now {
        wall: story.now.wall.plus_ms(1000),
        ..story.now
    };
    let story = Story { now: later, ..story };
    for n in 0..partyline_shared::protocol::ENDED_IN_SNAPSHOT {
        let call = story.call(&format!("E{n}"));
        belongs_to(&story, &call, "7");
        story.end(&call);
    }
    let mut session = story.session_of(alice);
    story.told(&mut session);
    let ask = json!({ "type": "subscribe", "call_sid": "OLD", "audio": false });
    assert!(says(&mut session, &story, ask).is_none());
    let told = story.told(&mut session);
    assert_eq!(types(&told)[0], "subscribed", "{told:?}");
    belongs_to(&story, &old, "8");
    let told = story.told(&mut session);
    assert_eq!(types(&told), ["unsubscribed", "call_removed"], "{told:?}");
}

#[test]
fn a_call_that_was_lost_before_its_subscription_was_told_is_as_one_that_does_not_exist() {
    let (story, desk) = story();
    let alice = user("alice", &["7"], &[]);
    desk.knows(&alice);
    let mut session = story.session_of(alice);
    story.told(&mut session);
    let call = story.live_call("CA1", 1);
    belongs_to(&story, &call, "7");
    let ask = json!({ "type": "subscribe", "call_sid": "CA1", "audio": false });
    assert!(says(&mut session, &story, ask).is_none());
    belongs_to(&story, &call, "8");
    let told = story.told(&mut session);
    assert_eq!(types(&told), ["error"], "{told:?}");
    assert_eq!(told[0]["code"], "no_such_call");
}

#[test]
fn what_is_remembered_of_a_call_is_not_told_on_when_it_becomes_anothers() {
    let (story, desk) = story();
    let alice = user("alice", &["7"], &[]);
    desk.knows(&alice);
    let call = story.live_call("CA1", 7);
    belongs_to(&story, &call, "7");
    story.frames(&call, 7, 1..=100);
    let mut session = story.session_of(alice);
    story.told(&mut session);
    subscribe(&mut session, &story, json!({ "replay_ms": 2000 }));
    let remembered = std::iter::from_fn(|| session.poll_transmit(story.now))
        .find(|told| matches!(told, Transmit::Binary(_)));
    assert!(remembered.is_some(), "the first of a hundred frames");
    belongs_to(&story, &call, "8");
    assert_eq!(types(&story.told(&mut session)), ["unsubscribed", "call_removed"]);
}

#[tokio::test]
async fn who_asks_for_what_is_not_theirs_is_on_record_and_cannot_fill_it() {
    let book = Book::open("refused");
    let (mut story, desk) = story();
    story.audit = book.audit.clone();
    let alice = user("alice", &["7"], &[]);
    desk.knows(&alice);
    belongs_to(&story, &story.live_call("CA1", 1), "8");
    let mut session = story.session_of(alice);
    story.told(&mut session);
    for sid in ["CA1", "NONE"] {
        for _ in 0..AT_ONCE {
            let ask = json!({ "type": "subscribe", "call_sid": sid });
            assert!(says(&mut session, &story, ask).is_none());
        }
        assert!(
            story
                .told(&mut session)
                .iter()
                .all(|told| told["code"] == "no_such_call")
        );
    }
    let metrics = story.registry.metrics();
    assert_eq!(metrics.subscriptions_refused.get(), u64::from(2 * AT_ONCE));
    let refused = ("refused".to_owned(), "alice".to_owned());
    assert_eq!(book.lines().await, vec![refused; AT_ONCE as usize]);
}
