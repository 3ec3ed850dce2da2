//! Pieces over a pipe that cuts them anywhere, is bent, or falls silent.

use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{DuplexStream, duplex};

use super::super::key::Key;
use super::super::pair::{Kind, Opening, call};
use super::*;

type Ends = (
    (Reader<ReadHalf<DuplexStream>>, Writer<WriteHalf<DuplexStream>>),
    (Reader<ReadHalf<DuplexStream>>, Writer<WriteHalf<DuplexStream>>),
);

/// Both ends of a pipe with room for so many bytes.
async fn ends(room: usize) -> Ends {
    let (mut near, mut far) = duplex(room);
    let key = Key::random();
    let (here, there) = tokio::join!(call(&mut near, Kind::Key, &key), async {
        let opening = Opening::read(&mut far).await.unwrap();
        opening.prove(&key).unwrap().answer(&mut far).await
    });
    (split(near, here.unwrap()), split(far, there.unwrap()))
}

#[tokio::test]
async fn messages_arrive_in_order_whatever_the_pipe_makes_of_them() {
    let ((_, mut to), (mut from, _)) = ends(7).await;
    let said: Vec<Vec<u8>> = (0..50u8).map(|n| vec![n; usize::from(n) * 20]).collect();
    let speak = async {
        for (n, message) in said.iter().enumerate() {
            assert!(to.add(|out| out.extend(message)));
            if n % 3 == 0 {
                to.flush().await.unwrap();
            }
        }
        to.flush().await.unwrap();
        to.close().await;
    };
    let hear = async {
        for message in &said {
            assert_eq!(from.next().await.unwrap(), message[..]);
        }
        assert_eq!(from.next().await, Err(Cut::Closed));
    };
    tokio::join!(speak, hear);
}

#[tokio::test]
async fn a_piece_has_room_for_so_much_and_the_next_takes_the_rest() {
    let ((_, mut to), (mut from, _)) = ends(1 << 20).await;
    assert!(to.add(|out| out.extend([1; MAX_MESSAGE])), "one that just fits");
    assert!(!to.add(|out| out.push(2)), "no room any more");
    to.flush().await.unwrap();
    assert!(to.add(|out| out.push(2)));
    to.flush().await.unwrap();
    assert!(to.add(|out| out.extend([3; MAX_MESSAGE + 1])), "one for no piece");
    assert!(!to.waits(), "is left out");
    assert_eq!(from.next().await.unwrap().len(), MAX_MESSAGE);
    assert_eq!(from.next().await.unwrap(), [2][..]);
}

#[tokio::test]
async fn silence_is_the_end_both_ways() {
    let ((mut hears, mut to), (_from, _to)) = ends(1 << 10).await;
    assert_eq!((hears.patience, to.patience), (SILENCE, SILENCE));
    (hears.patience, to.patience) = (Duration::from_millis(20), Duration::from_millis(20));
    assert_eq!(hears.next().await, Err(Cut::Silent));
    // Nobody takes what is said: there is room for the first bytes only.
    to.add(|out| out.extend([0; 4 << 10]));
    assert_eq!(to.flush().await, Err(Cut::Silent));
}

/// Who waits for something else meanwhile misses nothing.
#[tokio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    let ((_, mut to), (mut from, _)) = ends(16).await;
    let speak = async {
        for n in 0..20u8 {
            to.add(|out| out.extend([n; 33]));
            to.flush().await.unwrap();
        }
    };
    let hear = async {
        let mut next = 0;
        while next < 20 {
            if let Ok(message) = timeout(Duration::from_micros(50), from.next()).await {
                assert_eq!(message.unwrap(), [next; 33][..]);
                next += 1;
            }
        }
    };
    tokio::join!(speak, hear);
}

/// What a piece says is nowhere on the wire, and one bent bit ends the link.
#[tokio::test]
async fn nothing_is_readable_on_the_way_and_nothing_may_be_bent() {
    let secret = b"not one frame in clear, ".repeat(20);
    for bent in [None, Some(0), Some(2), Some(40)] {
        let ((_, mut to), (mut from, _)) = ends(1 << 16).await;
        to.add(|out| out.extend(&secret));
        to.flush().await.unwrap();
        let mut wire = vec![0; 2 + 2 + secret.len() + TAG];
        from.from.read_exact(&mut wire).await.unwrap();
        assert!(
            !wire
                .windows(8)
                .any(|some| secret.windows(8).any(|known| some == known))
        );
        if let Some(at) = bent {
            wire[at] ^= 1;
        }
        from.came.extend_from_slice(&wire);
        drop(to);
        let came = from.next().await;
        match bent {
            None => assert_eq!(came.unwrap(), secret[..]),
            // A length that is too large is waited for in vain.
            Some(_) => assert!(
                matches!(came, Err(Cut::Broken | Cut::Closed | Cut::Silent)),
                "{came:?}"
            ),
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_can_crash_the_link(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_, (mut from, _to)) = ends(1 << 10).await;
            from.patience = Duration::from_millis(1);
            from.came.extend_from_slice(&bytes);
            assert!(from.next().await.is_err());
        });
    }
}
