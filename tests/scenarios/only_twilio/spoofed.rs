//! Streams that are not Twilio's, or not the one that was asked for, name a live call. None is accepted: no
//! byte of them reaches who listens, and nothing of the call changes. `make soak` tries 100,000.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use harness::signed::{ORIGIN, SECOND, SECOND_TOKEN, SignedRelay, TOKEN};
use harness::twilio::{ACCOUNT, new_sid, pass};
use harness::wait::{SOON, within};
use harness::{Listener, MediaSocket, TwilioCall};
use partyline_relay::config::Secret;
use partyline_relay::twilio::pass::{Key, LIFE_MS};
use partyline_relay::twilio::signature;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use partyline_shared::twilio::form::Form;
use partyline_shared::twilio::media::write;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

/// Streams that are tried, unless `PARTYLINE_SPOOFS` says how many.
const SPOOFS: usize = 2000;

/// How many are tried between two looks at the call.
const A_ROUND: usize = 200;

/// What a spoofed stream shows.
struct Spoof {
    why: &'static str,
    signed_by: Option<&'static str>,
    account: &'static str,
    pass: Option<String>,
}

/// One of each kind: those that nobody upgrades, then those that are refused by their `start`.
fn spoofs(n: usize, call: &str, used: &str) -> Spoof {
    let now = harness::twilio::now();
    let nonce = (n as u128).to_be_bytes();
    let write = |token, at: UtcTime, account: &str, call: &str| {
        Some(Key::of_token(&Secret::new(token)).write(at, nonce, account, call))
    };
    let (why, signed_by, account, pass) = match n % 12 {
        0 => ("no signature", None, ACCOUNT, write(TOKEN, now, ACCOUNT, call)),
        1 => (
            "a foreign signature",
            Some("foreign"),
            ACCOUNT,
            write(TOKEN, now, ACCOUNT, call),
        ),
        2 => (
            "a signature that is none",
            Some(""),
            ACCOUNT,
            write(TOKEN, now, ACCOUNT, call),
        ),
        3 => ("no pass", Some(TOKEN), ACCOUNT, None),
        4 => ("a pass that is none", Some(TOKEN), ACCOUNT, Some("A".repeat(75))),
        5 => (
            "a foreign pass",
            Some(TOKEN),
            ACCOUNT,
            write("foreign", now, ACCOUNT, call),
        ),
        6 => (
            "a pass that is over",
            Some(TOKEN),
            ACCOUNT,
            write(TOKEN, now.plus_ms(-LIFE_MS), ACCOUNT, call),
        ),
        7 => (
            "a pass that was shown",
            Some(TOKEN),
            ACCOUNT,
            Some(used.to_owned()),
        ),
        8 => (
            "another call's pass",
            Some(TOKEN),
            ACCOUNT,
            write(TOKEN, now, ACCOUNT, &new_sid("CA")),
        ),
        9 => (
            "another account's pass",
            Some(TOKEN),
            ACCOUNT,
            write(SECOND_TOKEN, now, SECOND, call),
        ),
        10 => (
            "another account's all",
            Some(TOKEN),
            SECOND,
            write(SECOND_TOKEN, now, SECOND, call),
        ),
        _ => (
            "our account's stream with another's handshake",
            Some(SECOND_TOKEN),
            ACCOUNT,
            None,
        ),
    };
    Spoof {
        why,
        signed_by,
        account,
        pass,
    }
}

impl Spoof {
    /// Until it is refused; says what else comes to mind meanwhile.
    async fn run(&self, relay: SocketAddr, call: &str) {
        let mut request = format!("ws://{relay}/cable").into_client_request().unwrap();
        if let Some(token) = self.signed_by {
            let signature = match token {
                "" => "not a signature".to_owned(),
                token => signature::sign(
                    token,
                    &format!("{}/cable", ORIGIN.replace("https", "wss")),
                    &Form::default(),
                ),
            };
            request
                .headers_mut()
                .insert(signature::HEADER, signature.parse().unwrap());
        }
        let stream = TcpStream::connect(relay).await.unwrap();
        // So many connections would else wait for their ports to be free again.
        stream.set_zero_linger().unwrap();
        let why = self.why;
        let mut socket = match within(SOON, why, client_async(request, stream)).await {
            Ok((socket, _)) => socket,
            Err(Error::Http(answer)) => return assert_eq!(answer.status(), 403, "{why}"),
            Err(error) => panic!("{why}: {error}"),
        };
        let stream = new_sid("MZ");
        let pass: Vec<_> = self
            .pass
            .iter()
            .map(|pass| ("partyline_pass".to_owned(), pass.clone()))
            .collect();
        let texts = [
            write::CONNECTED.to_owned(),
            write::start(self.account, &stream, call, &Track::BOTH, &pass),
            write::media(&stream, 2, Track::Inbound, 1, 57, &[0x55; 160]),
            write::stop(self.account, &stream, call, 3),
        ];
        for text in texts {
            // The relay may have closed by now, as it should.
            let _ = socket.feed(Message::text(text)).await;
        }
        let _ = socket.flush().await;
        let code = within(SOON, why, async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        });
        assert_eq!(code.await, Some(1008), "{why}");
    }
}

#[tokio::test]
async fn no_spoofed_start_gets_near_a_live_call() {
    let count = std::env::var("PARTYLINE_SPOOFS").map_or(SPOOFS, |text| text.parse().expect("a number"));
    let relay = SignedRelay::start().await;
    let call = TwilioCall::signed(&relay);
    let used = pass(&call.webhook(&[]).await.expect(200));
    let mut stream = call.open_stream().await;
    stream.connected().await;
    stream.start(&[("partyline_pass", &used)]).await;
    let mut listener = Listener::connect_as(relay.addr(), relay.token()).await;
    listener.subscribe(call.sid()).await;
    let mut said = Vec::new();
    let state = || {
        let mut journal = relay.journal(call.sid());
        // Time alone brings it, where this machine has so much to do.
        journal.retain(|told| !told.contains("stream_stalled"));
        (
            relay.call(call.sid()),
            journal,
            relay.calls(),
            relay.counted("streams_started"),
        )
    };
    for first in (0..count).step_by(A_ROUND) {
        // The call goes on meanwhile: just what Twilio sends is heard, and nothing between.
        let frame = [(first / A_ROUND) as u8 ^ 0x11; 160];
        stream.play(&frame, &frame, Duration::ZERO).await;
        said.extend(frame);
        heard(&mut listener, &call, &said).await;
        let before = state();
        for n in first..count.min(first + A_ROUND) {
            spoofs(n, call.sid().as_str(), &used)
                .run(relay.addr(), call.sid().as_str())
                .await;
        }
        assert_eq!(state(), before, "nothing of the call changed, and none was begun");
    }
    stream.play(&[0x22; 160], &[0x22; 160], Duration::ZERO).await;
    said.extend([0x22; 160]);
    heard(&mut listener, &call, &said).await;
    assert!(
        listener.strays.is_empty(),
        "frames of an audio_id that nobody named"
    );
    stream.hang_up().await;
    let sent = 2 * said.len() as u64 / 160;
    assert!(
        relay.counted("frames_in") <= sent,
        "only what Twilio sent came in"
    );
    // All that was refused is counted, each by its reason.
    let of = |places: &[usize]| (0..count).filter(|n| places.contains(&(n % 12))).count() as u64;
    for (counter, places) in [
        ("signatures_missing", &[0][..]),
        ("signatures_wrong", &[1, 2]),
        ("passes_missing", &[3]),
        ("passes_forged", &[4, 5, 8, 9]),
        ("passes_late", &[6]),
        ("passes_used", &[7]),
        ("accounts_mixed", &[10, 11]),
    ] {
        assert_eq!(relay.counted(counter), of(places), "{counter}");
    }
    assert_eq!(
        relay.counted("streams_refused"),
        of(&[3, 4, 5, 6, 7, 8, 9, 10, 11])
    );
}

/// Waits until just this has been heard on both tracks.
async fn heard(listener: &mut Listener, call: &TwilioCall, said: &[u8]) {
    listener
        .until_so("what was said", |l| {
            let heard = l.heard(call.sid());
            [Track::Inbound, Track::Outbound]
                .iter()
                .all(|track| heard.audio(*track).len() >= said.len())
        })
        .await;
    for track in Track::BOTH {
        assert_eq!(listener.heard(call.sid()).audio(track), said, "{track}");
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_heard_says_so_in_its_call_only_with_a_pass() {
    let relay = SignedRelay::start().await;
    let call = TwilioCall::signed(&relay);
    let pass = pass(&call.webhook(&[]).await.expect(200));
    let wideband = |pass: &str| {
        let start = write::start(
            ACCOUNT,
            "MZ1",
            call.sid().as_str(),
            &Track::BOTH,
            &[("partyline_pass".into(), pass.into())],
        );
        start.replace(r#""sampleRate":8000"#, r#""sampleRate":16000"#)
    };
    let before = relay.journal(call.sid());
    let open = async |text: String| {
        let mut stream: MediaSocket = call.open_stream().await;
        stream.connected().await;
        stream.raw_text(text).await.expect("the socket takes it");
        stream.closed().await
    };
    assert_eq!(open(wideband("x")).await, Some(1007));
    assert_eq!(relay.journal(call.sid()), before);
    assert_eq!(open(wideband(&pass)).await, Some(1007));
    let events = relay.journal(call.sid());
    assert!(
        events.iter().any(|event| event.contains("stream_refused")),
        "{events:?}"
    );
}
