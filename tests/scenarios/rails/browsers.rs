//! Browsers of Rails 6.1: who is there from the beginning, and who comes later.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::cable::Clients;
use harness::rails::Rails;
use harness::wait::{SOON, until};
use harness::{Record, Redis, TwilioCall, api, speech};
use partyline_shared::audio::FRAME_BYTES;
use partyline_shared::track::Track;
use partyline_shared::twilio::media::put_payload;
use serde_json::{Value, json};

use super::{PREFIX, publishing};

/// Rails' own client.
const BROWSER: &str = "rails61";
const STREAM: &str = "CallStreamChannel";
const MEDIA: &str = "TwilioMediaChannel";

/// How long the two talk, ms.
const TALK: usize = 1_200;

/// Track and chunk to payload.
type Heard = BTreeMap<(String, u32), String>;

/// What one browser heard on a channel. Rails' threads disorder it, so it is put in order here; that nothing comes twice
/// is looked at.
fn heard(browsers: &Clients, browser: &str, channel: &str) -> Heard {
    let mut heard = Heard::new();
    for media in browsers
        .received(browser, channel)
        .into_iter()
        .filter(|said| said["event"] == "media")
    {
        let text = |key: &str| media[key].as_str().expect("a text").to_owned();
        let at = (text("track"), text("chunk").parse().expect("a number"));
        assert_eq!(
            heard.insert(at.clone(), text("payload")),
            None,
            "{at:?} came twice"
        );
    }
    heard
}

/// What was said, as it is to be heard.
fn said(tracks: [(Track, &[u8]); 2]) -> Heard {
    let mut said = Heard::new();
    for (track, audio) in tracks {
        for (n, frame) in audio.chunks(FRAME_BYTES).enumerate() {
            let mut payload = Vec::new();
            put_payload(frame, &mut payload);
            let payload = String::from_utf8(payload).expect("base64");
            said.insert((track.as_str().to_owned(), n as u32 + 1), payload);
        }
    }
    said
}

fn events<'b>(browsers: &'b Clients, browser: &str, channel: &str, event: &str) -> Vec<&'b Value> {
    let mut told = browsers.received(browser, channel);
    told.retain(|said| said["event"] == event);
    told
}

#[tokio::test]
async fn a_browser_of_rails_gets_all_of_a_call_once_whichever_relay_has_it() {
    let redis = Redis::start().await;
    let record = Record::new();
    let audit = record.audit().display().to_string();
    let (url, on_record) = (redis.url(), ["--audit", &*audit]);
    let (relay, other, rails) = tokio::join!(
        publishing(&redis, &on_record),
        publishing(&redis, &[]),
        Rails::start(&url, PREFIX)
    );
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[("customer_id", "12345")]).await.expect(200);
    let sid = call.sid().clone();
    let mut browsers = Clients::start(rails.addr(), "", &[BROWSER]);
    browsers
        .all("subscribe", STREAM, json!({ "call_id": sid.as_str() }))
        .await;
    browsers
        .all("subscribe", MEDIA, json!({ "call_sid": sid.as_str() }))
        .await;
    browsers.each(&[BROWSER], "connected", STREAM, 1).await;
    browsers.each(&[BROWSER], "connected", MEDIA, 1).await;

    let mut stream = call.live_stream().await;
    let [inbound, outbound] = [0, 1].map(|n| speech::piece(speech::LONG[n], 0, TALK));
    let say = async {
        for n in 0..3 {
            call.says(Track::Inbound, &format!("line {n} <b>& é"), true)
                .await
                .expect(204);
        }
    };
    tokio::join!(stream.play(&inbound, &outbound, Duration::from_millis(20)), say);
    stream.hang_up().await;
    let all = said([(Track::Inbound, &inbound), (Track::Outbound, &outbound)]);
    let done = |told: &[Value]| {
        let of = |event: &str| {
            told.iter()
                .filter(|told| told["message"]["event"] == event)
                .count()
        };
        of("stop") >= 1 && of("media") >= 2 * all.len() && of("transcript") >= 3
    };
    browsers.until(SOON, "all of the call", done).await;

    for channel in [STREAM, MEDIA] {
        assert!(
            heard(&browsers, BROWSER, channel) == all,
            "{channel}: every chunk, byte for byte"
        );
    }
    let known = api::call(relay.addr(), &sid).await;
    let start =
        json!({ "event": "start", "call_sid": sid, "customer_id": "12345", "started_at": known.started_at });
    let stop = json!({ "event": "stop", "call_sid": sid, "ended_at": known.ended_at });
    assert_eq!(events(&browsers, BROWSER, STREAM, "start"), [&start]);
    assert_eq!(events(&browsers, BROWSER, STREAM, "stop"), [&stop]);
    let mut lines: Vec<&str> = events(&browsers, BROWSER, MEDIA, "transcript")
        .iter()
        .map(|line| line["text"].as_str().expect("text"))
        .collect();
    lines.sort_unstable();
    assert_eq!(lines, ["line 0 <b>& é", "line 1 <b>& é", "line 2 <b>& é"]);
    // Nobody is a listener by that.
    assert_eq!(known.listeners, 0);
    drop(other);
}

#[tokio::test]
async fn a_browser_that_comes_later_is_told_of_the_call_and_hears_it_and_who_is_gone_costs_nothing() {
    let redis = Redis::start().await;
    let url = redis.url();
    let (relay, rails) = tokio::join!(publishing(&redis, &[]), Rails::start(&url, PREFIX));
    let (call, mut stream) = api::live_call(&relay).await;
    let sid = call.sid().to_string();
    let quiet = redis.counted("total_net_input_bytes").await;
    stream
        .play(&[0x11; 16_000], &[0x22; 16_000], Duration::ZERO)
        .await;
    let mut browsers = Clients::start(rails.addr(), "", &[BROWSER]);
    browsers.all("subscribe", STREAM, json!({ "call_id": sid })).await;
    browsers.each(&[BROWSER], "connected", STREAM, 1).await;
    // 200 frames of both tracks, which nobody there wanted.
    let spent = redis.counted("total_net_input_bytes").await - quiet;
    assert!(spent < 200 * 400, "{spent} bytes for nobody");

    let told = |told: &[Value]| told.iter().any(|told| told["message"]["event"] == "start");
    browsers.until(SOON, "that there is a call", told).await;
    stream.play(&[0x33; 1_600], &[0x44; 1_600], Duration::ZERO).await;
    let hears = |told: &[Value]| {
        told.iter()
            .filter(|told| told["message"]["event"] == "media")
            .count()
            >= 20
    };
    browsers.until(SOON, "what is said now", hears).await;

    browsers
        .all("unsubscribe", STREAM, json!({ "call_id": sid }))
        .await;
    let channel = format!("{PREFIX}:call_stream_{sid}");
    until(SOON, "nobody to be there", async || {
        let servers = redis.ask(&["PUBSUB", "NUMSUB", &channel]).await;
        (servers[1] == 0).then_some(())
    })
    .await;
}
