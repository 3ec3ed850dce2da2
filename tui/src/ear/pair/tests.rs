//! The handshake against itself, against who does not know the key, and against noise.

use proptest::prelude::*;
use tokio::io::duplex;

use super::*;

/// Both ends, the desk with a key of its own.
async fn meet(
    kind: Kind,
    monitor: &Key,
    desk: &Key,
) -> (Result<Sealed, NotPaired>, Result<Sealed, NotPaired>) {
    let (mut near, mut far) = duplex(1 << 10);
    let desk = async {
        let opening = Opening::read(&mut far).await?;
        match opening.prove(desk) {
            Ok(proven) => proven.answer(&mut far).await,
            Err(no) => {
                refuse(&mut far).await;
                Err(no)
            }
        }
    };
    tokio::join!(call(&mut near, kind, monitor), desk)
}

fn pass(from: &Sealed, to: &Sealed, said: &[u8]) -> Option<Vec<u8>> {
    let (mut sealed, mut plain) = ([0; 64], [0; 64]);
    let length = from.write_message(0, said, &mut sealed).unwrap();
    let length = to.read_message(0, &sealed[..length], &mut plain).ok()?;
    Some(plain[..length].to_vec())
}

#[tokio::test]
async fn who_has_the_key_is_understood_both_ways() {
    let key = Key::random();
    for kind in [Kind::Code, Kind::Key] {
        let (monitor, desk) = meet(kind, &key, &key).await;
        let (monitor, desk) = (monitor.unwrap(), desk.unwrap());
        assert_eq!(pass(&monitor, &desk, b"there").unwrap(), b"there");
        assert_eq!(pass(&desk, &monitor, b"back").unwrap(), b"back");
    }
}

#[tokio::test]
async fn who_has_another_key_is_refused_without_a_reason() {
    let (monitor, desk) = meet(Kind::Code, &Key::random(), &Key::random()).await;
    assert_eq!(monitor.err(), Some(NotPaired::Refused));
    assert_eq!(desk.err(), Some(NotPaired::Refused));
}

/// It said nothing that it could not have read or made up: the monitor finds out, and has said nothing either.
#[tokio::test]
async fn who_sits_in_the_desks_place_is_found_out() {
    let (mut near, mut far) = duplex(1 << 10);
    let key = Key::random();
    let squatter = async {
        let mut opening = [0; OPENING];
        far.read_exact(&mut opening).await.unwrap();
        let mut answer = vec![YES];
        answer.extend([7; MESSAGE]);
        far.write_all(&answer).await.unwrap();
    };
    let (monitor, ()) = tokio::join!(call(&mut near, Kind::Key, &key), squatter);
    assert_eq!(monitor.err(), Some(NotPaired::Stranger));
}

/// What was heard once opens nothing the second time: who says it again cannot seal what comes next.
#[tokio::test]
async fn an_opening_that_is_said_again_leads_to_nothing() {
    let (mut near, mut far) = duplex(1 << 10);
    let key = Key::random();
    let (opening, _) = tokio::join!(Opening::read(&mut far), async {
        let monitor = call(&mut near, Kind::Key, &key);
        tokio::time::timeout(std::time::Duration::from_millis(20), monitor).await
    });
    let opening = opening.unwrap();
    let (first, again) = (opening.prove(&key).unwrap(), opening.prove(&key).unwrap());
    assert_ne!(first.message, again.message, "each answer is drawn anew");
    assert_eq!(pass(&first.sealed, &again.sealed, b"once more"), None);
}

#[tokio::test]
async fn another_version_is_another_language() {
    let mut opening = [0; OPENING];
    opening[..HEAD.len()].copy_from_slice(&HEAD);
    for (at, with) in [(0, b'X'), (6, 2), (7, 0), (7, 3)] {
        let mut bent = opening;
        bent[7] = 1;
        assert!(Opening::parse(&bent).is_ok());
        bent[at] = with;
        assert_eq!(Opening::parse(&bent).err(), Some(NotPaired::Nobody));
    }
}

proptest! {
    #[test]
    fn no_bytes_can_crash_the_door(mut bytes in prop::collection::vec(any::<u8>(), OPENING), ours: bool, kind in 1u8..=2) {
        if ours {
            bytes[..HEAD.len()].copy_from_slice(&HEAD);
            bytes[HEAD.len()] = kind;
        }
        let bytes: [u8; OPENING] = bytes.try_into().unwrap();
        if let Ok(opening) = Opening::parse(&bytes) {
            prop_assert!(opening.prove(&Key::new([3; 32])).is_err());
        }
    }
}
