//! The description of the API, `/api/v1/openapi.json`, is true: what it says is answered, and nothing else is, whether
//! asked by hand, by what schemathesis draws, or by what nobody should send.

mod by_hand;
mod drawn;
mod readme;
mod refusals;

use std::path::{Path, PathBuf};

use ::http::Method;
use harness::guarded::{Guarded, Talk};
use harness::http::{self, Answer};
use harness::{MediaSocket, TwilioCall, packages};
use serde_json::{Map, Value, json};

const DOCUMENT: &str = "/api/v1/openapi.json";

/// A relay with the tokens that its API knows.
struct Stage {
    relay: Guarded,
    admin: String,
    user: String,
    /// What it says of itself.
    document: Value,
}

impl Stage {
    async fn set() -> Stage {
        let relay = Guarded::new();
        let admin = relay.token("root", &["--role", "admin"]).await;
        let user = relay
            .token("alice", &["--role", "user", "--customer", "777"])
            .await;
        let relay = relay.start(&[]).await;
        // Nobody has to say who they are.
        let document = http::get(relay.addr(), DOCUMENT).await.expect(200).json();
        Stage {
            relay,
            admin,
            user,
            document,
        }
    }

    /// A call with people on it who talk.
    async fn call(&self) -> (TwilioCall, Talk) {
        let (call, stream): (TwilioCall, MediaSocket) = self.relay.live_call("777").await;
        self.relay.is_live(call.sid(), &self.admin).await;
        (call, Talk::begin(stream))
    }

    /// A request as this token's bearer; `kind` is its body's.
    async fn ask(&self, method: Method, path: &str, token: &str, kind: &str, body: String) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        if !kind.is_empty() {
            headers.push(("content-type", kind));
        }
        http::send(self.relay.addr(), method, path, &headers, body).await
    }

    /// A call that is not Twilio's, by its name.
    async fn source(&self) -> String {
        let begin = json!({ "customer_id": "777" }).to_string();
        let path = "/api/v1/call_streams";
        let begun = self.ask(Method::POST, path, &self.admin, JSON, begin).await;
        let begun = begun.expect(201).json();
        begun["call_sid"].as_str().expect("its name").to_owned()
    }

    /// Each path of the document with its operations by method.
    fn paths(&self) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
        let paths = self.document["paths"].as_object().expect("paths").iter();
        paths.map(|(path, item)| (path, item.as_object().expect("operations")))
    }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A program of the packages that `tests/openapi` names.
fn python(program: &str) -> PathBuf {
    packages::python("openapi").join("bin").join(program)
}

/// A file of `tests/openapi`.
fn beside(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi");
    folder.join(name).display().to_string()
}
