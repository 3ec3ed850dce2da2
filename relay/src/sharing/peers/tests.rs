//! Who is gone, and who only seems so.

use super::*;

fn peer(node: &str, seen: Instant) -> Peer {
    Peer {
        node: node.into(),
        seen,
        version: "1".into(),
        draining: false,
    }
}

/// Beats once a second from `from` to `to`, with another relay that was seen at `seen`.
fn beats(peers: &mut Peers, at: Instant, seconds: std::ops::RangeInclusive<u64>, seen: Option<Instant>) {
    for second in seconds {
        let now = at + BEAT * u32::try_from(second).unwrap();
        let mut nodes = vec![peer("me", now)];
        nodes.extend(seen.map(|seen| peer("b", seen)));
        peers.on_beat(now, nodes);
    }
}

#[test]
fn who_is_silent_for_a_lease_is_gone_where_the_link_is_well() {
    let at = Instant::now();
    let mut peers = Peers::new("me".into());
    assert!(!peers.is_gone("b", at) && !peers.has_lease(at));
    beats(&mut peers, at, 0..=4, Some(at));
    assert!(!peers.is_gone("b", at + BEAT * 4));
    assert_eq!(peers.others(at + BEAT * 4).len(), 1);
    beats(&mut peers, at, 5..=5, Some(at));
    assert!(peers.is_gone("b", at + LEASE) && !peers.is_gone("me", at + LEASE));
    assert!(peers.others(at + LEASE).is_empty() && peers.has_lease(at + LEASE));
}

#[test]
fn nobody_is_gone_for_what_is_wrong_with_the_link() {
    let at = Instant::now();
    let mut peers = Peers::new("me".into());
    beats(&mut peers, at, 0..=9, Some(at));
    assert!(peers.is_gone("b", at + BEAT * 9));
    // Nothing was heard for a while, by anybody.
    assert!(!peers.is_gone("b", at + BEAT * 13));
    assert!(!peers.has_lease(at + BEAT * 15));
    beats(&mut peers, at, 20..=24, Some(at));
    assert!(!peers.is_gone("b", at + BEAT * 24));
    beats(&mut peers, at, 25..=25, Some(at));
    assert!(peers.is_gone("b", at + BEAT * 25));
    peers.begin_anew();
    assert!(!peers.is_gone("b", at + BEAT * 25));
}

#[test]
fn who_says_goodbye_is_gone_at_once() {
    let at = Instant::now();
    let mut peers = Peers::new("me".into());
    beats(&mut peers, at, 0..=5, Some(at + BEAT * 5));
    assert!(!peers.is_gone("b", at + BEAT * 5));
    beats(&mut peers, at, 6..=6, None);
    assert!(peers.is_gone("b", at + BEAT * 6));
}
