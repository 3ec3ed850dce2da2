//! Whole configurations, out of a made-up command line, environment and files.

mod access;
mod dial;
mod layers;
mod print;
mod values;

use std::collections::BTreeMap;

use super::*;

/// A command line, an environment and files, all made up.
#[derive(Default)]
struct World {
    args: ServeArgs,
    env: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<&'static str, String>,
}

impl World {
    /// The least that serves.
    fn insecure() -> World {
        World {
            args: ServeArgs {
                insecure: Some("true".into()),
                ..ServeArgs::default()
            },
            ..World::default()
        }
    }

    fn file(mut self, text: &str) -> World {
        self.args.config = Some("relay.toml".into());
        self.files.insert("relay.toml", text.to_owned());
        self
    }

    fn env(mut self, name: &'static str, value: &'static str) -> World {
        self.env.insert(name, value);
        self
    }

    fn args(mut self, change: impl FnOnce(&mut ServeArgs)) -> World {
        change(&mut self.args);
        self
    }

    fn load(&self) -> Result<Config, Problems> {
        let read_file = |path: &Path| {
            let text = path.to_str().and_then(|path| self.files.get(path));
            text.cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        Config::load(
            &self.args,
            &|name| self.env.get(name).map(|v| (*v).to_owned()),
            &read_file,
        )
    }

    #[track_caller]
    fn good(&self) -> Config {
        self.load().unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[track_caller]
    fn told(&self) -> String {
        self.load().expect_err("this should not be taken").to_string()
    }
}

/// The tokens that a request of `account` may be signed with.
fn tokens(config: &Config, account: Option<&str>) -> Vec<String> {
    config
        .accounts
        .tokens_of(account)
        .iter()
        .map(|s| s.expose().to_owned())
        .collect()
}

const AC1: &str = "AC11111111111111111111111111111111";
const AC2: &str = "AC22222222222222222222222222222222";
