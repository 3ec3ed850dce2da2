//! What the app wants done, done.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::sync::watch;

use super::wishes::Wishes;
use crate::app::effect::Effect;
use crate::audio::player::Player;
use crate::event::{CallKey, Mix, RelayId};

/// Longest text for the clipboard, bytes: terminals take 75 kB of base64 and some no more. No call's name and no
/// line is a tenth of it.
const MAX_COPY: usize = 48 << 10;

/// The hands: relays and player.
pub(super) struct Hands {
    pub(super) player: Player,
    pub(super) wishes: Vec<watch::Sender<Wishes>>,
    pub(super) mix: Mix,
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
            Effect::Listen {
                call: CallKey { relay, call },
                roles,
            } => {
                let ear = self.player.hear(roles, self.mix);
                self.wish(relay, |wishes| wishes.hear(&call, ear));
            }
            Effect::StopListening(key) => {
                self.player.stop();
                self.wish(key.relay, |wishes| wishes.stop_hearing(&key.call));
            }
            Effect::Roles(roles) => self.player.set_roles(roles),
            Effect::Pause(held) => self.player.pause(held),
            Effect::Live => self.player.live(),
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

    fn wish(&self, relay: RelayId, change: impl FnOnce(&mut Wishes)) {
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
    use super::*;

    #[test]
    fn what_is_copied_cannot_leave_its_sequence() {
        assert_eq!(clipboard("CA1"), b"\x1b]52;c;Q0Ex\x07");
        let bytes = clipboard("\x1b\\\x07\u{9c}");
        let inside = &bytes[7..bytes.len() - 1];
        assert!(inside.iter().all(|byte| byte.is_ascii_graphic()), "{inside:?}");
        assert!(clipboard(&"ß".repeat(MAX_COPY)).len() <= MAX_COPY * 4 / 3 + 16);
    }
}
