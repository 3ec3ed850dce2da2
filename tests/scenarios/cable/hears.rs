//! Every payload of a call reaches each of the real clients, in order, on both channels.

use std::time::Duration;

use harness::cable::{CLIENTS, Clients};
use harness::wait::SOON;
use harness::{Relay, api, speech};
use partyline_shared::audio::FRAME_BYTES;
use partyline_shared::track::Track;
use partyline_shared::twilio::media::put_payload;
use serde_json::{Value, json};

use super::{MEDIA, STREAM, say_all};

/// How long the two talk, ms: Rails' clients would have repeated a subscribe three times meanwhile.
const TALK: usize = 1_600;

/// What the two said as `media` payloads, of one track.
fn sent(call: &str, track: Track, audio: &[u8]) -> Vec<Value> {
    let media = |(n, frame): (usize, &[u8])| {
        let mut payload = Vec::new();
        put_payload(frame, &mut payload);
        json!({
            "event": "media", "call_sid": call, "track": track.as_str(), "chunk": (n + 1).to_string(),
            "timestamp": (harness::media::LEAD_IN_MS + 20 * n as u64).to_string(),
            "payload": String::from_utf8(payload).unwrap(),
            "format": { "encoding": "audio/x-mulaw", "sample_rate": 8000, "channels": 1 },
        })
    };
    audio.chunks(FRAME_BYTES).enumerate().map(media).collect()
}

#[tokio::test]
async fn every_payload_of_a_call_reaches_each_client_in_order_on_both_channels() {
    let relay = Relay::start(&[]).await;
    let (mut call, mut stream) = api::live_call(&relay).await;
    let sid = call.sid().to_string();
    let mut clients = Clients::start(relay.addr(), "", &CLIENTS);
    let (by_id, by_sid) = (json!({ "call_id": sid }), json!({ "call_sid": sid }));
    clients.all("subscribe", STREAM, by_id.clone()).await;
    clients.all("subscribe", MEDIA, by_sid.clone()).await;
    clients
        .all("subscribe", STREAM, json!({ "call_id": "CA404" }))
        .await;
    clients
        .all("subscribe", "ChatChannel", json!({ "room": 1 }))
        .await;
    clients.each(&CLIENTS, "connected", STREAM, 1).await;
    clients.each(&CLIENTS, "connected", MEDIA, 1).await;
    clients.each(&CLIENTS, "rejected", STREAM, 1).await;
    clients.each(&CLIENTS, "rejected", "ChatChannel", 1).await;
    // A second object of the page: it is confirmed as well, and stops asking.
    clients.all("again", MEDIA, by_sid.clone()).await;

    let [inbound, outbound] = [0, 1].map(|n| speech::piece(speech::LONG[n], 0, TALK));
    let lines: Vec<String> = (0..5).map(|n| format!("line {n} <b>&\u{2028}")).collect();
    tokio::join!(
        stream.play(&inbound, &outbound, Duration::from_millis(20)),
        say_all(&mut call, &lines)
    );
    stream.hang_up().await;
    let over = |told: &[Value]| {
        let stops = told.iter().filter(|told| told["message"]["event"] == "stop");
        stops.count() >= CLIENTS.len()
    };
    clients.until(SOON, "the end of the call", over).await;

    let known = api::call(relay.addr(), call.sid()).await;
    for client in CLIENTS {
        let on_stream = clients.received(client, STREAM);
        let start = json!({ "event": "start", "call_sid": sid, "customer_id": known.customer_id, "started_at": known.started_at });
        let stop = json!({ "event": "stop", "call_sid": sid, "ended_at": known.ended_at });
        let (first, last) = (on_stream.first(), on_stream.last());
        assert_eq!((first, last), (Some(&&start), Some(&&stop)), "{client}");
        assert!(known.ended_at.is_some());
        for channel in [STREAM, MEDIA] {
            for (track, audio) in [(Track::Inbound, &inbound), (Track::Outbound, &outbound)] {
                let mut media = clients.received(client, channel);
                media.retain(|message| message["event"] == "media" && message["track"] == track.as_str());
                // Both objects of one identifier are handed each message.
                media.dedup();
                let sent = sent(&sid, track, audio);
                assert_eq!(
                    media,
                    sent.iter().collect::<Vec<_>>(),
                    "{client} on {channel}, {track}"
                );
            }
        }
        let mut texts = clients.received(client, MEDIA);
        texts.retain(|message| message["event"] == "transcript");
        texts.dedup();
        let told: Vec<&str> = texts.iter().map(|line| line["text"].as_str().unwrap()).collect();
        let remembered = api::lines(relay.addr(), call.sid()).await;
        assert_eq!(told.len(), lines.len(), "{client}: {told:?}");
        for (line, told) in remembered.iter().zip(&texts) {
            let line = json!({
                "event": "transcript", "call_sid": sid, "track": line.track, "text": line.text, "final": true,
                "timestamp": line.at,
            });
            assert_eq!(**told, line, "{client}");
        }
        let open = clients
            .told
            .iter()
            .find(|told| told["client"] == client && told["what"] == "open");
        assert_eq!(open.unwrap()["agreed"], "actioncable-v1-json", "{client}");
        // Rejections stop the asking, and so does a confirmation for the second object.
        // Before them it may have asked again: each half second, and this machine may stand still for longer.
        for (part, what, channel) in [
            ("CA404", "rejected", STREAM),
            ("ChatChannel", "rejected", "ChatChannel"),
            (MEDIA, "connected", MEDIA),
        ] {
            assert_eq!(
                clients.asks_on(client, part, what, channel),
                0,
                "{client}: {part}"
            );
        }
        assert_eq!(
            clients.said(client, "unsubscribe", ""),
            0,
            "{client} was told something unexpected"
        );
    }
}

#[tokio::test]
async fn who_unsubscribes_hears_no_more_and_can_come_again() {
    let relay = Relay::start(&[]).await;
    let (call, stream) = api::live_call(&relay).await;
    let talk = harness::guarded::Talk::begin(stream);
    let mut clients = Clients::start(relay.addr(), "", &CLIENTS);
    let params = json!({ "call_sid": call.sid() });
    clients.all("subscribe", MEDIA, params.clone()).await;
    clients.each(&CLIENTS, "received", MEDIA, 3).await;
    clients.all("unsubscribe", MEDIA, params.clone()).await;
    harness::wait::until(SOON, "nobody to listen", async || {
        let listeners = api::call(relay.addr(), call.sid()).await.listeners;
        (listeners == 0).then_some(())
    })
    .await;
    clients.told.clear();
    clients.all("subscribe", MEDIA, params).await;
    clients.each(&CLIENTS, "connected", MEDIA, 1).await;
    clients.each(&CLIENTS, "received", MEDIA, 3).await;
    talk.end().await;
}
