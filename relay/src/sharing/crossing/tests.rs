//! Two relays and a real Redis between them: what is heard at one of a call that the other has.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::Track;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::*;
use crate::access::Grant;
use crate::broker::tests_support::{Redis, SOON};
use crate::broker::{Broker, Subscription};
use crate::calls::call::tests_support::media;
use crate::calls::call::{Accepted, Ask, Begin, Call};
use crate::calls::fanout::{Gap, Item, Mailbox};
use crate::calls::journal::Cursor;
use crate::calls::registry::{Registry, Settings};
use crate::metrics::Metrics;
use crate::sharing::letter::Letter;

mod heard;
mod lost;

/// One relay, but for its doors.
struct Relay {
    hub: Hub,
    metrics: Arc<Metrics>,
    _tasks: JoinSet<()>,
}

impl Relay {
    async fn start(redis: &Redis, node: &str) -> Relay {
        let metrics = Arc::<Metrics>::default();
        let settings = Settings {
            retention: Duration::from_secs(60),
            history: Duration::from_secs(10),
            max_calls: 1_000,
        };
        let registry = Arc::new(Registry::new(node.into(), settings, metrics.clone()));
        registry.feed().turn_on();
        let mut settings = redis.settings();
        node.clone_into(&mut settings.node);
        let broker = Broker::new(settings, metrics.clone()).unwrap();
        let hub = Hub::new(broker.clone(), registry, metrics.clone());
        let crossing = Crossing::new(hub.clone());
        let (words, audio) = (crossing.clone(), crossing.clone());
        let subscriptions = vec![
            Subscription {
                channels: vec![format!("to:{node}")],
                hear: Arc::new(move |_, payload| {
                    let letter: Letter = serde_json::from_slice(payload).unwrap();
                    assert!(words.hear(&letter.from, letter.word).is_none());
                }),
                own_connection: false,
            },
            Subscription {
                channels: vec![format!("audio:{node}")],
                hear: Arc::new(move |_, payload| audio.hear_audio(payload)),
                own_connection: true,
            },
        ];
        let (stop, mut tasks) = (Stop::default(), JoinSet::new());
        let until = stop.clone();
        tasks.spawn(async move { broker.run(subscriptions, until).await });
        tasks.spawn(crossing.run(stop));
        let mut link = hub.broker.link();
        timeout(SOON, link.wait_for(|link| link.up))
            .await
            .unwrap()
            .unwrap();
        Relay {
            hub,
            metrics,
            _tasks: tasks,
        }
    }

    /// A call of this relay, with a stream of that number.
    fn call(&self, sid: &str, audio_id: u32) -> Arc<Call> {
        let now = Now::take();
        let sid = CallSid::parse(sid).unwrap();
        let call = self.hub.registry.open(now, &sid).unwrap();
        let accepted = Accepted {
            tracks: Track::BOTH.to_vec(),
            ..Accepted::default()
        };
        call.accept_stream(now, audio_id, accepted);
        call
    }

    /// The same call here, as this relay knows it that does not have it.
    fn follows(&self, owner: &Relay, call: &Call) -> Arc<Call> {
        let told = call.told(|_| Cursor::default()).unwrap();
        let (node, sid) = (owner.hub.node.clone(), call.sid());
        let followed = self.hub.registry.follow(
            Now::take(),
            &node,
            sid,
            &told.snapshot,
            Cursor::default(),
            &told.entries,
        );
        assert!(followed.is_ok());
        self.hub.registry.known(sid).unwrap()
    }
}

/// A listener, as far as its mailbox.
struct Ear {
    mailbox: Arc<Mailbox>,
    seat: crate::calls::call::SeatGuard,
}

impl Ear {
    fn sit(call: &Arc<Call>, replay_ms: u64) -> Ear {
        let mailbox = Arc::<Mailbox>::default();
        mailbox.set_subs(vec![1]);
        let ask = Ask {
            mailbox: &mailbox,
            sub: 1,
            audio: true,
            form: None,
            from: Begin::Now,
            replay_ms,
        };
        let made = call.subscribe(Now::take(), &Grant::insecure(), ask).unwrap();
        assert!(made.replay.is_empty());
        let seat = made.seat;
        Ear { mailbox, seat }
    }

    /// What has come since it was asked last.
    fn heard(&self) -> Vec<Item> {
        let mut items = std::collections::VecDeque::new();
        self.mailbox.take(&mut items, usize::MAX);
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// What has come, once all of that is there.
    async fn hears(&self, mut enough: impl FnMut(&[Item]) -> bool) -> Vec<Item> {
        let mut all = Vec::new();
        until("all of it to be heard", || {
            all.extend(self.heard());
            enough(&all)
        })
        .await;
        all
    }
}

/// Waits until something is so.
async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let all = async {
        while !is() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(SOON, all)
        .await
        .unwrap_or_else(|_| panic!("waited for {what}"));
}

fn frame(track: Track, audio_id: u32, chunk: u32) -> AudioFrame {
    AudioFrame::new(track, audio_id, chunk, chunk * 20, &[chunk as u8; 160])
}

/// Both tracks of these chunks.
fn said(call: &Call, audio_id: u32, chunks: RangeInclusive<u32>) {
    for chunk in chunks {
        for track in Track::BOTH {
            let item = Item::Frame(frame(track, audio_id, chunk));
            media(call, Instant::now(), audio_id, &[item]);
        }
    }
}

/// Inbound frames by their chunks, and gaps.
fn inbound(items: &[Item]) -> Vec<String> {
    let told = items.iter().filter_map(|item| match item {
        Item::Frame(frame) if frame.track() == Track::Inbound => Some(frame.chunk().to_string()),
        Item::Gap(gap) if gap.track == Track::Inbound => Some(format!(
            "{}-{} {}",
            gap.from_chunk,
            gap.to_chunk,
            gap.reason.as_str()
        )),
        _ => None,
    });
    told.collect()
}
