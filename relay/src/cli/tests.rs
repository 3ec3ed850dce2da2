//! How `serve` ends where it cannot begin.

use std::process::ExitCode;
use std::sync::mpsc;

use tokio::runtime::Builder;

use super::{run_to_end, serve_until_told};
use crate::config::ServeArgs;
use crate::config::tests_support::secure;

#[tokio::test]
async fn a_file_that_cannot_be_used_is_a_matter_of_configuration() {
    let folder = std::env::temp_dir().join(format!("partyline-starts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (tokens, audit) = (folder.join("tokens"), folder.join("audit"));
    std::fs::write(&tokens, "[[token]]\nname = 7\n").unwrap();
    let mut config = secure("127.0.0.1:0", &[]);
    config.tokens = Some(tokens);
    assert_eq!(
        serve_until_told(config, ServeArgs::default()).await,
        ExitCode::from(2)
    );

    std::fs::write(&audit, "a letter to somebody\n").unwrap();
    let mut config = secure("127.0.0.1:0", &[]);
    (config.tokens, config.audit) = (None, Some(audit));
    assert_eq!(
        serve_until_told(config, ServeArgs::default()).await,
        ExitCode::from(2)
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

/// As a disk or a name server does.
#[test]
fn who_is_done_does_not_wait_for_what_never_answers() {
    let (answer, answered) = mpsc::sync_channel::<()>(0);
    let (begins, begun) = tokio::sync::oneshot::channel();
    let command = async move {
        tokio::task::spawn_blocking(move || {
            begins.send(()).unwrap();
            answered.recv()
        });
        begun.await.unwrap();
        ExitCode::SUCCESS
    };
    assert_eq!(
        run_to_end(Builder::new_current_thread(), command),
        ExitCode::SUCCESS
    );
    drop(answer);
}
