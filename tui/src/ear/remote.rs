//! What a monitor has instead of a player where its ear is elsewhere. Nothing here waits for the link.

use std::sync::Arc;
use std::time::Duration;

use partyline_shared::track::{PerTrack, Role};
use tokio::task::JoinHandle;

use super::carry::{Link, NoLink, Way, carry, make};
use super::code::Code;
use super::key::Key;
use super::outbox::Outbox;
use super::pair::{Kind, NotPaired};
use super::wire::{ToDesk, ToMonitor};
use crate::audio::desk::Wanted;
use crate::audio::memory::Clip;
use crate::audio::memory::shelf::Kept;
use crate::audio::player::{Inlet, Stats};
use crate::event::{Column, FromSound, Mix};
use crate::failure::Failure;

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// An ear that has let us in.
pub struct Paired {
    way: Way,
    link: Link,
}

/// The ear, as who hears calls sees it.
pub struct Remote {
    outbox: Arc<Outbox>,
    /// Until somebody waits for its end.
    carrying: Option<JoinHandle<()>>,
}

/// Waits for the last word to an ear.
#[must_use = "an ear that is not told keeps its place for who does not come"]
pub struct Goodbye(Option<JoinHandle<()>>);

impl Paired {
    /// Pairs with the ear at this address.
    ///
    /// # Errors
    /// [`Failure`], saying what to do.
    pub async fn with(addr: &str, code: &Code) -> Result<Paired, Failure> {
        let of_code = Key::of(code);
        let (mut link, word) = make(addr, Kind::Code, &of_code)
            .await
            .map_err(|why| refused(addr, why))?;
        let ToMonitor::Welcome(key) = word else {
            return Err(refused(addr, NoLink::NotPaired(NotPaired::Nobody)));
        };
        link.writer.add(|out| ToDesk::Thanks.put(out));
        let thanked = link.writer.flush().await;
        thanked.map_err(|cut| refused(addr, NoLink::Cut(cut)))?;
        let addr = addr.to_owned();
        Ok(Paired {
            way: Way { addr, key },
            link,
        })
    }
}

/// Why there is no pairing, and what to do.
fn refused(addr: &str, why: NoLink) -> Failure {
    match why {
        NoLink::NoEar => Failure::Failed(format!(
            "no ear listens at {addr}: run `partyline ear` on the desk, and `ssh -R 7331:localhost:7331` from there to here"
        )),
        NoLink::NotPaired(NotPaired::Refused) => Failure::NotAuthorised(format!(
            "the ear at {addr} does not take this code: type the one that `partyline ear` shows now; each is good once"
        )),
        NoLink::NotPaired(NotPaired::Stranger) => Failure::NotAuthorised(format!(
            "what listens at {addr} does not know this code, so it is not your ear, and nothing was said to it: \
             somebody else has that port; choose another one"
        )),
        NoLink::NotPaired(NotPaired::Nobody) | NoLink::Cut(_) => Failure::Failed(format!(
            "what listens at {addr} does not answer as an ear: is `partyline ear` running on the desk, and is it \
             your ssh that has this port?"
        )),
        NoLink::Taken => Failure::Failed(format!(
            "the ear at {addr} has another monitor: end that one, or run another `partyline ear` with --listen"
        )),
    }
}

impl Remote {
    /// Keeps the link from now on, for as long as the monitor runs. `tell` must not wait.
    pub fn start(paired: Paired, tell: impl Fn(FromSound) + Send + Sync + 'static) -> Remote {
        let outbox = Arc::new(Outbox::new(Box::new(tell)));
        let Paired { way, link } = paired;
        Remote {
            carrying: Some(tokio::spawn(carry(way, link, outbox.clone()))),
            outbox,
        }
    }

    /// What waits for the end of it; the end comes when this is dropped.
    pub fn goodbye(&mut self) -> Goodbye {
        Goodbye(self.carrying.take())
    }

    /// As [`crate::audio::player::Player::hear`].
    pub fn hear(&self, roles: PerTrack<Role>, mix: Mix) -> Inlet {
        self.outbox.count_anew();
        let generation = self.outbox.want(|wanted| wanted.hear(roles, mix));
        self.inlet(generation)
    }

    /// As [`crate::audio::player::Player::also`].
    pub fn also(&self, roles: PerTrack<Role>) -> (Inlet, Option<u64>) {
        let (generation, gone) = self.outbox.want(|wanted| wanted.also(roles));
        (self.inlet(generation), gone)
    }

    fn inlet(&self, generation: u64) -> Inlet {
        let kept = self.outbox.shelf.get(generation);
        let outbox = self.outbox.clone();
        Inlet::new(generation, kept.unwrap_or_else(Kept::closed), move |heard| {
            outbox.put(generation, heard);
        })
    }

    /// As [`crate::audio::player::Player::want`].
    pub fn want<T>(&self, change: impl FnOnce(&mut Wanted) -> T) -> T {
        self.outbox.want(change)
    }

    /// What is wanted.
    pub fn wanted(&self) -> Wanted {
        self.outbox.wanted()
    }

    /// As [`crate::audio::player::Player::clip`]: out of what came to this machine, so the file is written here.
    pub fn clip(&self, generation: u64, ms: u32) -> Option<Clip> {
        let stats = self.outbox.stats();
        let kept = self.outbox.shelf.get(generation)?;
        let memory = kept.lock();
        let is_behind = self.wanted().front == generation && stats.playback.behind_ms > 0;
        match stats.heard_at_ms.filter(|_| is_behind) {
            Some(until) => memory.clip_until(until, ms),
            None => memory.clip(ms),
        }
    }

    /// Another sound card there, or the system's default.
    pub fn use_device(&self, device: Option<String>) {
        self.outbox.use_device(device);
    }

    /// Asks which there are: they come as [`FromSound::Devices`].
    pub fn list_devices(&self) {
        self.outbox.list_devices();
    }

    /// As [`crate::audio::player::Player::stats`].
    pub fn stats(&self) -> Stats {
        self.outbox.stats()
    }

    /// As [`crate::audio::player::Player::columns`].
    pub fn columns(&self, customer: &mut Vec<Column>, agent: &mut Vec<Column>) {
        self.outbox.columns(customer, agent);
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.outbox.quit();
    }
}

impl Goodbye {
    /// Waits, not for long.
    pub async fn said(self) {
        if let Some(carrying) = self.0 {
            let _ = tokio::time::timeout(GOODBYE, carrying).await;
        }
    }
}
