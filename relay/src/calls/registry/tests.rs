//! What is remembered, for how long, for whom.

use partyline_shared::call::CallStatus;
use partyline_shared::track::Track;

use super::*;
use crate::access::Role;
use crate::calls::call::tests_support::media;
use crate::calls::call::{Ask, Begin, StatusNote};
use crate::calls::fanout::Mailbox;
use crate::calls::lobby::Change;
use crate::calls::parties::FromWebhook;

fn registry(retention_s: u64, max_calls: usize) -> Registry {
    let settings = Settings {
        retention: Duration::from_secs(retention_s),
        history: Duration::ZERO,
        max_calls,
    };
    Registry::new("n".into(), settings, Arc::default())
}

fn sid(text: &str) -> CallSid {
    CallSid::parse(text).unwrap()
}

fn end(registry: &Registry, now: Now, name: &str) {
    let call = registry.open(now, &sid(name)).unwrap();
    let note = StatusNote {
        leg: sid(name),
        parties: Default::default(),
        status: Some(CallStatus::Completed),
        at: None,
        duration_s: None,
        sip_response_code: None,
    };
    call.status(now, note);
}

#[test]
fn an_ended_call_is_forgotten_after_its_retention_and_not_before() {
    let (registry, now) = (registry(60, 9), Now::take());
    end(&registry, now, "a");
    let at = |s| now.plus(Duration::from_secs(s));
    registry.on_deadline(at(30));
    assert_eq!(
        (registry.counts(), registry.list(&Grant::insecure()).len()),
        ((0, 1), 1)
    );
    // A late line wakes it, and it rests again.
    registry.open(at(31), &sid("a")).unwrap();
    registry.on_deadline(at(31));
    assert_eq!(registry.counts().0, 1);
    registry.on_deadline(at(59));
    assert_eq!(registry.counts(), (0, 1));
    registry.on_deadline(at(60));
    assert!(registry.find(&Grant::insecure(), &sid("a")).is_none());
    assert!(registry.list(&Grant::insecure()).is_empty());
}

#[test]
fn so_many_ended_calls_are_remembered_and_then_the_oldest_go() {
    let (registry, now) = (registry(3600, 9), Now::take());
    let at = |ms| now.plus(Duration::from_millis(ms));
    let last = ENDED_CALLS as u64;
    for n in 0..last {
        end(&registry, at(n), &format!("C{n}"));
    }
    let rested = Duration::from_millis(last) + IN_HAND;
    registry.on_deadline(now.plus(rested));
    assert_eq!(registry.counts(), (0, ENDED_CALLS));
    end(&registry, at(last), &format!("C{last}"));
    registry.on_deadline(now.plus(rested + IN_HAND));
    assert_eq!(registry.counts(), (0, ENDED_CALLS));
    let known = |n: u64| registry.known(&sid(&format!("C{n}"))).is_some();
    assert!(!known(0) && known(1) && known(last));
}

#[test]
fn a_call_that_came_back_is_not_forgotten_by_its_first_end() {
    let (registry, now) = (registry(10, 9), Now::take());
    end(&registry, now, "a");
    registry.on_deadline(now.plus(Duration::from_secs(5)));
    let later = now.plus(Duration::from_secs(6));
    registry
        .open(later, &sid("a"))
        .unwrap()
        .accept_stream(later, 1, Default::default());
    registry.on_deadline(now.plus(Duration::from_secs(3600)));
    assert!(registry.find(&Grant::insecure(), &sid("a")).is_some());
}

#[test]
fn only_so_many_are_followed_and_a_stranger_cannot_tell_one_from_none() {
    let (registry, now) = (registry(60, 1), Now::take());
    let call = registry.open(now, &sid("a")).unwrap();
    assert_eq!(
        registry.open(now, &sid("b")).unwrap_err(),
        NotFollowed::TooManyCalls
    );
    assert!(registry.open(now, &sid("a")).is_ok());
    assert!(!registry.has_room());
    call.webhook(
        now,
        FromWebhook {
            customer_id: Some("7".into()),
            ..FromWebhook::default()
        },
        None,
    );
    let user = |customer: &str| Grant::new("u", Role::User, vec![customer.into()], Vec::new());
    assert!(registry.find(&user("7"), &sid("a")).is_some());
    assert!(registry.find(&user("8"), &sid("a")).is_none() && registry.list(&user("8")).is_empty());
}

#[test]
fn a_call_that_is_over_takes_nobodys_place() {
    let (registry, now) = (registry(60, 1), Now::take());
    end(&registry, now, "a");
    assert!(registry.has_room());
    registry.open(now, &sid("b")).unwrap();
    assert!(!registry.has_room() && registry.open(now, &sid("c")).is_err());
}

#[test]
fn a_listener_that_leaves_a_forgotten_call_does_not_bring_it_back() {
    let (registry, now) = (registry(1, 9), Now::take());
    let (listener, grant) = (Arc::<Mailbox>::default(), Grant::insecure());
    let ask = Ask {
        mailbox: &listener,
        sub: 1,
        audio: true,
        form: None,
        from: Begin::Remembered,
        replay_ms: 0,
    };
    let place = registry
        .open(now, &sid("a"))
        .unwrap()
        .subscribe(now, &grant, ask)
        .unwrap();
    end(&registry, now, "a");
    registry.on_deadline(now.plus(Duration::from_secs(2)));
    registry
        .open(now.plus(Duration::from_secs(3)), &sid("a"))
        .unwrap();
    drop(place);
    assert!(registry.list(&grant).is_empty());
}

#[test]
fn an_erased_call_is_gone_for_who_reads_and_who_writes() {
    let now = Now::take();
    let registry = registry(60, 2);
    for name in ["a", "b"] {
        registry.open(now, &sid(name)).unwrap();
    }
    end(&registry, now, "b");
    registry.on_deadline(now.plus(Duration::from_secs(30)));
    for name in ["a", "b"] {
        assert!(registry.erase(now, &sid(name)), "{name}");
        assert!(!registry.erase(now, &sid(name)), "{name}");
        assert!(registry.find(&Grant::insecure(), &sid(name)).is_none());
        let again = registry.open(now, &sid(name)).unwrap_err();
        assert_eq!(again, NotFollowed::Erased, "what Twilio still says of it");
    }
    assert!(registry.lobby().all().is_empty());
    assert_eq!((registry.counts(), registry.census().live), ((0, 0), 0));
    assert!(registry.has_room(), "it takes nobody's place");
}

#[test]
fn history_keeps_no_call_longer_than_its_retention() {
    let (registry, now) = (registry(1, 9), Now::take());
    registry.set(Settings {
        history: Duration::from_secs(3600),
        ..Settings::clone(&registry.settings.load())
    });
    end(&registry, now, "a");
    registry.on_deadline(now.plus(Duration::from_secs(2)));
    assert!(registry.find(&Grant::insecure(), &sid("a")).is_none());
}

#[test]
fn lesser_changes_of_every_call_are_told_in_turn() {
    let (registry, now) = (registry(60, 999), Now::take());
    let frame = |n| {
        let frame =
            partyline_shared::audio::frame::AudioFrame::new(Track::Inbound, 1, n, n * 20, &[0xff; 160]);
        crate::calls::fanout::Item::Frame(frame)
    };
    let calls: Vec<Arc<Call>> = (0..200)
        .map(|n| registry.open(now, &sid(&format!("c{n}"))).unwrap())
        .collect();
    let mailbox = Arc::<Mailbox>::default();
    for call in &calls {
        call.accept_stream(now, 1, Default::default());
    }
    let (_, mut version) = registry.lobby().enter(&mailbox);
    let mut told = HashMap::<CallSid, u32>::new();
    for step in 1..=300u32 {
        let later = now.plus(TICK * step);
        calls
            .iter()
            .for_each(|call| media(call, later.mono, 1, &[frame(step)]));
        registry.on_deadline(later);
        for change in registry.lobby().read(&mut version, usize::MAX).unwrap() {
            if let Change::Upsert(listed) = change {
                *told.entry(listed.call_sid).or_default() += 1;
            }
        }
    }
    assert_eq!(told.len(), 200, "30 s have 60 rounds of 10");
    let (least, most) = (told.values().min().unwrap(), told.values().max().unwrap());
    assert!(most - least <= 1, "{least} to {most}");
}

#[test]
fn a_call_that_is_over_tells_its_last_lesser_change_and_rests_again() {
    let (registry, now) = (registry(60, 9), Now::take());
    end(&registry, now, "a");
    registry.on_deadline(now.plus(Duration::from_secs(5)));
    assert_eq!(registry.counts(), (0, 1));
    let mailbox = Arc::<Mailbox>::default();
    let call = registry.find(&Grant::insecure(), &sid("a")).unwrap();
    let at = |ms| now.plus(Duration::from_millis(ms));
    let ask = Ask {
        mailbox: &mailbox,
        sub: 1,
        audio: true,
        form: None,
        from: Begin::Remembered,
        replay_ms: 0,
    };
    let place = call.subscribe(at(6000), &Grant::insecure(), ask).unwrap();
    registry.on_deadline(at(6100));
    assert!(
        registry.list(&Grant::insecure())[0]
            .told
            .json()
            .contains(r#""listeners":1"#)
    );
    drop(place);
    registry.on_deadline(at(6200));
    registry.on_deadline(at(60_000 - 600));
    assert!(
        registry.list(&Grant::insecure())[0]
            .told
            .json()
            .contains(r#""listeners":0"#)
    );
    registry.on_deadline(at(60_000));
    assert!(registry.list(&Grant::insecure()).is_empty());
}
