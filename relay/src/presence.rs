//! Who is connected as a listener: for admins to see, and to end. Tells no session what to do but that it is to go, and
//! asks nothing about rights: whoever asks here has shown to be an admin.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

use crate::access::Grant;
use crate::calls::fanout::Mailbox;
use crate::lock::lock;
use crate::metrics::Counter;

/// All listeners of one relay.
#[derive(Debug, Default)]
pub struct Presence(Mutex<HashMap<u64, Arc<Entry>>>);

/// One listener, as its session and an admin see it.
#[derive(Debug)]
struct Entry {
    /// Drawn at random: whoever has one from before a restart ends nobody by it.
    id: u64,
    door: &'static str,
    address: IpAddr,
    since: UtcTime,
    mailbox: Arc<Mailbox>,
    bearer: Mutex<Bearer>,
    frames: Counter,
    bytes: Counter,
    lost: Counter,
    dismissed: AtomicBool,
}

/// What changes while it is connected.
#[derive(Debug)]
struct Bearer {
    grant: Grant,
    follows: Vec<Follows>,
}

/// A call that a listener hears or reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follows {
    /// Which.
    pub call_sid: CallSid,
    /// Hears it, rather than only reads.
    pub audio: bool,
    /// Keeps what it hears.
    pub save: bool,
    /// Since when.
    pub since: UtcTime,
}

/// One listener as it stands.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its name here, 16 hex digits.
    pub id: String,
    /// Who it is.
    pub grant: Grant,
    /// The way it came in.
    pub door: &'static str,
    /// From where.
    pub address: IpAddr,
    /// When it came.
    pub since: UtcTime,
    /// In the order of coming to them.
    pub follows: Vec<Follows>,
    /// Frames written to its socket, remembered ones too.
    pub frames: u64,
    /// Bytes written to its socket, before TLS.
    pub bytes: u64,
    /// Frames that it lost for being slow.
    pub lost: u64,
}

/// How somebody comes in.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// The door, as the record names it.
    pub door: &'static str,
    /// The client's address.
    pub address: IpAddr,
    /// When.
    pub since: UtcTime,
}

/// A listener's own side; it is gone when this is dropped.
#[derive(Debug)]
#[must_use = "the listener is seen only while this is held"]
pub struct Present {
    all: Arc<Presence>,
    entry: Arc<Entry>,
}

impl Presence {
    /// Somebody has come in; `mailbox` is where it is woken.
    pub fn enter(self: &Arc<Self>, way: Way, grant: &Grant, mailbox: Arc<Mailbox>) -> Present {
        let mut all = lock(&self.0);
        let id = loop {
            let id = rand::random();
            if !all.contains_key(&id) {
                break id;
            }
        };
        let entry = Arc::new(Entry {
            id,
            door: way.door,
            address: way.address,
            since: way.since,
            mailbox,
            bearer: Mutex::new(Bearer {
                grant: grant.clone(),
                follows: Vec::new(),
            }),
            frames: Counter::default(),
            bytes: Counter::default(),
            lost: Counter::default(),
            dismissed: AtomicBool::new(false),
        });
        all.insert(id, entry.clone());
        Present {
            all: self.clone(),
            entry,
        }
    }

    /// Everybody, in the order of coming.
    pub fn all(&self) -> Vec<Seen> {
        let entries: Vec<Arc<Entry>> = lock(&self.0).values().cloned().collect();
        let mut seen: Vec<Seen> = entries.iter().map(|entry| entry.seen()).collect();
        seen.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        seen
    }

    /// What each of them may is to be looked at again.
    pub fn recheck(&self) {
        let entries: Vec<Arc<Entry>> = lock(&self.0).values().cloned().collect();
        entries.iter().for_each(|entry| entry.mailbox.recheck());
    }

    /// How many are connected, how many of them hear nothing, and how many calls all of them follow together.
    pub fn counts(&self) -> Counts {
        let entries: Vec<Arc<Entry>> = lock(&self.0).values().cloned().collect();
        entries.iter().fold(Counts::default(), |counts, entry| {
            let follows = &lock(&entry.bearer).follows;
            Counts {
                all: counts.all + 1,
                idle: counts.idle + usize::from(follows.is_empty()),
                heard: counts.heard + follows.iter().filter(|one| one.audio).count(),
                read: counts.read + follows.iter().filter(|one| !one.audio).count(),
            }
        })
    }

    /// Whether somebody of this name is connected.
    pub fn knows(&self, id: &str) -> bool {
        let id = u64::from_str_radix(id, 16).ok().filter(|n| name(*n) == id);
        id.is_some_and(|id| lock(&self.0).contains_key(&id))
    }

    /// Has a listener go, for good. Answers who that is, and whether it was not told so before: one that does not read
    /// takes its time. `None` where nobody of this name is connected.
    pub fn dismiss(&self, id: &str) -> Option<(Seen, bool)> {
        // One way to write each id, so that one name is one listener.
        let id = u64::from_str_radix(id, 16).ok().filter(|n| name(*n) == id)?;
        let entry = lock(&self.0).get(&id).cloned()?;
        let is_news = !entry.dismissed.swap(true, Relaxed);
        // Also wakes a task that is busy writing.
        entry.mailbox.recheck();
        Some((entry.seen(), is_news))
    }
}

/// How many listeners there are, and what they do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connected, and known by name.
    pub all: usize,
    /// Of these, without any subscription.
    pub idle: usize,
    /// Subscriptions with audio.
    pub heard: usize,
    /// Subscriptions to lines and events alone.
    pub read: usize,
}

fn name(id: u64) -> String {
    format!("{id:016x}")
}

impl Entry {
    fn seen(&self) -> Seen {
        let passed = self.mailbox.passed();
        let bearer = lock(&self.bearer);
        Seen {
            id: name(self.id),
            grant: bearer.grant.clone(),
            door: self.door,
            address: self.address,
            since: self.since,
            follows: bearer.follows.clone(),
            frames: self.frames.get() + passed.frames,
            bytes: self.bytes.get() + passed.bytes,
            lost: self.lost.get(),
        }
    }
}

impl Present {
    /// Its name here, 16 hex digits.
    pub fn id(&self) -> String {
        name(self.entry.id)
    }

    /// An admin has said that it is to go.
    pub fn is_dismissed(&self) -> bool {
        self.entry.dismissed.load(Relaxed)
    }

    /// Another bearer, or the same with other rights.
    pub fn regrant(&self, grant: &Grant) {
        lock(&self.entry.bearer).grant = grant.clone();
    }

    /// It hears or reads a call from here on.
    pub fn follows(&self, call: Follows) {
        lock(&self.entry.bearer).follows.push(call);
    }

    /// It keeps what it hears of a call, or no longer.
    pub fn keeps(&self, call: &CallSid, save: bool) {
        let mut bearer = lock(&self.entry.bearer);
        let follows = bearer.follows.iter_mut().filter(|one| one.call_sid == *call);
        follows.for_each(|one| one.save = save);
    }

    /// It does not any more.
    pub fn leaves(&self, call: &CallSid) {
        lock(&self.entry.bearer)
            .follows
            .retain(|one| one.call_sid != *call);
    }

    /// A frame was written by its own task.
    pub fn sent_frame(&self) {
        self.entry.frames.add_one();
    }

    /// So many bytes were, of whatever kind.
    pub fn sent_bytes(&self, bytes: u64) {
        self.entry.bytes.add(bytes);
    }

    /// It lost so many frames.
    pub fn lost_frames(&self, frames: u64) {
        self.entry.lost.add(frames);
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        lock(&self.all.0).remove(&self.entry.id);
    }
}

#[cfg(test)]
mod tests;
