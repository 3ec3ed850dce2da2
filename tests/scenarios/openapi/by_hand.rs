//! Every operation is asked for once as it should be, and for each refusal once as it should not; the answers are what
//! the document says, to the last field.

use harness::program::Program;
use harness::wait::SOON;
use partyline_shared::track::Track;

use super::*;

/// What was answered so far, by operation.
struct Notes<'s> {
    stage: &'s Stage,
    answers: Vec<Value>,
}

impl Notes<'_> {
    fn note(&mut self, operation: &str, answer: &Answer) {
        let headers = answer.headers.iter();
        let headers: Map<String, Value> = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
            .collect();
        let body = String::from_utf8_lossy(&answer.body);
        let status = answer.status.as_u16();
        self.answers
            .push(json!({ "operation": operation, "status": status, "headers": headers, "body": body }));
    }

    /// As an admin.
    async fn ask(&mut self, operation: &str, method: Method, path: &str, status: u16) -> Answer {
        self.send(operation, method, path, "", String::new(), status)
            .await
    }

    async fn send(
        &mut self,
        operation: &str,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
        status: u16,
    ) -> Answer {
        let stage = self.stage;
        let answer = stage.ask(method, path, &stage.admin, kind, body).await;
        self.note(operation, &answer);
        answer.expect(status)
    }
}

#[tokio::test]
async fn every_operation_answers_as_it_says() {
    let python = python("python");
    let stage = Stage::set().await;
    let (mut call, talk) = stage.call().await;
    let sid = call.sid().to_string();
    let mut listener = stage.relay.listen(&stage.user).await;
    listener.subscribe(call.sid()).await;
    // Who does not read what it hears is ended before it is asked for.
    let _reads = tokio::spawn(async move {
        while !listener.has_ended() {
            listener.next("anything").await;
        }
    });
    for is_final in [true, false] {
        let said = call.says(Track::Inbound, "Good morning.", is_final).await;
        said.expect(204);
    }
    let mut notes = Notes {
        stage: &stage,
        answers: Vec::new(),
    };
    reads(&mut notes, &sid).await;
    publishes(&mut notes, &sid).await;
    refuses(&mut notes, &sid).await;
    // Heard until its end.
    let path = format!("/api/v1/calls/{sid}/audio.wav");
    let end = async {
        let hears = |seen: &Value| {
            let all = seen["listeners"].as_array().unwrap();
            all.iter().any(|one| one["door"] == "api")
        };
        let path = format!("/api/v1/calls/{sid}/listeners");
        harness::wait::until(SOON, "who hears it", async || {
            let seen = stage.relay.ask(Method::GET, &path, &stage.admin).await;
            hears(&seen.expect(200).json()).then_some(())
        })
        .await;
        talk.end().await.hang_up().await;
    };
    let (heard, ()) = tokio::join!(stage.relay.ask(Method::GET, &path, &stage.admin), end);
    assert!(heard.body.starts_with(b"RIFF"), "no WAV");
    notes.note("hearCall", &heard);
    notes
        .ask("eraseCall", Method::DELETE, &format!("/api/v1/calls/{sid}"), 204)
        .await;

    let (document, answers) = (stage.relay.folder(), Value::from(notes.answers));
    let document = document.write("openapi.json", stage.document.to_string());
    let answers = stage.relay.folder().write("answers.json", answers.to_string());
    let args = [
        beside("check.py"),
        document.display().to_string(),
        answers.display().to_string(),
    ];
    let checked = Program::start(&python, args, &[]).finish(SOON).await;
    assert_eq!(checked.code, Some(0), "{}", checked.text());
}

async fn reads(notes: &mut Notes<'_>, sid: &str) {
    let get = Method::GET;
    let calls = "/api/v1/calls?status=all&limit=10&before=2099-01-01T00:00:00.000Z";
    notes.ask("listCalls", get.clone(), calls, 200).await;
    let one = format!("/api/v1/calls/{sid}");
    notes.ask("getCall", get.clone(), &one, 200).await;
    notes
        .ask("getTranscript", get.clone(), &format!("{one}/transcript"), 200)
        .await;
    let events = notes
        .ask("getEvents", get.clone(), &format!("{one}/events"), 200)
        .await;
    let journal = events.json()["journal"].as_str().unwrap().to_owned();
    let after = format!("{one}/events?after=1&journal={journal}");
    notes.ask("getEvents", get.clone(), &after, 200).await;
    notes
        .ask("listCallListeners", get.clone(), &format!("{one}/listeners"), 200)
        .await;
    notes
        .ask("createTicket", Method::POST, "/api/v1/tickets", 200)
        .await;
    for (operation, path) in [
        ("getOpenapi", DOCUMENT),
        ("getHealth", "/healthz"),
        ("getReadiness", "/readyz"),
        ("showCalls", "/calls_monitoring"),
        ("showCall", &format!("/calls_monitoring/{sid}")),
    ] {
        notes.ask(operation, get.clone(), path, 200).await;
    }
}

async fn publishes(notes: &mut Notes<'_>, sid: &str) {
    let post = Method::POST;
    let line = json!({
        "track": "outbound", "text": "And to you.", "final": true, "start_ms": 20, "end_ms": 900, "confidence": 0.5
    });
    let lines = format!("/api/v1/calls/{sid}/transcript");
    notes
        .send("addLine", post.clone(), &lines, JSON, line.to_string(), 201)
        .await;
    let line = "track=outbound&text=By+form.&final=false".to_owned();
    notes.send("addLine", post.clone(), &lines, FORM, line, 201).await;
    let seen = notes.ask("getTranscript", Method::GET, &lines, 200).await.json();
    assert_eq!(
        seen["transcript"].as_array().unwrap().last().unwrap()["text"],
        "By form."
    );
    for (operation, what, paused) in [("pauseCall", "pause", true), ("resumeCall", "resume", false)] {
        let path = format!("/api/v1/calls/{sid}/{what}");
        notes.ask(operation, post.clone(), &path, 200).await;
        let call = notes
            .ask("getCall", Method::GET, &format!("/api/v1/calls/{sid}"), 200)
            .await;
        assert_eq!(call.json()["paused"], paused);
    }
    let marks = format!("/api/v1/calls/{sid}/marks");
    notes.ask("markCall", post.clone(), &marks, 201).await;
    let mark = json!({ "text": "A refund is promised." }).to_string();
    let marked = notes
        .send("markCall", post.clone(), &marks, JSON, mark, 201)
        .await;
    let at = marked.json()["detail"]["at"].as_str().expect("when").to_owned();
    let form = format!("at={at}&text=Again.");
    notes
        .send("markCall", post.clone(), &marks, FORM, form, 201)
        .await;
    let begin = json!({ "customer_id": "777", "from": "+12125550100", "to": "sip:desk@example.com",
        "direction": "inbound", "external_id": "pbx-1" });
    let path = "/api/v1/call_streams";
    let begun = notes
        .send(
            "createCallStream",
            post.clone(),
            path,
            JSON,
            begin.to_string(),
            201,
        )
        .await;
    let form = "customer_id=777&external_id=pbx-1".to_owned();
    let again = notes
        .send("createCallStream", post.clone(), path, FORM, form, 201)
        .await;
    assert_eq!(begun.json()["call_sid"], again.json()["call_sid"]);
    let source = &begun.json()["call_sid"];
    let audio = json!({ "call_sid": source, "track": "inbound", "payload": "/////w==" });
    let path = "/api/v1/call_streams/stream";
    notes
        .send("streamAudio", post.clone(), path, JSON, audio.to_string(), 202)
        .await;
    let path = "/api/v1/call_streams/complete";
    let end = json!({ "call_sid": source }).to_string();
    notes.send("completeCallStream", post, path, JSON, end, 200).await;
}

async fn refuses(notes: &mut Notes<'_>, sid: &str) {
    let stage = notes.stage;
    let (get, post) = (Method::GET, Method::POST);
    for wrong in ["limit=0", "limit=1&limit=2", "status=", "before=now"] {
        notes
            .ask("listCalls", get.clone(), &format!("/api/v1/calls?{wrong}"), 400)
            .await;
    }
    notes.ask("getCall", get.clone(), "/api/v1/calls/CA0", 404).await;
    notes
        .ask("listListeners", Method::PUT, "/api/v1/listeners", 405)
        .await;
    let nobody = http::get(stage.relay.addr(), "/api/v1/calls").await.expect(401);
    notes.note("listCalls", &nobody);
    let foreign = [("origin", "https://elsewhere.example")];
    let foreign = http::send(stage.relay.addr(), get.clone(), DOCUMENT, &foreign, "").await;
    notes.note("getOpenapi", &foreign.expect(403));
    let hers = stage
        .relay
        .ask(get, "/api/v1/listeners", &stage.user)
        .await
        .expect(403);
    notes.note("listListeners", &hers);
    let lines = format!("/api/v1/calls/{sid}/transcript");
    let line = json!({ "track": "inbound", "text": "x".repeat(128 << 10), "final": true });
    notes
        .send("addLine", post.clone(), &lines, JSON, line.to_string(), 413)
        .await;
    notes
        .send(
            "addLine",
            post.clone(),
            &lines,
            "text/plain",
            "Hello".to_owned(),
            415,
        )
        .await;
    notes
        .send("addLine", post.clone(), &lines, JSON, "{".to_owned(), 400)
        .await;
    let marks = format!("/api/v1/calls/{sid}/marks");
    let early = r#"{"at":"2001-01-01T00:00:00.000Z"}"#.to_owned();
    notes
        .send("markCall", post.clone(), &marks, JSON, early, 400)
        .await;
    let marks = "/api/v1/calls/CA0/marks";
    notes.ask("markCall", post.clone(), marks, 404).await;
    // More than two seconds at once.
    let source = stage.source().await;
    let payload = format!("{}{}", "/".repeat(4 * 8_000), "/////w==");
    let audio = json!({ "call_sid": source, "track": "inbound", "payload": payload }).to_string();
    let path = "/api/v1/call_streams/stream";
    let mut sent = 0;
    let refused = loop {
        let answer = stage
            .ask(post.clone(), path, &stage.admin, JSON, audio.clone())
            .await;
        if answer.status != 202 {
            break answer;
        }
        sent += 1;
        assert!(sent < 10, "half a minute ahead, and nothing is refused");
    };
    notes.note("streamAudio", &refused.expect(429));
    let all = notes
        .ask("listListeners", Method::GET, "/api/v1/listeners", 200)
        .await
        .json();
    let id = all["listeners"][0]["id"].as_str().unwrap().to_owned();
    let one = format!("/api/v1/listeners/{id}");
    notes.ask("endListener", Method::DELETE, &one, 204).await;
    notes
        .ask(
            "endListener",
            Method::DELETE,
            "/api/v1/listeners/0123456789abcdef",
            404,
        )
        .await;
}
