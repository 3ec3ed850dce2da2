//! Chromium, headless, and a story of `tests/page` in it: what the story says comes as JSON, a line each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::packages;
use crate::program::{Finished, Program};

/// A browser starts, and does what takes a person a minute; slowly, where all stories run at once.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with a story in it; it is gone with this.
pub struct Browser(Program);

impl Browser {
    /// Starts `tests/page/STORY.mjs`, which is told what it `wants`.
    pub fn start(story: &str, wants: &Value) -> Browser {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("page/{story}.mjs"));
        let packages = packages::node("page");
        let shots = shots(&packages);
        let env = [
            ("STORY", wants.to_string()),
            ("PACKAGES", packages.display().to_string()),
            ("SHOTS", shots.display().to_string()),
        ];
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Browser(Program::start(Path::new("node"), [script], &env))
    }

    /// Waits until it says `what`; gives all of that line.
    pub async fn says(&self, what: &str) -> Value {
        let begins = format!(r#"{{"what":"{what}""#);
        let line = self
            .0
            .line(PATIENCE, what, |line| line.starts_with(&begins))
            .await;
        serde_json::from_str(&line).expect("the story says JSON")
    }

    /// Waits for its end, which has to be a good one.
    pub async fn ended(self) -> Finished {
        self.0.finish(PATIENCE).await.expect_code(0)
    }
}

/// Where pictures for people go: `target/page-shots`.
fn shots(packages: &Path) -> PathBuf {
    packages.with_file_name("page-shots")
}

/// What a page was heard to play: its samples, and their rate.
pub fn samples(heard: &Value) -> (Vec<f32>, u32) {
    let text = heard["samples"].as_str().expect("samples");
    let bytes = STANDARD.decode(text).expect("base64");
    let samples = bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four));
    let rate = heard["rate"].as_u64().and_then(|rate| rate.try_into().ok());
    (samples.collect(), rate.expect("a rate"))
}
