//! How `serve` ends where it cannot begin.

use std::process::ExitCode;

use super::serve_until_told;
use crate::config::tests_support::secure;

#[tokio::test]
async fn a_file_that_cannot_be_used_is_a_matter_of_configuration() {
    let folder = std::env::temp_dir().join(format!("partyline-starts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (tokens, audit) = (folder.join("tokens"), folder.join("audit"));
    std::fs::write(&tokens, "[[token]]\nname = 7\n").unwrap();
    let mut config = secure("127.0.0.1:0", &[]);
    config.tokens = Some(tokens);
    assert_eq!(serve_until_told(config).await, ExitCode::from(2));

    std::fs::write(&audit, "a letter to somebody\n").unwrap();
    let mut config = secure("127.0.0.1:0", &[]);
    (config.tokens, config.audit) = (None, Some(audit));
    assert_eq!(serve_until_told(config).await, ExitCode::from(2));
    std::fs::remove_dir_all(&folder).unwrap();
}
