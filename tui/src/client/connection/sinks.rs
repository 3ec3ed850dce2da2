//! The road of audio past the signals: frames go from the socket to whoever plays them, and never wait for
//! whoever draws. A sink is called from the connection's task, so it must not wait either.

use std::collections::BTreeMap;
use std::time::Instant;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;

use crate::client::session::{Update, Want};

/// Takes one heard call's audio. It drops what it has no room for; it must not block.
pub type Sink = Box<dyn FnMut(Audio) + Send>;

/// What becomes of a heard call's audio.
#[derive(Debug, Clone)]
pub enum Audio {
    /// A stream begins: chunks count anew. Comes first, and again whenever another stream takes over.
    Stream {
        /// The wall clock at its timestamp 0, Unix ms, where the relay says it.
        zero_ms: Option<i64>,
    },
    /// A frame, once, after all of its track that came before.
    Frame {
        /// The frame.
        frame: AudioFrame,
        /// When the socket was read.
        arrived: Instant,
    },
    /// Chunks that will not come.
    Missed {
        /// On which track.
        track: Track,
        /// The first.
        from: u32,
        /// The last.
        to: u32,
    },
    /// Nothing more comes: the call is over, or no longer granted.
    Over,
}

/// The sinks, by call; whether each was told of its stream by the relay.
#[derive(Default)]
pub(super) struct Sinks(BTreeMap<CallSid, (Sink, bool)>);

impl Sinks {
    /// Audio of `call` goes to `sink` from now on.
    pub(super) fn set(&mut self, call: CallSid, mut sink: Sink) {
        sink(Audio::Stream { zero_ms: None });
        self.0.insert(call, (sink, false));
    }

    /// The call is wanted otherwise.
    pub(super) fn on_subscribe(&mut self, call: &CallSid, want: Want) {
        if !want.audio {
            self.0.remove(call);
        }
    }

    /// The call is wanted no more.
    pub(super) fn drop(&mut self, call: &CallSid) {
        self.0.remove(call);
    }

    /// Tells the sink what concerns it; what is left is for the signals.
    pub(super) fn take(&mut self, update: Update, arrived: Instant) -> Option<Update> {
        match &update {
            Update::Frame { call, frame } => {
                let Some((sink, _)) = self.0.get_mut(call) else {
                    return Some(update);
                };
                let frame = frame.clone();
                sink(Audio::Frame { frame, arrived });
                return None;
            }
            &Update::Missed {
                ref call,
                track,
                from,
                to,
                ..
            } => self.tell(call, Audio::Missed { track, from, to }),
            Update::Subscribed {
                call,
                audio_id: Some(_),
                new_stream,
                zero_at,
                ..
            } => {
                // A call that was followed before it is heard has its stream already.
                if let Some((sink, is_told)) = self.0.get_mut(call)
                    && (*new_stream || !*is_told)
                {
                    *is_told = true;
                    let zero_ms = zero_at.map(UtcTime::unix_ms);
                    sink(Audio::Stream { zero_ms });
                }
            }
            Update::Ended(call)
            | Update::Missing(call)
            | Update::CallRemoved(call)
            | Update::Unsubscribed(call)
            | Update::Refused { call, .. } => {
                self.tell(call, Audio::Over);
                self.0.remove(call);
            }
            _ => {}
        }
        Some(update)
    }

    /// The connection has ended for good.
    pub(super) fn end(&mut self) {
        for (sink, _) in self.0.values_mut() {
            sink(Audio::Over);
        }
        self.0.clear();
    }

    fn tell(&mut self, call: &CallSid, audio: Audio) {
        if let Some((sink, _)) = self.0.get_mut(call) {
            sink(audio);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_call_that_was_followed_first_has_the_relays_clock_too() {
        let call = CallSid::parse("CA1").unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = told.clone();
        let mut sinks = Sinks::default();
        let sink: Sink = Box::new(move |audio| {
            if let Audio::Stream { zero_ms } = audio {
                tell.lock().unwrap().push(zero_ms);
            }
        });
        sinks.set(call.clone(), sink);
        let subscribed = |new_stream, zero_ms| Update::Subscribed {
            call: call.clone(),
            audio_id: Some(1),
            zero_at: Some(UtcTime::from_unix_ms(zero_ms)),
            resumed: false,
            new_stream,
        };
        // Its stream is known since its lines were asked for; after a break it is the same; then it is another.
        for update in [subscribed(false, 5), subscribed(false, 5), subscribed(true, 9)] {
            assert!(sinks.take(update, Instant::now()).is_some());
        }
        assert_eq!(*told.lock().unwrap(), [None, Some(5), Some(9)]);
    }
}
