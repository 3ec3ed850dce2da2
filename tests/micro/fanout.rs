//! A frame on its way from the call to those who hear it, up to the kernel: straight to the outlet of a listener
//! whose task sleeps, through the mailbox of one that does not.

use std::collections::VecDeque;
use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Waker};
use std::time::Duration;

use divan::Bencher;
use partyline_relay::access::grant::Grant;
use partyline_relay::calls::call::{Accepted, Ask, Begin, Call, Shared};
use partyline_relay::calls::fanout::{BACKLOG, Batch, Item, Mailbox, Outlet, Taken};
use partyline_relay::clock::Now;
use partyline_relay::metrics::Metrics;
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;

use crate::input::{AUDIO_ID, Frames};

/// Audio that a call remembers, unless its relay is told otherwise.
const HISTORY: Duration = Duration::from_secs(10);

/// A mailbox for one call, whose reader is awake.
fn mailbox() -> Arc<Mailbox> {
    let mailbox = Arc::new(Mailbox::default());
    mailbox.set_subs(vec![1]);
    mailbox
}

/// Takes everything at once, and counts how often.
#[derive(Debug, Default)]
struct Everything(AtomicU64);

impl Outlet for Everything {
    fn try_write(&self, bytes: &[u8]) -> io::Result<Taken> {
        self.0.fetch_add(1, Relaxed);
        Ok(Taken {
            bytes: divan::black_box(bytes).len(),
            waits: false,
        })
    }
}

/// A mailbox for one call, whose reader sleeps with everything written.
fn asleep(outlet: &Arc<Everything>) -> Arc<Mailbox> {
    let mailbox = Arc::new(Mailbox::new(Some(outlet.clone())));
    mailbox.set_subs(vec![1]);
    let word = mailbox.poll_ready(&mut Context::from_waker(Waker::noop()));
    assert!(word.is_pending(), "there is nothing to take");
    mailbox
}

/// Into one mailbox and out again.
#[divan::bench]
fn mailbox_in_and_out(bencher: Bencher<'_, '_>) {
    let mailbox = mailbox();
    let mut out = VecDeque::new();
    let frame = Frames::new().one();
    bencher
        .with_inputs(|| Item::Frame(frame.clone()))
        .bench_local_values(|item| {
            mailbox.send(1, item);
            mailbox.take(&mut out, 1);
            out.pop_front()
        });
}

/// Into one mailbox that is full: the oldest is lost, and becomes part of a gap.
#[divan::bench]
fn mailbox_full(bencher: Bencher<'_, '_>) {
    let mailbox = mailbox();
    let mut frames = Frames::new();
    for _ in 0..BACKLOG {
        mailbox.send(1, Item::Frame(frames.one()));
    }
    bencher
        .with_inputs(|| Item::Frame(frames.one()))
        .bench_local_values(|item| mailbox.send(1, item));
}

/// What the call does with a frame: measures it, remembers it, encodes it, writes it to each listener.
#[divan::bench(args = [0, 1, 10, 100])]
fn call_to_listeners(bencher: Bencher<'_, '_>, listeners: usize) {
    let now = Now::take();
    let sid = CallSid::parse("CA22222222222222222222222222222222").unwrap();
    let shared = Arc::new(Shared::new("node".into(), Arc::new(Metrics::default())));
    let call = Arc::new(Call::new(sid, now, shared, "journal".into(), HISTORY));
    let accepted = Accepted {
        stream_sid: "MZ44444444444444444444444444444444".into(),
        tracks: Track::BOTH.to_vec(),
        ..Accepted::default()
    };
    call.accept_stream(now, AUDIO_ID, accepted);
    let outlet = Arc::<Everything>::default();
    let mailboxes: Vec<_> = iter::repeat_with(|| asleep(&outlet)).take(listeners).collect();
    let sit = |mailbox: &Arc<Mailbox>| {
        let ask = Ask {
            mailbox,
            sub: 1,
            audio: true,
            form: None,
            from: Begin::Remembered,
            replay_ms: 0,
        };
        call.subscribe(now, &Grant::insecure(), ask).unwrap()
    };
    let seats: Vec<_> = mailboxes.iter().map(sit).collect();
    let mut frames = Frames::new();
    let (mut given, mut wire) = (0, Vec::new());
    bencher
        .with_inputs(|| [Item::Frame(frames.one())])
        .bench_local_refs(|item| {
            given += 1;
            call.media(now.mono, AUDIO_ID, &mut Batch::new(item, &mut wire));
        });
    let written = outlet.0.load(Relaxed);
    assert_eq!(written, given * listeners as u64, "each listener gets each frame");
    drop(seats);
}
