//! The call that is heard, as a source: frames go in as they come, 20 ms of both ears come out when the card
//! has a place for them. Says what it played to the [`Scope`]. Knows no card and no clock.

use std::sync::Arc;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Role, Track};

use super::super::conceal::Concealer;
use super::super::jitter::{Depth, Jitter, Piece, Pull, State, Stats};
use super::super::mix::{Mixer, agent_on, column};
use super::super::scope::Scope;
use super::super::{Mono, SLOT, Stereo};
use super::desk::Wanted;
use crate::event::Mix;

/// 20 ms for both ears.
pub(super) struct Ready {
    pub(super) samples: Stereo,
    /// When the frames in it came, where its delay says something: not of what was said a while ago.
    pub(super) arrived_us: PerTrack<Option<u64>>,
}

/// The call.
pub(super) struct Call {
    pub(super) generation: u64,
    jitter: Jitter,
    inbound: Concealer,
    outbound: Concealer,
    mixer: Mixer,
    roles: PerTrack<Role>,
    mix: Mix,
    lives: u64,
    /// Of which stream the last frame was.
    audio_id: Option<u32>,
    scope: Arc<Scope>,
}

impl Call {
    pub(super) fn new(wanted: &Wanted, scope: Arc<Scope>) -> Call {
        scope.clear();
        Call {
            generation: wanted.generation,
            jitter: Jitter::new(),
            inbound: Concealer::new(),
            outbound: Concealer::new(),
            mixer: Mixer::new(wanted.roles, wanted.mix),
            roles: wanted.roles,
            mix: wanted.mix,
            lives: wanted.lives,
            audio_id: None,
            scope,
        }
    }

    /// Makes it as it is wanted.
    pub(super) fn follow(&mut self, wanted: &Wanted) {
        if self.roles != wanted.roles {
            self.roles = wanted.roles;
            self.mixer.set_roles(wanted.roles);
        }
        if self.mix != wanted.mix {
            self.mix = wanted.mix;
            self.mixer.set_mix(wanted.mix);
        }
        self.jitter.hold(wanted.held);
        if self.lives != wanted.lives {
            self.lives = wanted.lives;
            self.jitter.to_live();
        }
        if wanted.over == Some(self.generation) {
            self.jitter.on_over();
        }
    }

    pub(super) fn on_stream(&mut self, now_us: u64) {
        self.audio_id = None;
        self.jitter.on_stream(now_us);
    }

    pub(super) fn on_frame(&mut self, arrived_us: u64, frame: &AudioFrame) {
        // The word that a new stream begins may have been dropped before the worker's full queue.
        if self.audio_id.is_some_and(|id| id != frame.audio_id()) {
            self.jitter.on_stream(arrived_us);
        }
        self.audio_id = Some(frame.audio_id());
        self.jitter.on_frame(arrived_us, frame);
    }

    pub(super) fn on_missed(&mut self, now_us: u64, track: Track, from: u32, to: u32) {
        self.jitter.on_missed(now_us, track, from, to);
    }

    /// The next 20 ms, of which the first sample takes `downstream_us` from here to the card; nothing while it
    /// waits or stands still.
    pub(super) fn next(&mut self, now_us: u64, downstream_us: u64) -> Option<Ready> {
        let Pull::Play(slot) = self.jitter.pull(now_us, downstream_us) else {
            return None;
        };
        let samples = self.mix(&slot.tracks, slot.cut);
        let live = self.jitter.stats().state == State::Playing;
        let arrived_us = if live {
            slot.arrived_us
        } else {
            PerTrack::default()
        };
        Some(Ready { samples, arrived_us })
    }

    /// 20 ms behind the last that there was, in which it ends without a step.
    pub(super) fn rest(&mut self) -> Stereo {
        let silence = PerTrack {
            inbound: Piece::Silence,
            outbound: Piece::Silence,
        };
        self.mix(&silence, false)
    }

    fn mix(&mut self, pieces: &PerTrack<Piece>, cut: bool) -> Stereo {
        let (mut inbound, mut outbound): (Mono, Mono) = ([0.0; SLOT], [0.0; SLOT]);
        self.inbound.next(&pieces.inbound, cut, &mut inbound);
        self.outbound.next(&pieces.outbound, cut, &mut outbound);
        let mut samples = [0.0; 2 * SLOT];
        self.mixer.mix(&inbound, &outbound, &mut samples);
        let (customer, agent) = match agent_on(self.roles) {
            Track::Inbound => (&outbound, &inbound),
            Track::Outbound => (&inbound, &outbound),
        };
        self.scope.hear(column(customer), column(agent));
        samples
    }

    /// As [`Jitter::depth`].
    pub(super) fn depth(&self) -> Option<Depth> {
        self.jitter.depth()
    }

    /// How it goes, as of the last pull.
    pub(super) fn stats(&self) -> Stats {
        self.jitter.stats()
    }
}
