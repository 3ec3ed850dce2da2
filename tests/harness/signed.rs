//! A relay that asks Twilio for signatures, in this process, so that a story sees what is in it.

use std::net::SocketAddr;
use std::sync::Arc;

use partyline_relay::access::tokens::{Made, file};
use partyline_relay::access::{Grant, Role};
use partyline_relay::calls::call::Kind;
use partyline_relay::clock::Now;
use partyline_relay::config::{Config, ServeArgs};
use partyline_relay::route::Relay;
use partyline_relay::serve::{self, Threads};
use partyline_relay::stop::Stop;
use partyline_shared::call::Call;
use partyline_shared::id::CallSid;

use crate::scratch::Scratch;
use crate::twilio::ACCOUNT;

/// What Twilio is told, and what its signatures are computed over.
pub const ORIGIN: &str = "https://calls.example.com";
/// The auth token of [`ACCOUNT`].
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// A second account of the same relay.
pub const SECOND: &str = "AC99999999999999999999999999999999";
/// Its token.
pub const SECOND_TOKEN: &str = "fedcba9876543210fedcba9876543210";

/// It may ring any number in North America.
const RULES: &str = r#"
    dial_allow = ["+1"]
    caller_id = "+12125550100"
"#;

/// The relay; it leaves when dropped.
pub struct SignedRelay {
    addr: SocketAddr,
    relay: Arc<Relay>,
    stop: Stop,
    admin: Made,
    _home: Scratch,
}

impl SignedRelay {
    /// Starts one on a free port.
    pub async fn start() -> SignedRelay {
        let home = Scratch::new();
        let tokens = home.file("tokens");
        let admin = Made::draw("admin", Role::Admin, Now::take().wall).expect("random numbers");
        file::add(&tokens, &admin.token).expect("a new file");
        let args = ServeArgs {
            config: Some("relay.toml".into()),
            listen: Some("127.0.0.1:0".to_owned()),
            public_url: Some(ORIGIN.to_owned()),
            tokens: Some(tokens.display().to_string()),
            ..ServeArgs::default()
        };
        let accounts = format!("{ACCOUNT}={TOKEN},{SECOND}={SECOND_TOKEN}");
        let env = |name: &str| (name == "PARTYLINE_TWILIO_ACCOUNT").then(|| accounts.clone());
        let file = |_: &std::path::Path| Ok(RULES.to_owned());
        let config = Config::load(&args, &env, &file).unwrap_or_else(|e| panic!("{e}"));
        let serving = serve::bind(config, Threads::Here).await;
        let serving = serving.expect("a free port can be listened on");
        let (addr, relay, stop) = (serving.local(), serving.relay().clone(), serving.stop());
        tokio::spawn(serving.run());
        SignedRelay {
            addr,
            relay,
            stop,
            admin,
            _home: home,
        }
    }

    /// An admin's token.
    pub fn token(&self) -> &str {
        self.admin.expose()
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A call as it stands; `None` where it is not known.
    pub fn call(&self, sid: &CallSid) -> Option<Call> {
        let call = self.relay.registry.find(&Grant::insecure(), sid)?;
        Some(call.view())
    }

    /// Its lines and its events, as the wire has them.
    pub fn journal(&self, sid: &CallSid) -> Vec<String> {
        let call = self.relay.registry.find(&Grant::insecure(), sid);
        let call = call.unwrap_or_else(|| panic!("{sid} is not known"));
        let admin = Grant::insecure();
        let told = [Kind::Lines, Kind::Events].map(|kind| call.remembered(&admin, kind, None));
        let told = told.into_iter().flatten().flat_map(|(_, told)| told);
        told.map(|told| told.json().to_owned()).collect()
    }

    /// One counter.
    pub fn counted(&self, name: &str) -> u64 {
        let all = self.relay.metrics.totals();
        let found = all.iter().find(|(counter, _)| *counter == name);
        found.unwrap_or_else(|| panic!("there is no counter {name}")).1
    }

    /// Calls that are known.
    pub fn calls(&self) -> usize {
        self.relay.registry.list(&Grant::insecure()).len()
    }
}

impl Drop for SignedRelay {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
