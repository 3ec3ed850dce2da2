//! The relay's session and the client's, joined in memory without a socket or a clock: a thousand cuts at
//! random points, with messages under way lost, a relay that may be another one afterwards, and a pipe
//! that stops for a while so that mailboxes overflow. The same seeds each time.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;

use partyline::client::session::{MissedReason, Session as Client, Want};
use partyline_relay::access::{Access, Grant};
use partyline_relay::audit::Audit;
use partyline_relay::listen::session::{Answer, Asked, Host, Session as Listener, Transmit};
use partyline_shared::track::Track;
use rand::RngExt;

use super::verdict::Verdict;
use super::world::{World, sid};

const SEEDS: u64 = 20;
const CUTS: u32 = 50;

/// Messages under way at once: what a socket's buffers hold of frames.
const IN_FLIGHT: usize = 100;

/// One connection.
struct Link {
    listener: Listener,
    down: VecDeque<Transmit>,
    up: VecDeque<String>,
    /// When nothing gets through to the client.
    stopped: Range<u64>,
    /// The relay has taken the `subscribe`.
    subscribed: bool,
}

struct Story {
    world: World,
    client: Client,
    link: Option<Link>,
    /// Sessions whose sockets are gone, which the relay has not noticed: until when.
    ghosts: Vec<(u64, Listener)>,
    /// Streams that were replaced while this connection heard them.
    witnessed: Vec<u32>,
    verdict: Verdict,
}

impl Story {
    fn connect(&mut self) {
        let host = Host {
            registry: self.world.registry.clone(),
            access: Access::new(None, None).expect("nobody is to be read"),
            audit: Arc::new(Audit::off()),
            presence: Arc::default(),
            address: Ipv4Addr::LOCALHOST.into(),
            door: "listen",
            relays: None,
        };
        let listener = Listener::new(self.world.now(), host, Grant::insecure(), None);
        self.link = Some(Link {
            listener,
            down: VecDeque::new(),
            up: VecDeque::new(),
            stopped: 0..0,
            subscribed: false,
        });
        self.client.on_open(self.world.ms);
    }

    /// The connection is gone, and what was under way with it.
    fn cut(&mut self, code: Option<u16>) {
        if let Some(link) = self.link.take() {
            let unnoticed = self.world.dice.random_range(0..1500);
            self.ghosts.push((self.world.ms + unnoticed, link.listener));
        }
        self.witnessed.clear();
        self.read();
        self.client.on_closed(code);
    }

    fn live(&mut self, steps: u32, with_takeovers: bool) {
        for _ in 0..steps {
            if with_takeovers && self.world.once_in(300) {
                self.witnessed.extend(
                    self.link
                        .as_ref()
                        .filter(|link| link.subscribed)
                        .map(|_| self.world.audio_id),
                );
                self.world.take_over();
            }
            self.world.live();
            let ms = self.world.ms;
            self.ghosts.retain(|(until, _)| *until > ms);
            self.pump();
        }
    }

    /// Moves what can move in 20 ms.
    fn pump(&mut self) {
        let (now, ms) = (self.world.now(), self.world.ms);
        if self.client.deadline() <= ms {
            self.client.on_deadline(ms);
        }
        let Some(link) = &mut self.link else { return };
        link.up.extend(std::iter::from_fn(|| self.client.poll_send()));
        while let Some(text) = link.up.pop_front() {
            if text.contains(r#""type":"subscribe""#) {
                link.subscribed = true;
                for track in Track::BOTH {
                    *self.verdict.oldest_remembered.get_mut(track) = self.world.oldest_remembered(track);
                }
            }
            link.listener.on_text(now, &text);
        }
        if link.listener.deadline() <= now.mono {
            link.listener.on_deadline(now);
        }
        let mut budget = if link.stopped.contains(&ms) {
            0
        } else {
            self.world.dice.random_range(0..40)
        };
        let mut closed = None;
        loop {
            while link.down.len() < IN_FLIGHT
                && let Some(said) = link.listener.poll_transmit(now)
            {
                link.down.push_back(said);
            }
            // Without an audit it is on record at once.
            if let Some(Asked::Record(_)) = link.listener.next_asked() {
                link.listener.on_answer(now, Answer::Recorded(true));
                continue;
            }
            if budget == 0 {
                break;
            }
            budget -= 1;
            match link.down.pop_front() {
                Some(Transmit::Text(text)) => self.client.on_text(ms, &text),
                Some(Transmit::Shared(text)) => self.client.on_text(ms, &text),
                Some(Transmit::Binary(bytes)) => self.client.on_binary(ms, bytes),
                Some(Transmit::Framed(_)) => panic!("frames of this protocol are binary"),
                Some(Transmit::Ping) => link.listener.on_sign(now.mono),
                Some(Transmit::Close(code, _)) => closed = Some(code),
                None => break,
            }
        }
        self.read();
        if closed.is_some() {
            self.cut(closed);
            self.connect();
        }
    }

    fn read(&mut self) {
        while let Some(update) = self.client.poll_update() {
            self.verdict
                .on_update(&self.world.truth, &update, |id| self.witnessed.contains(&id));
        }
    }
}

fn play(seed: u64) -> Verdict {
    let world = World::begin(seed);
    let verdict = Verdict::new(seed, world.journal().0);
    let mut story = Story {
        world,
        client: Client::new(),
        link: None,
        ghosts: Vec::new(),
        witnessed: Vec::new(),
        verdict,
    };
    let want = Want {
        audio: true,
        replay_ms: 1000,
        ..Want::default()
    };
    story.client.subscribe(0, sid(), want);
    for _ in 0..CUTS {
        story.connect();
        // Many cuts fall into the catching up, some into the hello.
        let most = if story.world.once_in(2) { 15 } else { 300 };
        let mut connected = story.world.dice.random_range(1..most);
        if story.world.once_in(5) {
            // The pipe stops, for longer than the mailbox has room, and mostly goes on before the cut.
            let (after, stops) = (connected / 2, story.world.dice.random_range(50..400));
            let from = story.world.ms + u64::from(after) * 20;
            story.link.as_mut().unwrap().stopped = from..from + stops * 20;
            connected += stops as u32;
        }
        story.live(connected, true);
        story.cut(None);
        let away = if story.world.once_in(5) { 400 } else { 30 };
        let away = story.world.dice.random_range(0..away);
        story.live(away, true);
        if story.world.once_in(25) {
            story.ghosts.clear();
            story.world.restart();
            let before = story.world.dice.random_range(0..50);
            story.live(before, false);
        }
    }
    story.connect();
    story.live(100, false);
    story.ghosts.clear();
    story.world.hang_up();
    let mut journal = story.world.journal();
    for _ in 0..500 {
        if story.verdict.ended {
            break;
        }
        // Before the client leaves, which is an event too.
        journal = story.world.journal();
        story.world.ms += 20;
        story.world.registry.on_deadline(story.world.now());
        story.pump();
    }
    assert!(
        story.verdict.ended,
        "seed {seed}: the end of the call did not come"
    );
    story.world.truth.journals.push(journal);
    story.verdict.assert_whole(&story.world.truth);
    story.verdict
}

#[test]
fn a_thousand_cuts_lose_no_line_and_no_chunk_without_a_word() {
    let mut missed: BTreeMap<MissedReason, u64> = BTreeMap::new();
    let mut frames = 0;
    for seed in 0..SEEDS {
        let verdict = play(seed);
        frames += verdict.frames;
        for (reason, chunks) in verdict.missed {
            *missed.entry(reason).or_default() += chunks;
        }
    }
    // The story means nothing unless all of this happened, and most was heard.
    assert!(frames > 100_000, "{frames}");
    for reason in [
        MissedReason::Upstream,
        MissedReason::SlowListener,
        MissedReason::Away,
    ] {
        assert!(
            missed.get(&reason).is_some_and(|chunks| *chunks > 100),
            "{missed:?}"
        );
    }
}
