//! Redis is killed and comes back empty, is paused, is stopped, or cannot be reached by one relay, for longer than a lease
//! lasts. Who listens where a call is misses nothing; who listens elsewhere is told what he missed; and soon after its
//! return all relays show the same, with every line that was told meanwhile. All ways at once, since they mostly wait.

use std::collections::BTreeSet;
use std::time::Duration;

use ::http::Method;
use harness::listener::Item;
use harness::relays::Relays;
use harness::wait::{SOON, within};
use harness::{Listener, MediaSocket, TwilioCall, binaries};
use partyline_shared::audio::FRAME_BYTES;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::call::{Call, CallStatus, StreamState};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::Track;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::{Instant, sleep};

use super::{in_order, once_each, said, says};

/// Longer than a lease. `PARTYLINE_OUTAGE` says another, seconds: the long ones are done by hand.
const OUTAGE: Duration = Duration::from_secs(6);
/// Until all is right again.
const RIGHT: Duration = Duration::from_secs(5);
/// What is said before Redis goes and after it is right again.
const AROUND: Duration = Duration::from_secs(1);

/// Slower than people talk: this is about what is lost, and twelve relays share one machine here.
const PACE: Duration = Duration::from_millis(60);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);

const HERE: usize = 0;
const THERE: usize = 1;

/// How it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Killed,
    Paused,
    Stopped,
    /// The relay that has the call cannot reach it, or the other one cannot; nothing is closed.
    CutOffHere,
    CutOffThere,
    /// What Redis says does not arrive where the call is; what is said to it does.
    Deafened,
}

const WAYS: [Way; 6] = [
    Way::Killed,
    Way::Paused,
    Way::Stopped,
    Way::CutOffHere,
    Way::CutOffThere,
    Way::Deafened,
];

fn outage() -> Duration {
    let asked = std::env::var("PARTYLINE_OUTAGE").ok();
    asked.map_or(OUTAGE, |seconds| {
        Duration::from_secs(seconds.parse().expect("whole seconds"))
    })
}

impl Way {
    /// Whether both relays may have been the owner of the call meanwhile. It is one again under another numbering, and
    /// who listens is told all of it anew.
    fn splits(self) -> bool {
        matches!(self, Way::CutOffHere | Way::Deafened)
    }

    /// Redis goes, and is back after `outage`.
    async fn happens(self, relays: &mut Relays, outage: Duration) {
        match self {
            Way::Killed => {
                relays.redis.kill().await;
                sleep(outage).await;
                relays.redis.restart_empty().await;
            }
            Way::Paused => {
                relays.redis.pause_clients(outage).await;
                sleep(outage).await;
            }
            Way::Stopped => {
                relays.redis.stop();
                sleep(outage).await;
                relays.redis.go_on();
            }
            Way::CutOffHere | Way::CutOffThere | Way::Deafened => {
                let link = relays.link(if self == Way::CutOffThere { THERE } else { HERE });
                match self {
                    Way::Deafened => link.hold_back(),
                    _ => link.hold(),
                }
                sleep(outage).await;
                link.go_on();
            }
        }
    }
}

#[tokio::test]
async fn whatever_becomes_of_redis_nothing_is_lost_that_a_relay_has() {
    // Nothing else goes on while they are built.
    binaries::path(binaries::RELAY);
    let local = LocalSet::new();
    let stories = WAYS.map(|way| (way, local.spawn_local(story(way))));
    local.await;
    for (way, story) in stories {
        if let Err(failed) = story.await {
            panic!("{way:?}: {failed}");
        }
    }
}

/// A call with speech without end at one relay, and who hears it there.
struct Heard {
    call: TwilioCall,
    talking: JoinHandle<MediaSocket>,
    hearing: JoinHandle<Listener>,
    audio: Vec<u8>,
}

impl Heard {
    async fn begin(relays: &Relays, nth: usize, number: u8, time: Duration) -> Heard {
        let (call, mut stream) = relays.live_call(&number.to_string(), HERE, nth).await;
        let audio = said(number, (time.as_millis() / PACE.as_millis()) as usize);
        let mut listener = relays.listen(nth).await;
        listener.subscribe(call.sid()).await;
        let (mine, sid) = (audio.clone(), call.sid().clone());
        let talking = tokio::spawn(async move {
            stream.play(&mine, &mine, PACE).await;
            stream
        });
        let bytes = audio.len();
        let hearing = tokio::spawn(async move {
            let all = |l: &Listener| {
                let heard = l.heard(&sid);
                Track::BOTH.iter().all(|track| heard.audio(*track).len() >= bytes)
            };
            while !all(&listener) {
                let came = listener.next("what is said").await;
                assert!(!matches!(came, Item::Closed(_)), "who listens there: {came:?}");
            }
            listener
        });
        Heard {
            call,
            talking,
            hearing,
            audio,
        }
    }

    /// Waits for the end of what is said; whoever heard it where it was missed nothing.
    async fn was_not_disturbed(self, way: Way) -> (TwilioCall, MediaSocket, Listener) {
        let stream = within(SOON, "the last frame to be said", self.talking).await;
        let listener = within(SOON, "the last frame to be heard", self.hearing).await;
        let (stream, listener) = (stream.expect("it is said"), listener.expect("it is heard"));
        let heard = listener.heard(self.call.sid());
        assert_eq!(heard.gaps, [], "{way:?}");
        for track in Track::BOTH {
            assert!(heard.audio(track) == self.audio, "{way:?}: {track}");
        }
        (self.call, stream, listener)
    }
}

async fn story(way: Way) {
    let mut relays = Relays::start(2, &["--attach", "never"]).await;
    let outage = outage();
    let time = AROUND + outage + RIGHT + AROUND;
    let mut here = Heard::begin(&relays, HERE, 1, time).await;
    let there = Heard::begin(&relays, THERE, 2, time).await;
    let sid = here.call.sid().clone();
    let (ends, its_stream) = relays.live_call("3", HERE, HERE).await;
    relays
        .everywhere(ends.sid(), "the call that ends meanwhile", |call| {
            call.stream == StreamState::Live
        })
        .await;
    let mut remote = relays.listen(THERE).await;
    remote
        .until_so("the call in the list", |l| l.calls.contains_key(&sid))
        .await;
    remote.subscribe(&sid).await;
    remote.next_frame("a frame of the other relay").await;
    says(&mut here.call, "before").await;

    let addr = [HERE, THERE].map(|nth| relays.addr(nth));
    let begins = [HERE, THERE].map(|nth| relays.call(nth));
    let meanwhile = async {
        // Some when nobody has noticed yet, some when all have.
        for n in 0..2 {
            sleep(outage / 4).await;
            for (relay, addr) in ["here", "there"].into_iter().zip(addr) {
                here.call.aim(addr);
                says(&mut here.call, &format!("{relay} {n}")).await;
            }
        }
        its_stream.hang_up().await;
        for call in &begins {
            call.webhook(&[]).await.expect(200);
        }
    };
    let hears = remote.listens_for(outage);
    let ((), (), _) = tokio::join!(way.happens(&mut relays, outage), meanwhile, hears);

    let back = Instant::now();
    let live = |call: &Call| call.stream == StreamState::Live && call.status == CallStatus::InProgress;
    let over = |call: &Call| call.status == CallStatus::Completed;
    for nth in [HERE, THERE] {
        for call in &begins {
            is_so(&relays, nth, call.sid(), back, "began meanwhile", way, |_| true).await;
        }
        is_so(&relays, nth, ends.sid(), back, "ended meanwhile", way, over).await;
        for (sid, what) in [(&sid, "is here"), (there.call.sid(), "is there")] {
            is_so(&relays, nth, sid, back, what, way, live).await;
        }
    }
    says(&mut here.call, "after").await;
    let lines = ["before", "here 0", "there 0", "here 1", "there 1", "after"];
    let lines = lines.map(str::to_owned).to_vec();

    let told = |l: &Listener| {
        let finals = l.heard(&sid).finals();
        lines.iter().all(|line| finals.contains(&line.as_str()))
    };
    remote
        .until_so(&format!("{way:?}: all lines, elsewhere"), told)
        .await;
    there.was_not_disturbed(way).await;
    let (_call, _stream, mut local) = here.was_not_disturbed(way).await;
    local.until_so(&format!("{way:?}: all lines"), told).await;
    let [_, transcript, _] = relays.agree(&sid).await;
    let texts = transcript["transcript"].as_array().expect("a list").iter();
    let texts: Vec<&str> = texts.filter_map(|line| line["text"].as_str()).collect();
    once_each(&format!("{way:?}"), texts.clone(), lines.clone());
    // Of one relay, in its order.
    let place = |text: &str| texts.iter().position(|told| *told == text);
    for relay in ["here", "there"] {
        let [first, second] = [0, 1].map(|n| place(&format!("{relay} {n}")));
        assert!(first < second, "{way:?}: {texts:?}");
    }
    for listener in [&local, &remote] {
        let mut finals = listener.heard(&sid).finals();
        if way.splits() {
            let mut seen = BTreeSet::new();
            finals.retain(|text| seen.insert(*text));
        } else {
            in_order(listener, &sid);
        }
        once_each(&format!("{way:?}"), finals, lines.clone());
    }
    gone_and_back(way, &mut remote, &sid).await;
}

/// Waits until a relay shows a call so, not longer than all may take since Redis is back.
async fn is_so(
    relays: &Relays,
    nth: usize,
    sid: &CallSid,
    back: Instant,
    what: &str,
    way: Way,
    so: impl Fn(&Call) -> bool,
) {
    loop {
        let answer = relays
            .ask(nth, Method::GET, &format!("/api/v1/calls/{sid}"))
            .await;
        let call = (answer.status == 200).then(|| answer.json());
        let read = call
            .clone()
            .map(|call| serde_json::from_value(call).expect("a call"));
        if read.is_some_and(|call| so(&call)) {
            return;
        }
        assert!(
            back.elapsed() < RIGHT,
            "{way:?}: relay {nth} shows after {:?} of the call that {what}: {call:?}",
            back.elapsed()
        );
        sleep(LOOK).await;
    }
}

/// Who listens elsewhere is told what he missed, every chunk of it, and hears on.
async fn gone_and_back(way: Way, remote: &mut Listener, sid: &CallSid) {
    let last = (AROUND + outage() + RIGHT + AROUND).as_millis() / PACE.as_millis();
    let last = last as u32;
    let through = |l: &Listener| {
        Track::BOTH.iter().all(|track| {
            let frames = l.heard(sid).frames.get(*track);
            frames.last().is_some_and(|frame| frame.chunk() == last)
        })
    };
    let begun = Instant::now();
    while !through(remote) {
        let ends = remote.listens_for(LOOK).await;
        let heard = remote.heard(sid);
        let is_at = Track::BOTH.map(|track| heard.frames.get(track).last().map(AudioFrame::chunk));
        assert!(
            begun.elapsed() < SOON && !remote.has_ended(),
            "{way:?}: who listens elsewhere is at {is_at:?} of {last}, {:?}, {:?}, {ends:?}",
            heard.gaps,
            heard.subscribed
        );
    }
    let heard = remote.heard(sid);
    heard.assert_no_hole();
    for gap in &heard.gaps {
        assert_eq!(gap.reason, GapReason::RelayLink, "{way:?}: {gap:?}");
    }
    let missed: u32 = heard
        .gaps
        .iter()
        .filter(|gap| gap.track == Track::Inbound)
        .map(|gap| gap.to_chunk + 1 - gap.from_chunk)
        .sum();
    assert!(missed > 0, "{way:?}: nothing was missed");
    let frames = heard.frames.get(Track::Inbound);
    assert!(frames.iter().all(|frame| frame.mulaw().len() == FRAME_BYTES));
}
