//! What the app wants done, done.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use partyline_shared::time::UtcTime;
use tokio::sync::watch;

use super::wishes::Wishes;
use crate::app::effect::Effect;
use crate::audio::player::Inlet;
use crate::ear::sound::Sound;
use crate::event::{CallKey, Mix, RelayId};

/// Longest text for the clipboard, bytes: terminals take 75 kB of base64 and some no more. No call's name and no
/// line is a tenth of it.
const MAX_COPY: usize = 48 << 10;

/// The hands: relays and player.
pub(super) struct Hands {
    pub(super) player: Sound,
    pub(super) wishes: Vec<watch::Sender<Wishes>>,
    pub(super) mix: Mix,
    pub(super) heard: Heard,
}

/// Which of the player's calls are whose.
#[derive(Debug, Default)]
pub(super) struct Heard(Vec<(CallKey, u64)>);

impl Heard {
    /// The player's name of a heard call.
    pub(super) fn generation(&self, call: &CallKey) -> Option<u64> {
        let found = self.0.iter().find(|(key, _)| key == call);
        found.map(|(_, generation)| *generation)
    }

    fn add(&mut self, call: CallKey, generation: u64) {
        self.0.push((call, generation));
    }

    /// The player no longer hears it; whose it was.
    fn take(&mut self, generation: u64) -> Option<CallKey> {
        let at = self.0.iter().position(|(_, of)| *of == generation)?;
        Some(self.0.swap_remove(at).0)
    }
}

/// What only the loop can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Left {
    /// Bytes for the terminal.
    Write(Vec<u8>),
    /// Draw everything anew.
    Redraw,
    /// Into the background.
    Suspend,
    /// The end.
    Quit,
}

impl Hands {
    /// Does it, or says what is left to do.
    pub(super) fn carry_out(&mut self, effect: Effect) -> Option<Left> {
        match effect {
            Effect::Follow(key) => self.wish(key.relay, |wishes| wishes.follow(key.call)),
            Effect::Unfollow(key) => self.wish(key.relay, |wishes| wishes.unfollow(&key.call)),
            Effect::Listen { call, roles } => {
                let inlet = self.player.hear(roles, self.mix);
                // None of the others is heard any more.
                for (old, _) in std::mem::take(&mut self.heard.0) {
                    self.wish(old.relay, |wishes| wishes.stop_hearing(&old.call));
                }
                self.hear(call, inlet);
            }
            Effect::Also { call, roles } => {
                self.leave(&call);
                let (inlet, gone) = self.player.also(roles);
                if let Some(gone) = gone.and_then(|gone| self.heard.take(gone)) {
                    self.wish(gone.relay, |wishes| wishes.stop_hearing(&gone.call));
                }
                self.hear(call, inlet);
            }
            Effect::StopListening(call) => {
                self.leave(&call);
                self.wish(call.relay, |wishes| wishes.stop_hearing(&call.call));
            }
            Effect::Front(call) => self.with(&call, Sound::front),
            Effect::Roles { call, roles } => {
                self.with(&call, |player, generation| player.set_roles(generation, roles));
            }
            Effect::Pause(held) => self.player.pause(held),
            Effect::Live => self.player.live(),
            Effect::Seek(ms) => self.player.seek(ms),
            Effect::SeekTo(at) => self.player.seek_to(at.unix_ms()),
            Effect::Fast(fast) => self.player.fast(fast),
            Effect::SkipSilence(skip) => self.player.skip_silence(skip),
            // Rooms to come.
            Effect::ListDevices => self.player.list_devices(),
            Effect::UseDevice(device) => self.player.use_device(device),
            // The loop's: it needs what the app knows of the call.
            Effect::Clip(_) => {}
            Effect::Mark { call, at } => {
                // The player knows by the relay's clock what is heard, and not only by this machine's.
                let heard = || self.player.heard_at().map(UtcTime::from_unix_ms);
                let at = at.map(|at| heard().unwrap_or(at));
                self.wish(call.relay, |wishes| wishes.mark(call.call, at));
            }
            Effect::Mix(mix) => {
                self.mix = mix;
                self.player.set_mix(mix);
            }
            Effect::Hold { call, on } => self.wish(call.relay, |wishes| wishes.hold(call.call, on)),
            Effect::Watch(relay, hz) => self.wish(relay, |wishes| wishes.levels_hz = hz),
            Effect::Retry(relay) => self.wish(relay, |wishes| wishes.retries += 1),
            Effect::Copy(text) => return Some(Left::Write(clipboard(&text))),
            Effect::Redraw => return Some(Left::Redraw),
            Effect::Suspend => return Some(Left::Suspend),
            Effect::Quit => return Some(Left::Quit),
        }
        None
    }

    fn hear(&mut self, call: CallKey, inlet: Inlet) {
        self.heard.add(call.clone(), inlet.generation());
        self.wish(call.relay, |wishes| wishes.hear(&call.call, inlet));
    }

    /// The player hears it no more, if it did.
    fn leave(&mut self, call: &CallKey) {
        if let Some(generation) = self.heard.generation(call) {
            self.player.leave(generation);
            self.heard.take(generation);
        }
    }

    fn with(&self, call: &CallKey, what: impl FnOnce(&Sound, u64)) {
        if let Some(generation) = self.heard.generation(call) {
            what(&self.player, generation);
        }
    }

    pub(super) fn wish(&self, relay: RelayId, change: impl FnOnce(&mut Wishes)) {
        if let Some(wishes) = self.wishes.get(usize::from(relay.0)) {
            wishes.send_modify(change);
        }
    }
}

/// OSC 52: the terminal puts it into the clipboard of the machine that it is on, also over ssh. tmux passes it on
/// where `set-clipboard` is `on` or `external`.
fn clipboard(text: &str) -> Vec<u8> {
    let mut end = text.len().min(MAX_COPY);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = BASE64_STANDARD.encode(text.get(..end).unwrap_or_default());
    format!("\x1b]52;c;{text}\x07").into_bytes()
}

#[cfg(test)]
mod tests {
    use partyline_shared::id::CallSid;
    use partyline_shared::track::{Track, roles};

    use super::*;
    use crate::audio::desk::SEATS;
    use crate::audio::player::Settings;
    use crate::ear::sound::Wish;

    fn key(call: &str) -> CallKey {
        CallKey {
            relay: RelayId(0),
            call: CallSid::parse(call).unwrap(),
        }
    }

    fn also(call: &str) -> Effect {
        Effect::Also {
            call: key(call),
            roles: roles(Track::Outbound),
        }
    }

    #[test]
    fn each_key_is_about_the_call_that_it_names() {
        let silent = Settings {
            silent: true,
            ..Settings::default()
        };
        let mut hands = Hands {
            player: Sound::start(Wish::Here(silent), |_| {}),
            wishes: Vec::new(),
            mix: Mix::default(),
            heard: Heard::default(),
        };
        let first = Effect::Listen {
            call: key("CA1"),
            roles: roles(Track::Outbound),
        };
        hands.carry_out(first);
        hands.carry_out(also("CA2"));
        let [one, two] = ["CA1", "CA2"].map(|call| hands.heard.generation(&key(call)).unwrap());
        assert_eq!(hands.player.wanted().front, two);
        hands.carry_out(Effect::Front(key("CA1")));
        hands.carry_out(Effect::Seek(-10_000));
        hands.carry_out(Effect::Fast(true));
        hands.carry_out(Effect::Roles {
            call: key("CA2"),
            roles: roles(Track::Inbound),
        });
        let wanted = hands.player.wanted();
        let (first, second) = (wanted.seat(one).unwrap(), wanted.seat(two).unwrap());
        assert_eq!((wanted.front, first.seek_ms, first.fast), (one, -10_000, true));
        assert_eq!((second.seek_ms, second.roles), (0, roles(Track::Inbound)));
        // Too many: the oldest behind goes.
        for call in 3..=SEATS + 1 {
            hands.carry_out(also(&format!("CA{call}")));
        }
        assert_eq!(hands.heard.generation(&key("CA1")), None);
        assert_eq!(hands.player.wanted().seat(one), None);
        hands.carry_out(Effect::StopListening(key("CA5")));
        assert_eq!(
            hands.player.wanted().front,
            hands.heard.generation(&key("CA4")).unwrap()
        );
        hands.carry_out(Effect::Listen {
            call: key("CA6"),
            roles: roles(Track::Outbound),
        });
        assert_eq!(hands.heard.0.len(), 1);
        assert_eq!(hands.player.wanted().seats.iter().flatten().count(), 1);
    }

    #[test]
    fn what_is_copied_cannot_leave_its_sequence() {
        assert_eq!(clipboard("CA1"), b"\x1b]52;c;Q0Ex\x07");
        let bytes = clipboard("\x1b\\\x07\u{9c}");
        let inside = &bytes[7..bytes.len() - 1];
        assert!(inside.iter().all(|byte| byte.is_ascii_graphic()), "{inside:?}");
        assert!(clipboard(&"ß".repeat(MAX_COPY)).len() <= MAX_COPY * 4 / 3 + 16);
    }
}
