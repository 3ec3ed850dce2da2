//! Who may hold a call back: by HTTP, and by `partyline pause` and `resume` with their exit codes.

use ::http::Method;
use harness::guarded::Guarded;
use harness::wait::SOON;
use harness::{http, supervisor};

#[tokio::test]
async fn it_takes_the_call_and_the_right_and_each_refusal_is_what_it_is() {
    let guarded = Guarded::new();
    let add = async |name: &str, customer: &str, more: &[&str]| {
        let args = [&["--role", "user", "--customer", customer], more].concat();
        guarded.token(name, &args).await
    };
    let plain = add("plain", "7", &["--allow", "save"]).await;
    let other = add("other", "8", &["--allow", "pause"]).await;
    let dave = add("dave", "7", &["--allow", "pause"]).await;
    let guarded = guarded.start(&[]).await;
    let (call, _stream) = guarded.live_call("7").await;
    let sid = call.sid().to_string();
    guarded.is_live(call.sid(), &dave).await;
    let path = format!("/api/v1/calls/{sid}/pause");
    let nobody = guarded
        .ask(
            Method::POST,
            "/api/v1/calls/CA00000000000000000000000000000000/pause",
            &other,
        )
        .await
        .expect(404);
    let refused = guarded.ask(Method::POST, &path, &other).await.expect(404);
    assert_eq!(refused.text(), nobody.text(), "as one that does not exist");
    let refused = guarded.ask(Method::POST, &path, &plain).await.expect(403);
    assert_eq!(refused.json()["error"]["code"], "not_allowed");
    http::send(guarded.addr(), Method::POST, &path, &[], "")
        .await
        .expect(401);
    guarded.ask(Method::GET, &path, &dave).await.expect(405);

    let run = async |token: &str, args: &[&str], code: i32| {
        let file = guarded.token_file(token);
        let args = [args, &["--token-file", &file]].concat();
        supervisor::start(&guarded.url(), &args)
            .finish(SOON)
            .await
            .expect_code(code)
    };
    run(&plain, &["pause", &sid], 3).await;
    run(&other, &["pause", &sid], 4).await;
    let said = run(&dave, &["pause", &sid, "--read-only"], 2).await;
    assert!(said.stderr.contains("read-only"), "{}", said.stderr);
    let paused = run(&dave, &["pause", &sid], 0).await;
    assert!(paused.text().contains("paused") && paused.text().contains(&sid));
    let shown = guarded
        .ask(Method::GET, &format!("/api/v1/calls/{sid}"), &plain)
        .await;
    assert_eq!(shown.json()["paused"], true, "for everybody");
    let resumed = run(&dave, &["resume", &sid, "--json"], 0).await;
    assert_eq!(resumed.json_lines()[0]["paused"], false);
    let on_record: Vec<_> = guarded
        .audit()
        .into_iter()
        .filter(|line| line["call_sid"] == sid.as_str())
        .map(|line| format!("{} {}", line["event"], line["who"]).replace('"', ""))
        .collect();
    assert_eq!(
        on_record,
        ["refused plain", "refused plain", "pause dave", "resume dave"]
    );
}
