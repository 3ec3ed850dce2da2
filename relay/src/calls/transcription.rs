//! What speech-to-text does on each track, and its words in the engine's order. No clock, no I/O.

use std::borrow::Cow;
use std::time::Instant;

use partyline_shared::call::TranscriptionState;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Track};
use serde::{Deserialize, Serialize};

use super::journal::NewLine;
use super::order::{self, Order};

/// Transcriptions of one call that are told apart; a restarted one counts anew. Beyond, the oldest is
/// forgotten: its stragglers then pass in the order they come.
const SOURCES: usize = 8;

/// What an engine says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Heard {
    /// It began, on one track or both.
    Started {
        /// Its name.
        engine: String,
        /// Whose engine it is behind that name.
        provider: Option<String>,
        /// Which track; both where `None`.
        track: Option<Track>,
    },
    /// Words.
    Line(NewLine),
    /// Nothing that can be taken, but its number counts; `why` where that is a fault.
    Nothing {
        /// For a person.
        why: Option<Cow<'static, str>>,
    },
    /// Words that nobody may read, since they came while the call was paused: only that there were some.
    HeldBack {
        /// By whom.
        track: Track,
        /// Which engine wrote them.
        engine: String,
        /// Whether they were the last of an utterance.
        is_final: bool,
    },
    /// It ended.
    Stopped,
    /// It failed.
    Failed {
        /// Its number for it.
        code: Option<String>,
        /// Its words for it.
        message: Option<String>,
    },
}

/// One message of an engine and its time.
pub type Message = (UtcTime, Heard);

/// The engines at work on one call.
#[derive(Debug)]
pub struct Transcription {
    orders: Vec<(String, Order<Message>)>,
    state: PerTrack<TranscriptionState>,
}

/// All that is known of the engines, as another relay takes it over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    orders: Vec<(String, order::Kept<Message>)>,
    state: PerTrack<TranscriptionState>,
}

impl Default for Transcription {
    fn default() -> Self {
        let none = || TranscriptionState {
            engine: None,
            state: "none".to_owned(),
            since: None,
        };
        Transcription {
            orders: Vec::new(),
            state: PerTrack {
                inbound: none(),
                outbound: none(),
            },
        }
    }
}

impl Transcription {
    /// Takes a message of the transcription `source`, numbered `sequence`; answers what is now in order.
    pub fn push(
        &mut self,
        now: Instant,
        source: &str,
        sequence: Option<u64>,
        message: Message,
    ) -> Vec<Message> {
        let mut out = Vec::new();
        match self.orders.iter_mut().find(|(name, _)| name == source) {
            Some((_, order)) => order.push(now, sequence, message, &mut out),
            None => {
                if self.orders.len() >= SOURCES {
                    let (_, mut oldest) = self.orders.remove(0);
                    oldest.flush(&mut out);
                }
                let mut order = Order::default();
                order.push(now, sequence, message, &mut out);
                self.orders.push((source.to_owned(), order));
            }
        }
        out
    }

    /// When a missing number is given up.
    pub fn deadline(&self) -> Option<Instant> {
        self.orders.iter().filter_map(|(_, order)| order.deadline()).min()
    }

    /// Gives up what was waited for too long.
    pub fn on_deadline(&mut self, now: Instant) -> Vec<Message> {
        let mut out = Vec::new();
        for (_, order) in &mut self.orders {
            order.on_deadline(now, &mut out);
        }
        out
    }

    /// Gives up waiting: all that has come is in order now.
    pub fn flush(&mut self) -> Vec<Message> {
        let mut out = Vec::new();
        for (_, order) in &mut self.orders {
            order.flush(&mut out);
        }
        out
    }

    /// Notes what a message in order says of the engine; whether that is news.
    pub fn note(&mut self, at: UtcTime, heard: &Heard) -> bool {
        match heard {
            Heard::Started { engine, track, .. } => self.set(*track, Some(engine), "running", at),
            Heard::Line(line) => self.set(Some(line.track), Some(&line.engine), "running", at),
            Heard::Nothing { .. } | Heard::HeldBack { .. } => false,
            Heard::Stopped => self.set(None, None, "stopped", at),
            Heard::Failed { .. } => self.set(None, None, "failed", at),
        }
    }

    fn set(&mut self, track: Option<Track>, engine: Option<&String>, state: &str, at: UtcTime) -> bool {
        let mut changed = false;
        for side in Track::BOTH
            .into_iter()
            .filter(|t| track.is_none_or(|only| only == *t))
        {
            let known = self.state.get_mut(side);
            if engine.is_some() && known.engine.is_none() {
                known.engine = engine.cloned();
                changed = true;
            }
            if known.state != state {
                known.state = state.to_owned();
                known.since = Some(at);
                changed = true;
            }
        }
        changed
    }

    /// As another relay is told it.
    pub fn keep(&self) -> Kept {
        let orders = self.orders.iter();
        Kept {
            orders: orders.map(|(name, order)| (name.clone(), order.keep())).collect(),
            state: self.state.clone(),
        }
    }

    /// As another relay told it.
    pub fn restore(now: Instant, kept: Kept) -> Transcription {
        let orders = kept.orders.into_iter().take(SOURCES);
        Transcription {
            orders: orders
                .map(|(name, order)| (name, Order::restore(now, order)))
                .collect(),
            state: kept.state,
        }
    }

    /// As a call shows it.
    pub fn view(&self) -> PerTrack<TranscriptionState> {
        self.state.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transcription_has_its_own_count() {
        let (t, at) = (Instant::now(), UtcTime::from_unix_ms(0));
        let mut transcription = Transcription::default();
        let started = || Heard::Started {
            engine: "twilio".into(),
            provider: None,
            track: None,
        };
        assert_eq!(transcription.push(t, "GT1", Some(1), (at, started())).len(), 1);
        assert!(transcription.note(at, &started()) && !transcription.note(at, &started()));
        assert_eq!(
            transcription.push(t, "GT1", Some(3), (at, Heard::Stopped)).len(),
            0
        );
        assert_eq!(transcription.push(t, "GT2", Some(1), (at, started())).len(), 1);
        assert_eq!(
            transcription.on_deadline(transcription.deadline().unwrap()).len(),
            1
        );
        assert!(transcription.note(at, &Heard::Stopped));
        let view = transcription.view();
        assert_eq!(
            (view.inbound.state.as_str(), view.outbound.engine.as_deref()),
            ("stopped", Some("twilio"))
        );
    }

    #[test]
    fn no_number_of_sources_piles_up_and_none_loses_words() {
        let (t, at) = (Instant::now(), UtcTime::from_unix_ms(0));
        let mut transcription = Transcription::default();
        let out: usize = (0..100)
            .map(|n| {
                transcription
                    .push(t, &n.to_string(), Some(2), (at, Heard::Stopped))
                    .len()
            })
            .sum();
        assert_eq!(transcription.orders.len(), SOURCES);
        assert_eq!(out, 100 - SOURCES);
    }
}
