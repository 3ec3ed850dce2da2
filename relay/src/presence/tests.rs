//! Who is seen, and who is ended.

use std::net::Ipv4Addr;

use super::*;

fn enter(all: &Arc<Presence>, at: i64) -> (Present, Arc<Mailbox>) {
    let way = Way {
        door: "listen",
        address: Ipv4Addr::LOCALHOST.into(),
        since: UtcTime::from_unix_ms(at),
    };
    let mailbox = Arc::new(Mailbox::new(None));
    (all.enter(way, &Grant::insecure(), mailbox.clone()), mailbox)
}

#[test]
fn who_is_connected_is_seen_in_the_order_of_coming_until_it_goes() {
    let all = Arc::<Presence>::default();
    let (late, _) = enter(&all, 20);
    let (early, _) = enter(&all, 10);
    let ids = |all: &Presence| -> Vec<String> { all.all().into_iter().map(|seen| seen.id).collect() };
    assert_eq!(ids(&all), [early.id(), late.id()]);
    drop(early);
    assert_eq!(ids(&all), [late.id()]);
}

#[test]
fn what_it_follows_is_counted_by_what_it_does_with_it() {
    let all = Arc::<Presence>::default();
    let (one, _) = enter(&all, 1);
    let (_idle, _) = enter(&all, 2);
    for (n, audio) in [(1, true), (2, true), (3, false)] {
        one.follows(Follows {
            call_sid: CallSid::parse(&format!("CA{n:032x}")).unwrap(),
            audio,
            save: false,
            since: UtcTime::from_unix_ms(3),
        });
    }
    one.leaves(&CallSid::parse(&format!("CA{:032x}", 2)).unwrap());
    let counts = Counts {
        all: 2,
        idle: 1,
        heard: 1,
        read: 1,
    };
    assert_eq!(all.counts(), counts);
}

#[test]
fn one_is_dismissed_by_its_exact_name_and_woken_for_it() {
    let all = Arc::<Presence>::default();
    let ((one, mailbox), (other, _)) = (enter(&all, 1), enter(&all, 2));
    let id = one.id();
    for wrong in [
        "",
        "0",
        "zz",
        &id[1..],
        &format!("+{}", &id[1..]),
        &format!("0{id}"),
    ] {
        assert!(all.dismiss(wrong).is_none(), "{wrong}");
    }
    assert!(!one.is_dismissed() && !mailbox.wants_recheck());
    for is_news in [true, false] {
        let ended = all.dismiss(&id).map(|(seen, is_news)| (seen.id, is_news));
        assert_eq!(
            ended,
            Some((id.clone(), is_news)),
            "once is one, however often it is said"
        );
    }
    assert!(one.is_dismissed() && mailbox.wants_recheck() && !other.is_dismissed());
    drop(one);
    assert!(all.dismiss(&id).is_none());
}
