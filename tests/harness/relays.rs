//! Relays that share calls over one Redis, as an operator runs them: Twilio signs, listeners have tokens, and each has
//! a way of its own to Redis, which can go silent. A process each; any of them can be killed, asked to leave, and
//! started again where it was.

mod front;

use std::net::SocketAddr;

use ::http::Method;
use partyline_shared::call::Call;
use partyline_shared::id::CallSid;
use serde_json::Value;

use crate::guarded::Guarded;
use crate::http::{self, Answer};
use crate::link::Link;
use crate::listener::Listener;
use crate::media::MediaSocket;
use crate::network::quiet_port;
use crate::program::Finished;
use crate::redis::Redis;
use crate::signed::{ORIGIN, TOKEN};
use crate::twilio::{TwilioCall, pass};
use crate::wait::{SOON, until};

pub use front::{BEHIND, Front};

/// What all that share calls listen to.
const CHANGES: &str = "partyline:v1:changes";

/// The relays, counted from 0, and their Redis.
pub struct Relays {
    /// What they share.
    pub redis: Redis,
    relays: Vec<Member>,
    flags: Vec<String>,
    token: String,
}

struct Member {
    link: Link,
    /// `None` only while it is being started or ended.
    relay: Option<Guarded>,
    at: SocketAddr,
    up: bool,
}

impl Relays {
    /// Starts so many on a Redis of their own; `flags` are more arguments of each `serve`.
    pub async fn start(count: usize, flags: &[&str]) -> Relays {
        Self::on(Redis::start().await, count, flags).await
    }

    /// The same on this Redis.
    pub async fn on(redis: Redis, count: usize, flags: &[&str]) -> Relays {
        let mut fresh: Vec<Guarded> = (0..count).map(|_| Guarded::new()).collect();
        let token = fresh[0].token("admin", &["--role", "admin"]).await;
        let mut relays = Relays {
            redis,
            relays: Vec::new(),
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            token,
        };
        for other in &fresh[1..] {
            same_tokens(&fresh[0], other);
        }
        for relay in fresh.drain(..) {
            let link = Link::to(relays.redis.addr()).await;
            let flags = relays.flags_by(&link);
            // Where it may come back.
            let relay = relay.start_at(quiet_port(), &borrowed(&flags)).await;
            relays.relays.push(Member {
                link,
                at: relay.addr(),
                relay: Some(relay),
                up: true,
            });
        }
        relays.all_follow().await;
        relays
    }

    fn flags_by(&self, link: &Link) -> Vec<String> {
        let url = self.redis.url_by(link.addr());
        [&["--redis".to_owned(), url], &self.flags[..]].concat()
    }

    /// Waits until all that are up hear what the others change, by Redis' own word.
    pub async fn all_follow(&self) {
        until(SOON, "all relays to follow", async || {
            let answer = self.redis.ask(&["PUBSUB", "NUMSUB", CHANGES]).await;
            (answer[1].as_u64() == Some(self.up().len() as u64)).then_some(())
        })
        .await;
    }

    /// Those that are up.
    pub fn up(&self) -> Vec<usize> {
        let all = 0..self.relays.len();
        all.filter(|nth| self.relays[*nth].up).collect()
    }

    /// One of them.
    pub fn at(&self, nth: usize) -> &Guarded {
        self.relays[nth].relay.as_ref().expect("it is there")
    }

    /// Where it listens, or did.
    pub fn addr(&self, nth: usize) -> SocketAddr {
        self.relays[nth].at
    }

    /// Its way to Redis.
    pub fn link(&self, nth: usize) -> &Link {
        &self.relays[nth].link
    }

    /// An admin's token, which all of them know.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A new token that all of them know; they take it up within 5 s.
    pub async fn add_token(&self, name: &str, args: &[&str]) -> String {
        let first = self.at(0);
        let token = first.token(name, args).await;
        for nth in 1..self.relays.len() {
            same_tokens(first, self.at(nth));
        }
        token
    }

    /// Ends one as a power cut would.
    pub async fn kill(&mut self, nth: usize) {
        let member = &mut self.relays[nth];
        member.up = false;
        let relay = member.relay.take().expect("it is there");
        member.relay = Some(relay.kill().await);
    }

    /// Asks one to leave (SIGTERM) and waits for its end.
    pub async fn leaves(&mut self, nth: usize) -> Finished {
        let member = &mut self.relays[nth];
        member.up = false;
        member.relay.as_mut().expect("it is there").leaves().await
    }

    /// Starts one again where it was, with the files that it had.
    pub async fn comes_back(&mut self, nth: usize) {
        let flags = self.flags_by(&self.relays[nth].link);
        let member = &mut self.relays[nth];
        let relay = member.relay.take().expect("it is there");
        member.relay = Some(relay.start_at(member.at, &borrowed(&flags)).await);
        member.up = true;
        self.all_follow().await;
    }

    /// A new call, told to this one unless it is aimed elsewhere.
    pub fn call(&self, nth: usize) -> TwilioCall {
        let mut call = TwilioCall::at(self.addr(nth));
        call.signs = Some((TOKEN, ORIGIN));
        // One caller alone may not have so many dialled in a minute.
        call.from = format!("client:{}", call.sid());
        call
    }

    /// A new call of this customer: its webhook at one relay, its stream at another, which has accepted it.
    pub async fn live_call(
        &self,
        customer: &str,
        webhook: usize,
        stream: usize,
    ) -> (TwilioCall, MediaSocket) {
        let mut call = self.call(webhook);
        let answer = call.webhook(&[("customer_id", customer)]).await.expect(200);
        call.aim(self.addr(stream));
        let socket = stream_of(&call, &pass(&answer)).await;
        self.at(stream).is_live(call.sid(), &self.token).await;
        (call, socket)
    }

    /// An admin's listener at one of them, once it has the list.
    pub async fn listen(&self, nth: usize) -> Listener {
        self.at(nth).listen(&self.token).await
    }

    /// What an admin's script is answered.
    pub async fn ask(&self, nth: usize, method: Method, path: &str) -> Answer {
        self.at(nth).ask(method, path, &self.token).await
    }

    /// The same with JSON that it posts.
    pub async fn post(&self, nth: usize, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        http::send(self.addr(nth), Method::POST, path, &headers, body.to_string()).await
    }

    /// Waits until each that is up shows the call, and so.
    pub async fn everywhere(&self, sid: &CallSid, what: &str, so: impl Fn(&Call) -> bool) {
        for nth in self.up() {
            self.shows(nth, sid, what, &so).await;
        }
    }

    /// Waits until one shows the call, and so.
    pub async fn shows(&self, nth: usize, sid: &CallSid, what: &str, so: impl Fn(&Call) -> bool) {
        let path = format!("/api/v1/calls/{sid}");
        until(SOON, &format!("{what}, at relay {nth}"), async || {
            let answer = self.ask(nth, Method::GET, &path).await;
            let call = (answer.status == 200).then(|| serde_json::from_value(answer.json()));
            let call: Call = call?.expect("a call in the contract's shape");
            so(&call).then_some(())
        })
        .await;
    }

    /// The call, its lines and its events, as one of them shows them.
    pub async fn shown(&self, nth: usize, sid: &CallSid) -> [Value; 3] {
        let mut all = [Value::Null, Value::Null, Value::Null];
        for (part, into) in ["", "/transcript", "/events"].into_iter().zip(&mut all) {
            let answer = self
                .ask(nth, Method::GET, &format!("/api/v1/calls/{sid}{part}"))
                .await;
            *into = answer.expect(200).json();
        }
        all
    }

    /// Waits until all that are up show the same of a call; gives it. Levels of talk are each relay's own.
    pub async fn agree(&self, sid: &CallSid) -> [Value; 3] {
        let what = format!("all relays to show the same of {sid}");
        let agreed = until(SOON, &what, async || {
            let mut shown = Vec::new();
            for nth in self.up() {
                let mut all = self.shown(nth, sid).await;
                if let Some(call) = all[0].as_object_mut() {
                    call.remove("talk");
                }
                shown.push(all);
            }
            let same = shown.windows(2).all(|two| two[0] == two[1]);
            same.then(|| shown.pop())
        });
        agreed.await.expect("one is up")
    }
}

/// The stream of a call that its webhook's answer let in.
pub async fn stream_of(call: &TwilioCall, pass: &str) -> MediaSocket {
    let mut socket = call.open_stream().await;
    socket.connected().await;
    socket.start(&[("partyline_pass", pass)]).await;
    socket
}

fn same_tokens(one: &Guarded, other: &Guarded) {
    std::fs::copy(one.tokens(), other.tokens()).expect("tokens can be copied");
}

fn borrowed(flags: &[String]) -> Vec<&str> {
    flags.iter().map(String::as_str).collect()
}
