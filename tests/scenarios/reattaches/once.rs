//! What acted once before a kill acts no more after it: a webhook that somebody caught, a pass that was shown.

use harness::TwilioCall;
use harness::guarded::Guarded;
use harness::rest::Rest;
use harness::signed::{ORIGIN, TOKEN};
use harness::twilio::pass;
use harness::wait::{SOON, until};

/// Bytes of the file's head, and of one mark.
const HEAD: u64 = 17;
const MARK: u64 = 25;

#[tokio::test]
async fn webhooks_and_passes_act_once_also_across_a_restart() {
    let rest = Rest::start().await;
    let guarded = Guarded::new();
    let token = guarded.token("admin", &["--role", "admin"]).await;
    let (state, url) = (guarded.path("calls.state"), rest.url());
    let flags = ["--twilio-api", &url, "--state", &state];
    let guarded = guarded.start(&flags).await;
    let mut call = TwilioCall::at(guarded.addr());
    call.signs = Some((TOKEN, ORIGIN));
    let first = call.webhook(&[]).await.expect(200);
    let pass = pass(&first);
    let callback = call.voice_form("in-progress", &[("CallbackSource", "call-progress-events")]);
    call.post("/twilio/status", &callback).await.expect(204);
    let mut stream = call.open_stream().await;
    stream.connected().await;
    stream.start(&[("partyline_pass", &pass)]).await;
    guarded.is_live(call.sid(), &token).await;
    until(SOON, "three marks on disk", async || {
        let length = std::fs::metadata(format!("{state}.seen")).map_or(0, |meta| meta.len());
        (length == HEAD + 3 * MARK).then_some(())
    })
    .await;

    let guarded = guarded.kill().await;
    drop(stream);
    // Twilio knows nothing of this call any more, so that only what is sent again could bring it back.
    let guarded = guarded.start(&flags).await;
    rest.until_asked("the call to be looked for", |asked| !asked.is_empty())
        .await;
    call.aim(guarded.addr());
    let again = call.webhook(&[]).await.expect(200);
    assert!(
        again.text().contains("<Dial") && !again.text().contains("<Start"),
        "{}",
        again.text()
    );
    assert!(!again.text().contains("partyline_pass"));
    call.post("/twilio/status", &callback).await.expect(204);
    let mut stream = call.open_stream().await;
    stream.connected().await;
    stream.start(&[("partyline_pass", &pass)]).await;
    assert_eq!(stream.closed().await, Some(1008));
    let listener = guarded.listen(&token).await;
    assert!(listener.calls.is_empty(), "nothing of it was done");
    // Twilio's next word about it is another one, and is taken.
    call.status("completed", &[]).await.expect(204);
    let path = format!("/api/v1/calls/{}", call.sid());
    guarded.ask(::http::Method::GET, &path, &token).await.expect(200);
}
