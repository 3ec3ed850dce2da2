//! A call that nothing may disturb: recorded speech on both tracks in real time, heard by a listener that
//! keeps up. Whatever a story does to the same relay meanwhile, every byte of it has to arrive.

use std::net::SocketAddr;
use std::time::Duration;

use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::track::{PerTrack, Track};
use tokio::task::JoinHandle;

use crate::listener::Item;
use crate::twilio::TwilioCall;
use crate::wait::{SOON, within};
use crate::{Guarded, Listener, MediaSocket, Relay, speech};

/// Real time: a frame of each track every 20 ms.
const PACE: Duration = Duration::from_millis(20);

/// The call, while it is played and heard.
pub struct Witness {
    sid: CallSid,
    sent: PerTrack<Vec<u8>>,
    /// How long all of it may take.
    limit: Duration,
    playing: JoinHandle<()>,
    hearing: JoinHandle<Listener>,
}

impl Witness {
    /// Begins a call of `millis` ms and a listener of it; both go on by themselves.
    pub async fn begin(relay: &Relay, millis: usize) -> Witness {
        Self::begin_at(relay.addr(), millis).await
    }

    /// The same by another way to the relay.
    pub async fn begin_at(relay: SocketAddr, millis: usize) -> Witness {
        let call = TwilioCall::at(relay);
        let stream = call.live_stream().await;
        let listener = Listener::connect(relay).await;
        Self::of(&call, stream, listener, millis).await
    }

    /// The same at a relay that is run as for people: signed, and heard by whoever has this token.
    pub async fn begin_guarded(relay: &Guarded, token: &str, millis: usize) -> Witness {
        let (call, stream) = relay.live_call("7").await;
        let listener = relay.listen(token).await;
        Self::of(&call, stream, listener, millis).await
    }

    async fn of(
        call: &TwilioCall,
        mut stream: MediaSocket,
        mut listener: Listener,
        millis: usize,
    ) -> Witness {
        let sent = PerTrack {
            inbound: speech::piece(speech::LONG[0], 500, millis),
            outbound: speech::piece(speech::LONG[1], 500, millis),
        };
        let sid = call.sid().clone();
        // The list may know the call a moment before it or after it.
        let known = sid.clone();
        listener
            .until_so("the witness in the list", |l| l.calls.contains_key(&known))
            .await;
        listener.subscribe(&sid).await;
        let (inbound, outbound) = (sent.inbound.clone(), sent.outbound.clone());
        let playing = tokio::spawn(async move {
            stream.play(&inbound, &outbound, PACE).await;
            stream.hang_up().await;
        });
        let mine = sid.clone();
        let hearing = tokio::spawn(async move {
            while listener.heard(&mine).event(EventKind::StreamStopped).is_none() {
                if let Item::Closed(code) = listener.next("more of the witness").await {
                    panic!("the witness: the relay closed with {code:?}");
                }
            }
            listener
        });
        Witness {
            sid,
            sent,
            limit: Duration::from_millis(millis as u64) + SOON,
            playing,
            hearing,
        }
    }

    /// Its name.
    pub fn sid(&self) -> &CallSid {
        &self.sid
    }

    /// Waits for its end. Fails the story unless every byte arrived, once and in order, with no gap.
    pub async fn was_not_disturbed(self) {
        within(self.limit, "the witness's last frame to be sent", self.playing)
            .await
            .expect("the witness could be sent");
        let listener = within(self.limit, "the witness to be heard to its end", self.hearing)
            .await
            .expect("the witness could be heard");
        let heard = listener.heard(&self.sid);
        assert_eq!(heard.gaps, [], "the witness lost something");
        heard.assert_no_hole();
        for track in Track::BOTH {
            assert!(
                heard.audio(track) == *self.sent.get(track),
                "{track}: the witness is not what was sent, byte for byte"
            );
        }
    }
}
