//! Tokens as an attacker, a provider and a clock make them. Keys are made here or are in `tests`, where their
//! names say that they are for nothing else.

mod attacks;
mod claims;
mod forge;
mod keys;
mod noise;
mod provider;
mod reread;
mod rotation;

use std::path::PathBuf;
use std::sync::Arc;

use partyline_shared::time::UtcTime;
use serde_json::{Value, json};

use super::{Jwt, KeySource, Settings};

/// When all of it happens.
const NOW: i64 = 1_795_338_000;

fn now() -> UtcTime {
    UtcTime::from_unix_ms(NOW * 1000)
}

/// A file that goes when the test does.
struct Scratch(PathBuf);

impl Scratch {
    fn new(bytes: impl AsRef<[u8]>) -> Scratch {
        let name = format!("partyline-jwt-{:032x}", rand::random::<u128>());
        let scratch = Scratch(std::env::temp_dir().join(name));
        scratch.write(bytes);
        scratch
    }

    fn write(&self, bytes: impl AsRef<[u8]>) {
        std::fs::write(&self.0, bytes).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn key_set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// As an operator sets it up who leaves nothing out; the secret where there is one.
fn settings(jwks: &Scratch, secret: Option<&Scratch>) -> Settings {
    Settings {
        jwks: Some(KeySource::File(jwks.0.clone())),
        secret_file: secret.map(|file| file.0.clone()),
        issuer: Some("https://login.example/".to_owned()),
        audience: Some("partyline".to_owned()),
    }
}

/// With these keys for good, since their file goes; running, so that a look can be asked for.
fn with_keys(keys: &[Value]) -> Arc<Jwt> {
    running(settings(&Scratch::new(key_set(keys)), None))
}

fn running(settings: Settings) -> Arc<Jwt> {
    let jwt = Jwt::new(settings).unwrap();
    tokio::spawn(jwt.clone().run(std::future::pending()));
    jwt
}
