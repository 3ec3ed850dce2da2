//! Whole calls against a relay that remembers what it met.

mod recordings;
mod stand_in;
mod whole;

use std::collections::BTreeSet;
use std::sync::Mutex;

use partyline_shared::track::{PerTrack, Track};
use partyline_shared::twilio::form::Form;
use partyline_shared::twilio::media::{Message, decode_payload};

use super::*;
use recordings::Recordings;
use stand_in::{Habits, Seen, StandIn, header};

fn twiml(both: bool) -> String {
    let track = if both { "both_tracks" } else { "outbound_track" };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><Response><Say>Notice.</Say>
<Start><Stream url="wss://relay.example/cable?dropped=1" track="{track}" statusCallback="https://relay.example/twilio/stream"><Parameter name="customer_id" value="7"/></Stream></Start>
<Start><Transcription statusCallbackUrl="https://relay.example/twilio/transcription" partialResults="true" track="both_tracks"/></Start>
<Dial callerId="+12125550100"><Number url="https://relay.example/twilio/notice" statusCallback="https://relay.example/twilio/status" statusCallbackEvent="initiated ringing answered completed">+12125550123</Number></Dial></Response>"#
    )
}

/// Plays to the end and returns what was reported.
async fn played(args: Args, account: Account) -> (Result<(), Error>, Vec<String>) {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let report = {
        let told = told.clone();
        move |progress: Progress<'_>| {
            told.lock().unwrap().push(match progress {
                Progress::Started(_) => "started".into(),
                Progress::Ended(_) => "ended".into(),
                Progress::Unwritten(_) => "unwritten".into(),
                Progress::Failed(_, why) => why.to_string(),
            });
        }
    };
    let over = play(args, account, CancellationToken::new(), report).await;
    let told = told.lock().unwrap().clone();
    (over, told)
}

async fn relay() -> StandIn {
    let twiml = twiml(true);
    StandIn::new(Habits {
        twiml,
        ..Habits::default()
    })
    .await
}

fn values<'a>(forms: &'a [Form], name: &str) -> Vec<&'a str> {
    forms.iter().map(|form| form.get(name).unwrap_or("")).collect()
}

/// Each track's audio joined, and the chunks in order of arrival.
fn media(texts: &[String]) -> (PerTrack<Vec<u8>>, Vec<(Track, u64)>) {
    let (mut heard, mut chunks) = (PerTrack::<Vec<u8>>::default(), Vec::new());
    for text in texts {
        let Some(media) = Message::parse(text).unwrap().media else {
            continue;
        };
        let track = Track::parse(&media.track.unwrap()).unwrap();
        let mut audio = Vec::new();
        decode_payload(&media.payload, &mut audio).unwrap();
        assert_eq!(audio.len(), 160);
        heard.get_mut(track).extend(audio);
        let whole: serde_json::Value = serde_json::from_str(text).unwrap();
        chunks.push((track, whole["media"]["chunk"].as_str().unwrap().parse().unwrap()));
    }
    (heard, chunks)
}

#[tokio::test]
async fn chunks_count_over_both_tracks_when_asked_and_one_track_is_one() {
    let recordings = Recordings::new("chunks");
    let relay = relay().await;
    let mut args = recordings.args(&relay);
    args.chunks = Chunks::Global;
    args.duration = Some(Duration::from_millis(100));
    played(args, Account::default()).await.0.unwrap();
    let (_, chunks) = media(&relay.texts());
    assert_eq!(
        chunks.iter().map(|(_, n)| *n).collect::<Vec<_>>(),
        (1..=10).collect::<Vec<_>>()
    );

    let one = StandIn::new(Habits {
        twiml: twiml(false),
        ..Habits::default()
    })
    .await;
    let mut args = recordings.args(&one);
    args.duration = Some(Duration::from_millis(60));
    args.from = "+12125550199".into();
    args.customer_id = Some("a b".into());
    played(args, Account::default()).await.0.unwrap();
    let (heard, chunks) = media(&one.texts());
    assert_eq!(
        chunks,
        [(Track::Outbound, 1), (Track::Outbound, 2), (Track::Outbound, 3)]
    );
    assert_eq!(
        heard.outbound,
        recordings.agent[..480],
        "who is called by a number is the agent"
    );
    assert_eq!(one.posted("/twilio/voice?customer_id=a+b").len(), 1);
}

#[tokio::test]
async fn check_is_content_only_when_all_arrived() {
    let recordings = Recordings::new("check");
    let relay = relay().await;
    let mut args = recordings.args(&relay);
    args.check = true;
    let (over, told) = played(args, Account::default()).await;
    over.unwrap();
    assert_eq!(told, ["started", "ended"]);
    let place = |is: fn(&Seen) -> bool| relay.seen().iter().position(is).unwrap();
    let subscribed = place(|seen| matches!(seen, Seen::Subscribed));
    let streamed = place(|seen| matches!(seen, Seen::Upgrade { path, .. } if path == "/cable"));
    assert!(
        subscribed < streamed,
        "nothing is sent before the listener is there"
    );

    let relay = StandIn::new(Habits {
        twiml: twiml(true),
        loses_frame: Some(9),
        ..Habits::default()
    })
    .await;
    let mut args = recordings.args(&relay);
    args.check = true;
    let (over, _) = played(args, Account::default()).await;
    let why = over.unwrap_err();
    assert!(!why.is_usage());
    assert!(
        why.to_string()
            .contains("of 32 frames and 2 lines sent: 1 frames are missing"),
        "{why}"
    );
}

#[tokio::test]
async fn several_calls_are_several() {
    let recordings = Recordings::new("several");
    let relay = relay().await;
    let mut args = recordings.args(&relay);
    args.calls = 3;
    let (over, told) = played(args, Account::default()).await;
    over.unwrap();
    assert_eq!(told.iter().filter(|what| *what == "ended").count(), 3);
    let voice = relay.posted("/twilio/voice");
    assert_eq!(values(&voice, "CallSid").iter().collect::<BTreeSet<_>>().len(), 3);
}

#[tokio::test]
async fn a_refused_call_says_why_and_still_ends() {
    let twiml = "<Response><Say>Sorry.</Say><Hangup/></Response>".to_owned();
    let relay = StandIn::new(Habits {
        twiml,
        ..Habits::default()
    })
    .await;
    let (over, told) = played(Args::new(relay.url.clone()), Account::default()).await;
    assert!(over.unwrap_err().to_string().contains("1 of 1 calls failed"));
    let why = "the relay refused the call: its TwiML says \"Sorry.\" and hangs up: its log has the reason";
    assert!(told.len() == 1 && told[0].starts_with(why), "{told:?}");
    assert_eq!(
        values(&relay.posted("/twilio/status"), "CallStatus"),
        ["completed"]
    );
}

#[tokio::test]
async fn a_call_without_a_stream_goes_through_and_is_told() {
    let twiml = "<Response><Dial>+12125550123</Dial></Response>".to_owned();
    let relay = StandIn::new(Habits {
        twiml,
        ..Habits::default()
    })
    .await;
    let mut args = Args::new(relay.url.clone());
    args.duration = Some(Duration::from_millis(20));
    let (_, told) = played(args, Account::default()).await;
    assert_eq!(told[0], "started");
    assert!(told[1].contains("without <Start><Stream>"), "{told:?}");
}

#[tokio::test]
async fn a_closed_stream_is_an_error_that_the_relay_is_told_of() {
    let recordings = Recordings::new("closed");
    let habits = Habits {
        twiml: twiml(true),
        closes_after: Some(3),
        ..Habits::default()
    };
    let relay = StandIn::new(habits).await;
    let (_, told) = played(recordings.args(&relay), Account::default()).await;
    assert!(told[1].contains("31921"), "{told:?}");
    let stream = relay.posted("/twilio/stream");
    assert_eq!(values(&stream, "StreamEvent"), ["stream-started", "stream-error"]);
    assert!(values(&stream, "StreamError")[1].contains("31921"));
    assert_eq!(
        values(&relay.posted("/twilio/status"), "CallStatus").last(),
        Some(&"completed")
    );
}

#[tokio::test]
async fn a_hang_up_ends_an_endless_call_properly() {
    let recordings = Recordings::new("endless");
    let relay = relay().await;
    let mut args = recordings.args(&relay);
    args.repeat = true;
    let stop = CancellationToken::new();
    let playing = tokio::spawn(play(args, Account::default(), stop.clone(), |_| {}));
    // The 17th frame of a track of 16 is the first of the second round.
    let far = |seen: &Seen| matches!(seen, Seen::Text(text) if text.contains(r#""sequenceNumber":"40""#));
    relay.until("the 40th message", far).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), playing)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let texts = relay.texts();
    assert!(texts.last().unwrap().contains(r#""event":"stop""#));
    let (heard, _) = media(&texts);
    assert_eq!(heard.inbound[16 * 160..17 * 160], recordings.agent[..160]);
    let lines = relay.posted("/twilio/transcription");
    assert_eq!(
        *values(&lines, "TranscriptionEvent").last().unwrap(),
        "transcription-stopped"
    );
    assert_eq!(
        values(&relay.posted("/twilio/status"), "CallStatus").last(),
        Some(&"completed")
    );
}

#[tokio::test]
async fn nobody_there_is_said() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let (over, told) = played(Args::new(format!("http://{gone}")), Account::default()).await;
    assert!(!over.unwrap_err().is_usage());
    assert!(told[0].contains("is the relay running there?"), "{told:?}");
}
