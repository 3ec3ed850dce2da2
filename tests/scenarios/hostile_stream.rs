//! A stream that breaks the rules ends, or its message is skipped, with an event that says why. Another call
//! on the same relay stays exact meanwhile, byte for byte, and the relay's memory bounded.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use harness::media::Chunks;
use harness::wait::{SOON, within};
use harness::{Listener, MediaSocket, Relay, Witness, api, speech};
use partyline_shared::audio::FRAME_BYTES;
use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::event::{Event, EventKind};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::Track;
use partyline_shared::twilio::media::write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const AT_ONCE: Duration = Duration::ZERO;
/// What the relay may grow by, kB, over a witness's history (300 KB) and whatever an allocator keeps: the
/// attacks below send it 10 to 40 MB each, so that what is kept of them would show.
const GROWTH_KB: u64 = 6 << 10;

fn says(event: &Event, why: &str) -> bool {
    event.detail["reason"]
        .as_str()
        .is_some_and(|reason| reason.contains(why))
}

#[tokio::test]
async fn a_message_that_is_none_is_skipped_and_told() {
    let relay = Relay::start(&[]).await;
    let witness = Witness::begin(&relay, 3000).await;
    let (call, mut stream) = api::live_call(&relay).await;
    let sid = call.sid();
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(sid).await;
    stream.play(&[1; 160], &[], AT_ONCE).await;

    let media = |track: &str, timestamp: &str, payload: &str| {
        format!(
            r#"{{"event":"media","media":{{"track":"{track}","timestamp":"{timestamp}","payload":"{payload}"}}}}"#
        )
    };
    let deep = "[".repeat(5000);
    for text in [
        "{\"event\":\"media\"",
        &deep,
        "",
        r#"{"event":"hologram","sequenceNumber":"3"}"#,
        &media("inbound", "77", "@@@@"),
        &media("inbound", "77", ""),
        &media("sideways", "77", "/w=="),
        &media("inbound", "99999999999", "/w=="),
        &media("inbound", "-1", "/w=="),
        &write::start("AC1", "MZ1", "CA1", &Track::BOTH, &[]),
    ] {
        stream.raw_text(text).await.expect("the socket takes it");
    }
    stream
        .raw_binary(&[0; 320][..])
        .await
        .expect("the socket takes it");
    for why in [
        "not a Media Streams message",
        "unknown event",
        "not base64 audio",
        "unknown track",
        "timestamp",
        "start came twice",
        "a binary message",
    ] {
        api::event_once(relay.addr(), sid, EventKind::BadMessage, |event| says(event, why)).await;
    }
    let events = api::events(relay.addr(), sid).await;
    let counted = events
        .iter()
        .filter_map(|event| event.detail.get("count")?.as_u64());
    assert_eq!(counted.sum::<u64>(), 11);

    // It goes on: what follows is heard.
    stream.play(&[2; 160], &[], AT_ONCE).await;
    listener
        .until_so("the frame after", |l| {
            l.heard(sid).audio(Track::Inbound).ends_with(&[2; 160])
        })
        .await;
    let now = api::call(relay.addr(), sid).await;
    assert_eq!(
        (now.status, now.stream),
        (CallStatus::InProgress, StreamState::Live)
    );
    stream.hang_up().await;
    witness.was_not_disturbed().await;
}

/// A stream that says something it must not, once its call is live or before.
enum Attack {
    /// Ten megabytes in one frame.
    Huge,
    /// 100,000 fragments of a byte.
    Fragments,
    /// The same without even a byte.
    EmptyFragments,
    /// A text that is no UTF-8.
    NotUtf8,
}

impl Attack {
    /// Until the relay closes, or all of it is said; an error is the relay's close.
    async fn run(&self, stream: &mut MediaSocket) {
        let pieces = |piece: &'static [u8]| (0..100_000).map(move |_| Bytes::from_static(piece));
        let _ = match self {
            Attack::Huge => stream.raw_text("x".repeat(10 << 20)).await,
            Attack::Fragments => stream.raw_fragments(pieces(b"x")).await,
            Attack::EmptyFragments => stream.raw_fragments(pieces(b"")).await,
            Attack::NotUtf8 => {
                stream
                    .raw_fragments([Bytes::from_static(b"\xff\xfe{}")].into_iter())
                    .await
            }
        };
    }
}

#[tokio::test]
async fn a_flood_ends_its_stream_alone_and_in_bounded_memory() {
    let relay = Relay::start(&[]).await;
    let witness = Witness::begin(&relay, 5000).await;
    let before = relay.rss_kb();
    for (attack, why) in [
        (Attack::Huge, "too big"),
        (Attack::Fragments, "fragments"),
        (Attack::EmptyFragments, "fragments"),
        (Attack::NotUtf8, "UTF-8"),
    ] {
        for _ in 0..3 {
            let (call, mut stream) = api::live_call(&relay).await;
            attack.run(&mut stream).await;
            let lost = api::event_once(relay.addr(), call.sid(), EventKind::StreamLost, |_| true).await;
            assert!(
                says(&lost, why) || says(&lost, "too big"),
                "{why}: {:?}",
                lost.detail
            );
            api::event_once(relay.addr(), call.sid(), EventKind::BadMessage, |event| {
                event.detail["reason"] == lost.detail["reason"]
            })
            .await;
            let now = api::call(relay.addr(), call.sid()).await;
            assert_eq!(
                (now.status, now.stream),
                (CallStatus::InProgress, StreamState::Lost)
            );
            // Before `start` nothing is known of a call: the socket is closed all the same.
            let mut stranger = MediaSocket::open(relay.addr(), "CA1").await;
            attack.run(&mut stranger).await;
            let code = stranger.closed().await;
            assert!(matches!(code, None | Some(1007 | 1009)), "{why}: {code:?}");
            let grown = relay.rss_kb().saturating_sub(before);
            assert!(grown < GROWTH_KB, "{why}: the relay grew by {grown} kB");
        }
    }
    witness.was_not_disturbed().await;
}

#[tokio::test]
async fn who_does_not_start_properly_is_closed() {
    let relay = Relay::start(&[]).await;
    let witness = Witness::begin(&relay, 6500).await;
    let at = relay.addr();

    let mut early = MediaSocket::open(at, "CA1").await;
    early.connected().await;
    early.media(Track::Inbound, 57, &[1; 160]).await;
    assert_eq!(early.closed().await, Some(1002), "media before start");

    // It names its call, and the call says what became of it.
    let mut odd = MediaSocket::open(at, "CA2").await;
    odd.connected().await;
    let linear = write::start("AC1", "MZ1", "CA2", &Track::BOTH, &[]).replace("audio/x-mulaw", "audio/l16");
    odd.raw_text(linear).await.expect("the socket takes it");
    assert_eq!(odd.closed().await, Some(1007), "another format");
    let named = CallSid::parse("CA2").unwrap();
    api::event_once(at, &named, EventKind::StreamRefused, |event| {
        says(event, "audio/l16")
    })
    .await;

    let mut nameless = MediaSocket::open(at, "no id at all").await;
    nameless.connected().await;
    nameless.start(&[]).await;
    assert_eq!(nameless.closed().await, Some(1008), "a callSid that is none");
    assert_eq!(
        api::listed(at, "?status=all").await,
        [named, witness.sid().clone()],
        "the others began no call"
    );

    // Nothing, only `connected`, half a message, a byte now and then: five seconds are enough for all.
    let mut silent = MediaSocket::open(at, "CA1").await;
    let mut connected = MediaSocket::open(at, "CA1").await;
    connected.connected().await;
    let mut chatty = MediaSocket::open(at, "CA1").await;
    let chats = async {
        while chatty.raw_text(r#"{"event":"hologram"}"#).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let ends = async { tokio::join!(silent.closed(), connected.closed(), half_a_message(at), chats) };
    let (silent, connected, _, ()) = within(SOON, "all that do not start to be closed", ends).await;
    assert_eq!((silent, connected), (Some(1008), Some(1008)));
    witness.was_not_disturbed().await;
}

/// An upgrade by hand and the head of a frame of which nothing more comes; until the relay ends it.
async fn half_a_message(relay: SocketAddr) {
    let mut socket = TcpStream::connect(relay).await.expect("the relay is there");
    let upgrade = format!(
        "GET /cable HTTP/1.1\r\nHost: {relay}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    socket.write_all(upgrade.as_bytes()).await.expect("it reads");
    // A masked text of 100 bytes, and five of them.
    socket
        .write_all(&[0x81, 0x80 | 100, 0, 0, 0, 0, b'{', b'"', b'e', b'v', b'e'])
        .await
        .expect("it reads");
    let mut all = Vec::new();
    let _ = socket.read_to_end(&mut all).await;
    assert!(
        all.starts_with(b"HTTP/1.1 101"),
        "{}",
        String::from_utf8_lossy(&all)
    );
}

#[tokio::test]
async fn half_a_message_of_a_live_stream_holds_up_nobody() {
    let relay = Relay::start(&[]).await;
    let witness = Witness::begin(&relay, 1500).await;
    let (call, mut stream) = api::live_call(&relay).await;
    stream.play(&[1; 320], &[], AT_ONCE).await;
    stream
        .begin_fragment(r#"{"event":"med"#)
        .await
        .expect("the socket takes it");
    witness.was_not_disturbed().await;
    // Silence is no reason to close a stream; its end is told as it comes.
    assert_eq!(
        api::call(relay.addr(), call.sid()).await.stream,
        StreamState::Live
    );
    stream.drop_abruptly();
    api::event_once(relay.addr(), call.sid(), EventKind::StreamLost, |_| true).await;
}

/// Everything that the contract allows a stream to be; none of it is a gap.
#[tokio::test]
async fn what_is_only_odd_is_heard_whole() {
    let relay = Relay::start(&[]).await;
    for (chunks, sizes) in [
        (Chunks::PerTrack, vec![160; 60]),
        (Chunks::Global, vec![160; 60]),
        (
            Chunks::PerTrack,
            vec![1, 161, 4000, 160, 80, 159, 320, 1000, 8, 160, 2400],
        ),
    ] {
        let (call, mut stream) = api::live_call(&relay).await;
        let sid = call.sid();
        stream.chunks = chunks;
        let mut listener = Listener::connect(relay.addr()).await;
        listener.subscribe(sid).await;
        let total: usize = sizes.iter().sum();
        let said = speech::piece(speech::LONG[1], 700, total.div_ceil(8));
        let said = &said[..total];
        // Timestamps are whole milliseconds of what came before, and jitter by a few. The outbound track
        // starts late, and every other message has numbers for strings and keys of a later version.
        let mut at = 0;
        for (number, size) in sizes.iter().enumerate() {
            let audio = &said[at..at + size];
            let time = 57 + at as u64 / 8 + (number as u64 * 7) % 4;
            stream.media(Track::Inbound, time, audio).await;
            if number >= 3 {
                odd_media(&mut stream, Track::Outbound, time + 500, audio).await;
            }
            at += size;
        }
        let skipped: usize = sizes[..3].iter().sum();
        stream.hang_up().await;
        listener
            .until_so("the end", |l| {
                l.heard(sid).event(EventKind::StreamStopped).is_some()
            })
            .await;
        let heard = listener.heard(sid);
        assert_eq!(heard.gaps, [], "{chunks:?} {sizes:?}");
        heard.assert_no_hole();
        assert!(heard.audio(Track::Inbound) == said, "{chunks:?} {sizes:?}");
        assert!(
            heard.audio(Track::Outbound) == said[skipped..],
            "{chunks:?} {sizes:?}"
        );
        assert!(
            heard
                .frames
                .inbound
                .iter()
                .all(|frame| frame.mulaw().len() <= FRAME_BYTES)
        );
        assert_eq!(heard.event(EventKind::Gap), None);
        assert_eq!(api::call(relay.addr(), sid).await.lost_chunks, 0);
    }
}

/// One `media` whose counters are numbers, with keys that nobody knows, in another order.
async fn odd_media(stream: &mut MediaSocket, track: Track, time: u64, audio: &[u8]) {
    let plain = write::media("MZ1", 0, track, 0, 0, audio);
    let plain: serde_json::Value = serde_json::from_str(&plain).unwrap();
    let payload = plain["media"]["payload"].as_str().unwrap();
    let sequence = stream.sequence;
    stream.sequence += 1;
    let text = format!(
        r#"{{"streamSid":"MZ1","new":{{"a":[1,2]}},"media":{{"payload":"{payload}","timestamp":{time},"chunk":7,"later":null,"track":"{track}"}},"sequenceNumber":{sequence},"event":"media"}}"#
    );
    stream.raw_text(text).await.expect("the socket takes it");
}

#[tokio::test]
async fn what_is_missing_is_counted_and_told() {
    let relay = Relay::start(&[]).await;
    let (call, mut stream) = api::live_call(&relay).await;
    let sid = call.sid();
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(sid).await;
    stream.play(&[1; 320], &[2; 320], AT_ONCE).await;
    // Three messages of the inbound track are thrown away, none of the outbound one.
    stream.sequence += 3;
    stream.clock.inbound += 60;
    stream.play(&[3; 160], &[4; 160], AT_ONCE).await;
    // A second of both without a jump of the sequence: time says it.
    stream.clock.inbound += 1000;
    stream.clock.outbound += 1000;
    stream.play(&[5; 160], &[6; 160], AT_ONCE).await;
    // One whose payload is none is missing too.
    let text = write::media(
        "MZ1",
        stream.sequence,
        Track::Inbound,
        9,
        stream.clock.inbound,
        &[1],
    );
    stream.sequence += 1;
    stream.clock.inbound += 20;
    stream
        .raw_text(text.replace("/w==", "*").replace("AQ==", "*"))
        .await
        .expect("it is taken");
    stream.play(&[7; 160], &[8; 160], AT_ONCE).await;
    stream.hang_up().await;
    listener
        .until_so("the end", |l| {
            l.heard(sid).event(EventKind::StreamStopped).is_some()
        })
        .await;
    let heard = listener.heard(sid);
    heard.assert_no_hole();
    let gaps = |track| {
        let gaps = heard.gaps.iter().filter(|gap| gap.track == track);
        gaps.map(|gap| (gap.from_chunk, gap.to_chunk)).collect::<Vec<_>>()
    };
    assert_eq!(gaps(Track::Inbound), [(3, 5), (7, 56), (58, 58)]);
    assert_eq!(gaps(Track::Outbound), [(4, 53)]);
    assert!(heard.gaps.iter().all(|gap| gap.reason == GapReason::Upstream));
    assert_eq!(heard.frames.inbound.last().map(|frame| frame.chunk()), Some(59));
    assert_eq!(heard.frames.outbound.last().map(|frame| frame.chunk()), Some(55));
    let missing = heard.events.iter().filter(|event| event.kind == EventKind::Gap);
    let missing: u64 = missing
        .map(|event| event.detail["missing"].as_u64().unwrap())
        .sum();
    assert_eq!(
        (missing, api::call(relay.addr(), sid).await.lost_chunks),
        (104, 104)
    );
}
