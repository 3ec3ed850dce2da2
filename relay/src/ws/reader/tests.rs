//! What a reader takes and what it refuses, whole and in pieces.

use proptest::prelude::*;

use super::*;

const MAX: usize = 1000;

/// A client's frame: first byte, payload, masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 250];
    let mut out = vec![first];
    match payload.len() {
        len @ 0..126 => out.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    out.extend(mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    out
}

/// What a reader says of `bytes`, given in pieces of `piece`.
fn told(bytes: &[u8], piece: usize) -> (Vec<String>, Result<Option<Option<u16>>, Broken>) {
    let mut reader = Reader::new(MAX);
    let mut said = Vec::new();
    for piece in bytes.chunks(piece) {
        let came = reader.take(&mut piece.to_vec(), |message| {
            said.push(format!("{message:?}"));
            ControlFlow::<()>::Continue(())
        });
        match came {
            Ok(Came::All) => {}
            Ok(Came::Close(code)) => return (said, Ok(Some(code))),
            Ok(Came::Stopped(())) => unreachable!(),
            Err(broken) => return (said, Err(broken)),
        }
    }
    (said, Ok(None))
}

fn code(bytes: &[u8]) -> Option<u16> {
    told(bytes, usize::MAX).1.unwrap_err().code
}

#[test]
fn messages_come_whole_in_whatever_pieces_they_were_read() {
    let bytes = [
        frame(0x81, "grüß".as_bytes()),
        frame(0x01, b"in "),
        frame(0x89, b"between"),
        frame(0x80, b"parts"),
        frame(0x82, &[7; 300]),
        frame(0x8a, b""),
        frame(0x88, &[3, 232]),
    ]
    .concat();
    let whole = told(&bytes, usize::MAX);
    let binary = format!("Binary({:?})", [7; 300]);
    assert_eq!(
        whole.0,
        [r#"Text("grüß")"#, "Ping", r#"Text("in parts")"#, &binary, "Pong"]
    );
    assert_eq!(whole.1, Ok(Some(Some(1000))));
    for piece in 1..40 {
        assert_eq!(told(&bytes, piece), whole, "in pieces of {piece}");
    }
}

#[test]
fn what_breaks_the_rules_is_refused_with_the_code_that_says_it() {
    let mut unmasked = frame(0x81, b"x");
    unmasked[1] &= 0x7f;
    let cases: [(&str, Vec<u8>, u16); 14] = [
        ("no mask", unmasked, 1002),
        ("a reserved bit", frame(0xc1, b""), 1002),
        ("a reserved kind", frame(0x83, b""), 1002),
        ("a reserved control kind", frame(0x8b, b""), 1002),
        ("nothing to go on with", frame(0x80, b"x"), 1002),
        (
            "a new message within one",
            [frame(0x01, b"x"), frame(0x81, b"y")].concat(),
            1002,
        ),
        ("a ping in parts", frame(0x09, b""), 1002),
        ("a long ping", frame(0x89, &[0; 126]), 1002),
        ("no UTF-8", frame(0x81, &[0xff]), 1007),
        ("a close of one byte", frame(0x88, &[3]), 1002),
        ("a close code nobody may say", frame(0x88, &[3, 237]), 1002),
        ("a close that is no UTF-8", frame(0x88, &[3, 232, 0xff]), 1007),
        ("too big", frame(0x82, &[0; MAX + 1]), 1009),
        (
            "too big in parts",
            [frame(0x02, &[0; MAX]), frame(0x00, b"x")].concat(),
            1009,
        ),
    ];
    for (what, bytes, expected) in cases {
        assert_eq!(code(&bytes), Some(expected), "{what}");
    }
    // A size that no memory has is refused at its head, before anything is kept for it.
    let mut huge = vec![0x82, 0x80 | 127];
    huge.extend(u64::MAX.to_be_bytes());
    huge.extend([0; 4]);
    assert_eq!(code(&huge), Some(1009));
}

#[test]
fn fragments_without_content_have_an_end() {
    let mut bytes = frame(0x01, b"");
    for _ in 0..max_fragments(MAX) {
        bytes.extend(frame(0x00, b""));
    }
    assert_eq!(code(&bytes), Some(1009));
}

#[test]
fn an_idle_reader_holds_nothing() {
    let mut reader = Reader::new(MAX);
    let bytes = [frame(0x81, &[b'x'; 600]), frame(0x01, b"a"), frame(0x80, b"b")].concat();
    for mut piece in bytes.chunks(100).map(<[u8]>::to_vec) {
        reader
            .take(&mut piece, |_| ControlFlow::<()>::Continue(()))
            .unwrap();
    }
    assert_eq!((reader.rest.capacity(), reader.parts.is_none()), (0, true));
}

#[test]
fn pings_are_answered_in_order_and_a_reader_that_is_told_to_stop_stops() {
    let mut reader = Reader::new(MAX);
    let mut bytes = [
        frame(0x89, b"one"),
        frame(0x89, b"two"),
        frame(0x81, b"x"),
        frame(0x81, b"y"),
    ]
    .concat();
    let mut messages = 0;
    let came = reader.take(&mut bytes, |message| {
        messages += 1;
        match message {
            Message::Text(_) => ControlFlow::Break("enough"),
            _ => ControlFlow::Continue(()),
        }
    });
    assert_eq!((came, messages), (Ok(Came::Stopped("enough")), 3));
    assert_eq!(reader.take_ping().as_deref(), Some(&b"one"[..]));
    assert_eq!(reader.take_ping().as_deref(), Some(&b"two"[..]));
    assert_eq!(reader.take_ping(), None);
}

#[test]
fn of_more_pings_than_are_kept_the_newest_are_answered() {
    let mut reader = Reader::new(MAX);
    for n in 0..100u8 {
        reader
            .take(&mut frame(0x89, &[n]), |_| ControlFlow::<()>::Continue(()))
            .unwrap();
    }
    let answered: Vec<u8> = std::iter::from_fn(|| reader.take_ping())
        .map(|ping| ping[0])
        .collect();
    assert_eq!(answered, (84..100).collect::<Vec<u8>>());
    assert_eq!(reader.pings.capacity(), 0, "an idle reader holds nothing");
}

#[test]
fn a_large_message_may_have_more_fragments() {
    assert_eq!((max_fragments(16 << 10), max_fragments(64 << 10)), (64, 256));
}

proptest! {
    #[test]
    fn no_bytes_can_crash_it_and_pieces_change_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        real in prop::collection::vec((prop::sample::select(vec![0x81u8, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a]), prop::collection::vec(any::<u8>(), 0..150)), 0..6),
        piece in 1usize..50,
    ) {
        let mut all: Vec<u8> = real.iter().flat_map(|(first, payload)| frame(*first, payload)).collect();
        all.extend(bytes);
        prop_assert_eq!(told(&all, piece), told(&all, usize::MAX));
    }
}
