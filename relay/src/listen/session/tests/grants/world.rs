//! The relay's parts that a listener meets, without sockets: steps are taken here, what comes of them goes to the
//! judge.

mod calls;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use futures_util::FutureExt;
use serde_json::json;

use super::super::*;
use super::judge::Judge;
use super::office::{Office, grant, token};
use super::{CALLS, CUSTOMERS, Step, USERS};
use crate::access::Role;
use crate::audit::tests_support::{Kept, kept};
use crate::calls::fanout::Taken;
use crate::calls::parties::FromWebhook;
use crate::lock::lock;

/// Listeners at most: each has its say about every change.
const SESSIONS: usize = 40;
/// Every so many steps everybody reads all there is.
const CALM: usize = 200;

/// What goes past a session: the bytes of whole WebSocket messages.
#[derive(Debug, Default)]
struct Past(Mutex<Vec<u8>>);

impl Outlet for Past {
    fn try_write(&self, bytes: &[u8]) -> io::Result<Taken> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(Taken {
            bytes: bytes.len(),
            waits: false,
        })
    }
}

struct Listener {
    session: Session,
    past: Arc<Past>,
    asked: Option<Asked>,
}

pub(super) struct World {
    story: Story,
    office: Arc<Office>,
    audit: Arc<Audit>,
    kept: Kept,
    listeners: BTreeMap<usize, Listener>,
    next_listener: usize,
    next_key: u32,
    chunks: BTreeMap<u32, u32>,
    keys: BTreeMap<usize, u32>,
    judge: Judge,
    steps: usize,
}

pub(super) fn sid(call: usize) -> CallSid {
    CallSid::parse(&format!("CA{call}")).unwrap()
}

impl World {
    pub(super) fn begin() -> World {
        let office = Arc::<Office>::default();
        let story = Story {
            registry: Arc::new(Registry::new(
                "n".into(),
                Settings {
                    retention: Duration::from_secs(15),
                    history: Duration::from_secs(10),
                    max_calls: 100_000,
                },
                Arc::default(),
            )),
            access: Access::new(None, Some(office.clone())).unwrap(),
            audit: Arc::new(Audit::off()),
            presence: Arc::default(),
            now: Now::take(),
        };
        let (audit, kept) = kept();
        let mut world = World {
            story,
            office,
            audit: Arc::new(audit),
            kept,
            listeners: BTreeMap::new(),
            next_listener: 0,
            next_key: 1,
            chunks: BTreeMap::new(),
            keys: BTreeMap::new(),
            judge: Judge::default(),
            steps: 0,
        };
        for user in 0..USERS {
            world.regrant(user, user, user * 3, user % 6, user % 2 == 0);
        }
        for call in 0..CALLS {
            if call % 10 != 9 {
                world.webhook(call, call);
            }
            world.revive(call);
            if call % 3 == 2 {
                world.end_call(call);
            }
        }
        for user in 0..10 {
            world.connect(user);
        }
        world
    }

    pub(super) fn go(&mut self, step: Step) {
        match step {
            Step::Connect(user) => self.connect(user),
            Step::Leave(session) => {
                if let Some(id) = self.pick(session) {
                    self.leave(id);
                }
            }
            Step::Subscribe {
                session,
                call,
                audio,
                replay_ms,
                save,
            } => self.say(
                session,
                json!({ "type": "subscribe", "call_sid": sid(call), "audio": audio, "replay_ms": replay_ms, "save": save }),
            ),
            Step::Unsubscribe { session, call } => {
                self.say(session, json!({ "type": "unsubscribe", "call_sid": sid(call) }));
            }
            Step::Watch(session) => self.say(
                session,
                json!({ "type": "watch", "levels_hz": 10, "call_sids": null }),
            ),
            Step::Auth(session, of) => {
                let shown = of.map_or_else(|| "wrong".to_owned(), token);
                self.say(session, json!({ "type": "auth", "token": shown }));
            }
            Step::Answer(session, good) => {
                if let Some(id) = self.pick(session) {
                    self.answer(id, good);
                }
            }
            Step::Take(session, count) => {
                if let Some(id) = self.pick(session) {
                    self.take(id, count);
                }
            }
            Step::Sleep(session) => {
                if let Some(id) = self.pick(session) {
                    self.sleep(id);
                }
            }
            Step::Frames(call) => self.frames(call),
            Step::Line(call) => {
                if let Some(known) = self.known(call) {
                    self.story.line(&known, "something", true);
                }
            }
            Step::End(call) => self.end_call(call),
            Step::Revive(call) => self.revive(call),
            Step::Reassign(call, customer) => self.webhook(call, customer),
            Step::Revoke(user) => {
                self.judge.ends(user);
                self.office.set(user, None);
                self.story.presence.recheck();
            }
            Step::Regrant(user, role, first, many, save) => self.regrant(user, role, first, many, save),
            Step::Expire(user, ms) => {
                self.judge.ends(user);
                let end = Some(self.story.now.wall.plus_ms(ms));
                let grant = self.office.of(user).map(|grant| grant.until(end));
                self.office.set(user, grant);
                self.story.presence.recheck();
            }
            Step::Time(ms) => self.time(ms),
            Step::Ask(user, call) => {
                if let Some(grant) = self.office.known(user, self.story.now.wall) {
                    self.judge.ask(&self.story.registry, &grant, &sid(call));
                }
            }
        }
        self.look();
        self.steps += 1;
        if self.steps.is_multiple_of(CALM) {
            self.calm();
        }
    }

    /// Everybody reads all, and leaves.
    pub(super) fn end(mut self) {
        self.calm();
        for id in self.listeners.keys().copied().collect::<Vec<_>>() {
            self.leave(id);
        }
    }

    fn pick(&self, n: usize) -> Option<usize> {
        let ids: Vec<usize> = self.listeners.keys().copied().collect();
        ids.get(n % ids.len().max(1)).copied()
    }

    fn known(&self, call: usize) -> Option<Arc<Call>> {
        self.story.registry.find(&Grant::insecure(), &sid(call))
    }

    fn connect(&mut self, user: usize) {
        let now = self.story.now;
        if self.listeners.len() >= SESSIONS {
            return;
        }
        let Some(grant) = self
            .story
            .access
            .bearer(&token(user), now.wall)
            .now_or_never()
            .unwrap()
        else {
            return;
        };
        let id = self.next_listener;
        self.next_listener += 1;
        let host = Host {
            registry: self.story.registry.clone(),
            access: self.story.access.clone(),
            audit: self.audit.clone(),
            presence: self.story.presence.clone(),
            address: address(id),
            door: "listen",
            relays: None,
        };
        let past = Arc::<Past>::default();
        self.judge.came(id, user, &grant);
        let session = Session::new(now, host, grant, Some(past.clone()));
        let listener = Listener {
            session,
            past,
            asked: None,
        };
        self.listeners.insert(id, listener);
    }

    fn leave(&mut self, id: usize) {
        let listener = self.listeners.remove(&id).unwrap();
        if let Some(Asked::Record(entries)) = &listener.asked {
            // On its way to the disk, and nothing calls it back.
            self.judge.recorded(id, entries);
        }
        drop(listener);
        self.record();
        self.judge.left(id);
    }

    fn say(&mut self, session: usize, message: Value) {
        let now = self.story.now;
        let Some(id) = self.pick(session) else { return };
        let listener = self.listeners.get_mut(&id).unwrap();
        listener.session.mailbox().shut();
        listener.session.on_text(now, &message.to_string());
    }

    /// Does what the session asked for, or goes on with it.
    fn answer(&mut self, id: usize, good: bool) {
        let now = self.story.now;
        let listener = self.listeners.get_mut(&id).unwrap();
        listener.session.mailbox().shut();
        let asked = listener.asked.take().or_else(|| listener.session.next_asked());
        let answer = match asked {
            None => return,
            Some(Asked::Record(entries)) => {
                if good {
                    self.judge.recorded(id, &entries);
                }
                Answer::Recorded(good)
            }
            Some(Asked::Bearer(Token(token))) => {
                let grant = self.story.access.bearer(&token, now.wall).now_or_never().unwrap();
                self.judge.showed(id, &token, grant.as_ref());
                Answer::Bearer(grant)
            }
        };
        listener.session.on_answer(now, answer);
    }

    /// Reads so many messages; answers whether there were less.
    fn take(&mut self, id: usize, count: usize) -> bool {
        let now = self.story.now;
        self.listeners[&id].session.mailbox().shut();
        for _ in 0..count {
            let listener = self.listeners.get_mut(&id).unwrap();
            let told = listener.session.poll_transmit(now);
            let Some(told) = told else {
                // The pump asks when it has written.
                listener.asked = listener.asked.take().or_else(|| listener.session.next_asked());
                return true;
            };
            self.record();
            if self.judge.told(id, told, &self.story, &self.office) {
                self.leave(id);
                return true;
            }
        }
        false
    }

    fn sleep(&mut self, id: usize) {
        while !self.take(id, 100) {}
        if let Some(listener) = self.listeners.get_mut(&id) {
            // Word that has come meanwhile keeps it awake.
            let _ = listener
                .session
                .mailbox()
                .poll_ready(&mut Context::from_waker(Waker::noop()));
        }
    }

    /// What went past sessions, and what was told to the record.
    fn look(&mut self) {
        for (id, listener) in &self.listeners {
            let bytes = std::mem::take(&mut *lock(&listener.past.0));
            if !bytes.is_empty() {
                self.judge.past(*id, &bytes, &self.story, &self.office);
            }
        }
        self.record();
    }

    fn record(&mut self) {
        for entry in self.kept.take() {
            let Some(IpAddr::V4(address)) = entry.address else {
                panic!("{entry:?}");
            };
            self.judge.ended(address.to_bits() as usize & 0x00ff_ffff, &entry);
        }
    }

    /// All that is asked for is done, all that is told is read: then everybody knows what it may, and no more.
    fn calm(&mut self) {
        // Lesser changes are told in their own time.
        for _ in 0..3 {
            self.time(2500);
            for id in self.listeners.keys().copied().collect::<Vec<_>>() {
                self.sleep(id);
                while self
                    .listeners
                    .get(&id)
                    .is_some_and(|listener| listener.asked.is_some())
                {
                    self.answer(id, true);
                    self.sleep(id);
                }
            }
        }
        self.look();
        self.judge.all_read();
        for id in self.listeners.keys() {
            self.judge.calm(*id, &self.story, &self.office);
        }
    }

    fn time(&mut self, ms: u64) {
        self.story.now = self.story.now.plus(Duration::from_millis(ms));
        let now = self.story.now;
        self.story.registry.on_deadline(now);
        for call in 0..CALLS + 5 {
            if self.known(call).is_none() {
                self.judge.forgotten(&sid(call));
            }
        }
        for listener in self.listeners.values_mut() {
            // Any sign of life: none is ended for silence here.
            listener.session.on_sign(now.mono);
            if listener.session.deadline() <= now.mono {
                listener.session.mailbox().shut();
                listener.session.on_deadline(now);
            }
        }
    }
}

fn address(id: usize) -> IpAddr {
    Ipv4Addr::from_bits(10 << 24 | id as u32).into()
}
