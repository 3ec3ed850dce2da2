//! The sound of a monitor: a player on this machine, or an ear elsewhere. Who hears calls does not care which.

use partyline_shared::track::{PerTrack, Role};

use super::remote::{Goodbye, Paired, Remote};
use crate::audio::desk::Wanted;
use crate::audio::memory::Clip;
use crate::audio::player::{Inlet, Player, Settings, Stats};
use crate::event::{Chosen, Column, FromSound, Mix, Playback};

/// Where sound is to come from.
pub enum Wish {
    /// A card of this machine's.
    Here(Settings),
    /// An ear that has let us in.
    Desk(Box<Paired>),
}

impl Wish {
    /// The card that was chosen, if this machine plays; an ear's choice nobody knows here.
    pub fn device(&self) -> Chosen {
        match self {
            Wish::Here(settings) => Chosen::of(settings.device.clone()),
            Wish::Desk(_) => Chosen::Unknown,
        }
    }
}

/// The sound.
pub enum Sound {
    /// This machine's.
    Here(Player),
    /// An ear's.
    Desk(Remote),
}

impl Sound {
    /// As [`Player::start`].
    pub fn start(wish: Wish, tell: impl Fn(FromSound) + Send + Sync + 'static) -> Sound {
        match wish {
            Wish::Here(settings) => Sound::Here(Player::start(settings, tell)),
            Wish::Desk(paired) => Sound::Desk(Remote::start(*paired, tell)),
        }
    }

    /// What waits for the end of it, once this is dropped.
    pub fn goodbye(&mut self) -> Option<Goodbye> {
        match self {
            Sound::Here(_) => None,
            Sound::Desk(remote) => Some(remote.goodbye()),
        }
    }

    /// As [`Player::hear`].
    pub fn hear(&self, roles: PerTrack<Role>, mix: Mix) -> Inlet {
        match self {
            Sound::Here(player) => player.hear(roles, mix),
            Sound::Desk(remote) => remote.hear(roles, mix),
        }
    }

    /// As [`Player::also`].
    pub fn also(&self, roles: PerTrack<Role>) -> (Inlet, Option<u64>) {
        match self {
            Sound::Here(player) => player.also(roles),
            Sound::Desk(remote) => remote.also(roles),
        }
    }

    /// As [`Player::want`].
    pub fn want<T>(&self, change: impl FnOnce(&mut Wanted) -> T) -> T {
        match self {
            Sound::Here(player) => player.want(change),
            Sound::Desk(remote) => remote.want(change),
        }
    }

    /// What is wanted.
    pub fn wanted(&self) -> Wanted {
        match self {
            Sound::Here(player) => player.wanted(),
            Sound::Desk(remote) => remote.wanted(),
        }
    }

    /// As [`Player::front`].
    pub fn front(&self, generation: u64) {
        self.want(|wanted| wanted.bring_to_front(generation));
    }

    /// As [`Player::leave`].
    pub fn leave(&self, generation: u64) {
        self.want(|wanted| wanted.leave(generation));
    }

    /// As [`Player::stop`].
    pub fn stop(&self) {
        self.want(Wanted::clear);
    }

    /// As [`Player::pause`].
    pub fn pause(&self, held: bool) {
        self.want(|wanted| wanted.change_front(|seat| seat.held = held));
    }

    /// As [`Player::live`].
    pub fn live(&self) {
        self.want(Wanted::live);
    }

    /// As [`Player::seek`].
    pub fn seek(&self, ms: i32) {
        self.want(|wanted| wanted.seek(ms));
    }

    /// As [`Player::seek_to`].
    pub fn seek_to(&self, unix_ms: i64) {
        self.want(|wanted| wanted.seek_to(unix_ms));
    }

    /// As [`Player::fast`].
    pub fn fast(&self, fast: bool) {
        self.want(|wanted| wanted.change_front(|seat| seat.fast = fast));
    }

    /// As [`Player::skip_silence`].
    pub fn skip_silence(&self, skip: bool) {
        self.want(|wanted| wanted.change_front(|seat| seat.skip_silence = skip));
    }

    /// As [`Player::set_roles`].
    pub fn set_roles(&self, generation: u64, roles: PerTrack<Role>) {
        self.want(|wanted| {
            if let Some(seat) = wanted.seat_mut(generation) {
                seat.roles = roles;
            }
        });
    }

    /// As [`Player::set_mix`].
    pub fn set_mix(&self, mix: Mix) {
        self.want(|wanted| wanted.mix = mix);
    }

    /// As [`Player::clip`].
    pub fn clip(&self, generation: u64, ms: u32) -> Option<Clip> {
        match self {
            Sound::Here(player) => player.clip(generation, ms),
            Sound::Desk(remote) => remote.clip(generation, ms),
        }
    }

    /// As [`Player::heard_at`].
    pub fn heard_at(&self) -> Option<i64> {
        match self {
            Sound::Here(player) => player.heard_at(),
            Sound::Desk(remote) => remote.stats().heard_at_ms,
        }
    }

    /// As [`Player::use_device`].
    pub fn use_device(&self, device: Option<String>) {
        match self {
            Sound::Here(player) => player.use_device(device),
            Sound::Desk(remote) => remote.use_device(device),
        }
    }

    /// As [`Player::list_devices`].
    pub fn list_devices(&self) {
        match self {
            Sound::Here(player) => player.list_devices(),
            Sound::Desk(remote) => remote.list_devices(),
        }
    }

    /// As [`Player::playback`].
    pub fn playback(&self) -> Playback {
        self.stats().playback
    }

    /// As [`Player::stats`].
    pub fn stats(&self) -> Stats {
        match self {
            Sound::Here(player) => player.stats(),
            Sound::Desk(remote) => remote.stats(),
        }
    }

    /// As [`Player::columns`].
    pub fn columns(&self, customer: &mut Vec<Column>, agent: &mut Vec<Column>) {
        match self {
            Sound::Here(player) => player.columns(customer, agent),
            Sound::Desk(remote) => remote.columns(customer, agent),
        }
    }
}
