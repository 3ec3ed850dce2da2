//! One whole call, message for message.

use super::*;
use crate::twilio::signature;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_relay_meets_all_that_twilio_does_and_in_its_order() {
    let recordings = Recordings::new("whole");
    let relay = relay().await;
    let mut args = recordings.args(&relay);
    args.public_url = Some("https://relay.example".into());
    args.customer_id = Some("12345".into());
    let account = Account {
        sid: None,
        token: Some(TOKEN.into()),
    };
    let (over, told) = played(args, account).await;
    over.unwrap();
    assert_eq!(told, ["started", "ended"]);

    let seen = relay.seen();
    let Some(Seen::Post { head, path, form }) = seen.first() else {
        panic!("{seen:?}")
    };
    assert_eq!(
        (path.as_str(), form.get("customer_id")),
        ("/twilio/voice", Some("12345"))
    );
    for (name, value) in [
        ("user-agent", "TwilioProxy/1.1".to_owned()),
        ("accept", "*/*".to_owned()),
        (
            "content-type",
            "application/x-www-form-urlencoded; charset=UTF-8".to_owned(),
        ),
        (
            "x-twilio-signature",
            signature::sign(TOKEN, "https://relay.example/twilio/voice", form),
        ),
        ("host", relay.url.replace("http://", "")),
    ] {
        assert_eq!(header(head, name), Some(value), "{name}");
    }
    assert_eq!(header(head, "i-twilio-idempotency-token").unwrap().len(), 36);
    let sid = form.get("CallSid").unwrap().to_owned();

    let upgrade = seen.iter().find_map(|seen| match seen {
        Seen::Upgrade { head, path } => Some((head, path)),
        _ => None,
    });
    let (head, path) = upgrade.unwrap();
    assert_eq!(path, "/cable", "the query is dropped");
    let names: BTreeSet<String> = head
        .lines()
        .skip(1)
        .filter_map(|l| Some(l.split_once(':')?.0.to_lowercase()))
        .collect();
    let exactly = [
        "connection",
        "host",
        "sec-websocket-key",
        "sec-websocket-version",
        "upgrade",
        "user-agent",
        "x-twilio-signature",
    ];
    assert_eq!(names, exactly.map(str::to_owned).into());
    assert_eq!(header(head, "user-agent").unwrap(), "Twilio.TmeWs/1.0");
    assert_eq!(
        header(head, "x-twilio-signature").unwrap(),
        signature::sign(TOKEN, "wss://relay.example/cable", &Form::default())
    );

    let texts = relay.texts();
    assert_eq!(
        texts[0],
        r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#
    );
    assert!(
        texts[1].starts_with(r#"{"event":"start","sequenceNumber":"1","#),
        "{}",
        texts[1]
    );
    assert!(texts[1].contains(r#""tracks":["inbound","outbound"]"#));
    assert!(texts[1].contains(r#""customParameters":{"customer_id":"7"}"#));
    assert!(
        texts
            .last()
            .unwrap()
            .starts_with(r#"{"event":"stop","sequenceNumber":"34","#)
    );
    for (number, text) in texts.iter().enumerate().skip(1) {
        assert_eq!(Message::parse(text).unwrap().sequence_number, Some(number as u64));
    }
    let (heard, _) = media(&texts);
    let (agent, customer) = (heard.inbound, heard.outbound);
    assert_eq!(
        (agent.len(), customer.len()),
        (16 * 160, 16 * 160),
        "2500 bytes are 16 frames"
    );
    assert_eq!(agent[..2500], recordings.agent);
    assert!(agent[2500..].iter().all(|b| *b == 0xff));
    assert_eq!(customer[..1600], recordings.customer);
    assert!(customer[1600..].iter().all(|b| matches!(b, 0xff | 0x7f)));

    let place = |is: &dyn Fn(&Seen) -> bool| seen.iter().position(is).unwrap();
    let post = |path: &str, name: &str, value: &str| {
        place(
            &|seen| matches!(seen, Seen::Post { path: p, form, .. } if p == path && form.get(name) == Some(value)),
        )
    };
    let closed = place(&|seen| matches!(seen, Seen::Closed { code: None }));
    let stop = place(&|seen| matches!(seen, Seen::Text(text) if text.contains(r#""event":"stop""#)));
    assert!(stop < closed);
    let stopped = post("/twilio/stream", "StreamEvent", "stream-stopped");
    assert!(closed < stopped && stopped < seen.len() - 1);
    assert!(matches!(seen.last().unwrap(), Seen::Post { form, .. } if form.get("CallSid") == Some(&sid)));

    let status = relay.posted("/twilio/status");
    assert_eq!(
        values(&status, "CallStatus"),
        ["initiated", "ringing", "in-progress", "completed", "completed"]
    );
    assert_eq!(values(&status, "SequenceNumber"), ["0", "1", "2", "3", "0"]);
    assert_eq!(values(&status, "ParentCallSid"), [&sid, &sid, &sid, &sid, ""]);
    assert_eq!(values(&status, "Direction")[3..], ["outbound-dial", "inbound"]);
    assert_eq!(values(&status, "From")[3..], ["+12125550100", "client:agent"]);
    assert_eq!(values(&status, "Duration"), ["", "", "", "1", "1"]);
    assert!(values(&status, "CallDuration")[4].parse::<u64>().unwrap() >= 1);
    assert!(values(&status, "Timestamp").iter().all(|t| t.ends_with("+0000")));
    assert!(
        post("/twilio/notice", "Direction", "outbound-dial")
            < post("/twilio/status", "CallStatus", "in-progress")
    );

    let lines = relay.posted("/twilio/transcription");
    let numbers: Vec<String> = (1..=lines.len()).map(|n| n.to_string()).collect();
    assert_eq!(values(&lines, "SequenceId"), numbers);
    assert_eq!(values(&lines, "TranscriptionEvent")[0], "transcription-started");
    assert_eq!(
        *values(&lines, "TranscriptionEvent").last().unwrap(),
        "transcription-stopped"
    );
    let finals: Vec<_> = lines
        .iter()
        .filter(|form| form.get("Final") == Some("true"))
        .map(|form| {
            let data: serde_json::Value =
                serde_json::from_str(form.get("TranscriptionData").unwrap()).unwrap();
            assert!(data["confidence"].is_f64());
            (
                form.get("Track").unwrap(),
                data["transcript"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(
        finals,
        [
            ("outbound_track", "three".to_owned()),
            ("inbound_track", "one two".to_owned())
        ]
    );
    let partial = lines
        .iter()
        .find(|form| form.get("Final") == Some("false"))
        .unwrap();
    assert_eq!(partial.get("TranscriptionData"), Some(r#"{"transcript":"one"}"#));
}
