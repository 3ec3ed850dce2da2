//! Calls at the relay that stays, and who listens to them there: each frame comes, and when it came is kept.

use std::time::Duration;

use harness::wait::{SOON, within};
use harness::{Listener, Relays};
use partyline_shared::track::Track;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::super::{PACE, said};

/// So many, each with a listener.
const CALLS: u8 = 3;

/// The calls, while they go on.
pub(super) struct Others(Vec<JoinHandle<Vec<Duration>>>);

impl Others {
    /// They begin to talk, for so long.
    pub(super) async fn begin(relays: &Relays, nth: usize, time: Duration) -> Others {
        let mut all = Vec::new();
        for n in 0..CALLS {
            let (call, mut stream) = relays.live_call(&format!("9{n}"), nth, nth).await;
            let mut listener = relays.listen(nth).await;
            listener.subscribe(call.sid()).await;
            let audio = said(n, (time.as_millis() / PACE.as_millis()) as usize);
            all.push(tokio::spawn(async move {
                let talk = async {
                    stream.play(&audio, &audio, PACE).await;
                    stream
                };
                let frames = 2 * audio.len() / 160;
                let (_stream, came) = tokio::join!(talk, arrivals(&mut listener, frames));
                let heard = listener.heard(call.sid());
                assert_eq!(heard.gaps, [], "who listens to another call lost something");
                for track in Track::BOTH {
                    assert!(heard.audio(track) == audio, "{track}: not what was said");
                }
                came
            }));
        }
        Others(all)
    }

    /// They have talked; all was heard. The times between two frames of a track, the shortest first.
    pub(super) async fn between(self) -> Vec<Duration> {
        let mut all = Vec::new();
        for hearing in self.0 {
            let came = within(SOON, "the end of a call that nothing disturbs", hearing).await;
            all.extend(came.expect("it was heard"));
        }
        all.sort_unstable();
        all
    }
}

async fn arrivals(listener: &mut Listener, frames: usize) -> Vec<Duration> {
    let mut last = [None, None];
    let mut between = Vec::new();
    for _ in 0..frames {
        let frame = listener.next_frame("a frame that nothing disturbs").await;
        let now = Instant::now();
        let before = &mut last[usize::from(frame.track() == Track::Outbound)];
        between.extend(before.map(|before| now - before));
        *before = Some(now);
    }
    between
}

/// Of a thousand the one that is longer than 999.
pub(super) fn p999(between: &[Duration]) -> Duration {
    between[(between.len() - 1) * 999 / 1000]
}
