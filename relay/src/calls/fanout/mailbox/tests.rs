//! What a mailbox promises its listener, and whoever has frames for it.

use std::io::{self, ErrorKind};
use std::sync::atomic::AtomicBool;
use std::task::Waker;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;

use super::*;
use crate::calls::fanout::{Gap, StreamInfo, Taken};

fn frame(track: Track, chunk: u32) -> Item {
    Item::Frame(AudioFrame::new(track, 1, chunk, chunk * 20, &[0xff; 160]))
}

fn gap(track: Track, from_chunk: u32, to_chunk: u32, reason: GapReason) -> Item {
    Item::Gap(Gap {
        track,
        from_chunk,
        to_chunk,
        reason,
    })
}

/// A connection whose other side reads only as far as it is let.
#[derive(Debug, Default)]
struct Pipe {
    written: Mutex<Vec<u8>>,
    room: Mutex<usize>,
    /// It takes all and lets nothing out.
    keeps: AtomicBool,
}

impl Pipe {
    fn with_room(room: usize) -> Arc<Pipe> {
        Arc::new(Pipe {
            room: Mutex::new(room),
            ..Pipe::default()
        })
    }

    fn let_in(&self, more: usize) {
        *lock(&self.room) += more;
    }

    fn written(&self) -> Vec<u8> {
        std::mem::take(&mut *lock(&self.written))
    }
}

impl Outlet for Pipe {
    fn try_write(&self, bytes: &[u8]) -> io::Result<Taken> {
        let mut room = lock(&self.room);
        let n = bytes.len().min(*room);
        if n == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        *room -= n;
        lock(&self.written).extend_from_slice(&bytes[..n]);
        Ok(Taken {
            bytes: n,
            waits: self.keeps.load(Relaxed),
        })
    }
}

/// A listener of subscription 1 whose task is asleep with everything written.
fn asleep(pipe: &Arc<Pipe>) -> Arc<Mailbox> {
    let mailbox = Arc::new(Mailbox::new(Some(pipe.clone())));
    mailbox.set_subs(vec![1]);
    assert!(!is_ready(&mailbox));
    mailbox
}

/// Whether a reader was called.
#[derive(Default)]
struct Woken(AtomicBool);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

fn is_ready(mailbox: &Mailbox) -> bool {
    mailbox
        .poll_ready(&mut Context::from_waker(Waker::noop()))
        .is_ready()
}

fn post(mailbox: &Arc<Mailbox>, items: &[Item]) -> u64 {
    mailbox.post(1, &mut Batch::new(items, &mut Vec::new())).frames
}

fn taken(mailbox: &Mailbox) -> Vec<Item> {
    let mut out = VecDeque::new();
    mailbox.take(&mut out, usize::MAX);
    out.into_iter().map(|(_, item)| item).collect()
}

fn wire(items: &[Item]) -> Vec<u8> {
    Batch::new(items, &mut Vec::new()).wire().to_vec()
}

#[test]
fn a_slow_reader_loses_its_oldest_and_is_told_in_one_gap_a_track() {
    let mailbox = Arc::new(Mailbox::default());
    mailbox.set_subs(vec![1]);
    let total = BACKLOG as u32;
    for chunk in 1..=total {
        post(&mailbox, &[frame(Track::Inbound, chunk)]);
        post(&mailbox, &[frame(Track::Outbound, chunk)]);
    }
    let mut out = VecDeque::new();
    let signals = mailbox.take(&mut out, usize::MAX);
    assert_eq!((signals.lost, signals.left), (u64::from(total), 0));
    let slow = GapReason::SlowListener;
    assert_eq!(out[0].1, gap(Track::Inbound, 1, total / 2, slow));
    assert_eq!(out[1].1, gap(Track::Outbound, 1, total / 2, slow));
    assert_eq!(out[2].1, frame(Track::Inbound, total / 2 + 1));
    assert_eq!(out.len(), BACKLOG + 2);
}

#[test]
fn a_new_stream_is_never_lost_and_gaps_of_two_streams_stay_apart() {
    let mailbox = Arc::new(Mailbox::default());
    mailbox.set_subs(vec![1]);
    let stream = Item::Stream(StreamInfo {
        audio_id: 2,
        zero_at: UtcTime::from_unix_ms(0),
    });
    mailbox.send(1, frame(Track::Inbound, 1));
    mailbox.send(1, gap(Track::Inbound, 2, 5, GapReason::Upstream));
    mailbox.send(1, stream.clone());
    for chunk in 1..=BACKLOG as u32 + 2 {
        mailbox.send(1, frame(Track::Inbound, chunk));
    }
    let told: Vec<Item> = taken(&mailbox).into_iter().take(3).collect();
    assert_eq!(
        told,
        [
            gap(Track::Inbound, 1, 5, GapReason::SlowListener),
            stream,
            gap(Track::Inbound, 1, 2, GapReason::SlowListener),
        ]
    );
}

#[tokio::test]
async fn word_wakes_a_reader_that_waits_and_is_kept_for_one_that_does_not() {
    let ready = async |mailbox: &Mailbox| std::future::poll_fn(|cx| mailbox.poll_ready(cx)).await;
    let mailbox = Arc::new(Mailbox::default());
    mailbox.lobby_news();
    ready(&mailbox).await;
    assert!(mailbox.take(&mut VecDeque::new(), 1).lobby);
    let reader = mailbox.clone();
    let waits = tokio::spawn(async move { std::future::poll_fn(|cx| reader.poll_ready(cx)).await });
    tokio::task::yield_now().await;
    mailbox.journal_news();
    waits.await.unwrap();
    assert!(mailbox.take(&mut VecDeque::new(), 1).journal);
}

#[test]
fn frames_for_a_sleeping_reader_leave_at_once_and_wake_nobody() {
    let pipe = Pipe::with_room(usize::MAX);
    let mailbox = asleep(&pipe);
    let two = [frame(Track::Inbound, 1), frame(Track::Outbound, 1)];
    assert_eq!(post(&mailbox, &two), 2);
    assert_eq!(pipe.written(), wire(&two));
    assert!(!is_ready(&mailbox), "there is nothing to take");
}

#[test]
fn while_the_reader_writes_nobody_else_does() {
    let pipe = Pipe::with_room(usize::MAX);
    let mailbox = asleep(&pipe);
    assert_eq!(mailbox.shut(), (vec![], false));
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 1)]), 0);
    assert!(pipe.written().is_empty());
    assert!(is_ready(&mailbox), "it waits for the reader");
    // Nor past what waits already.
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 2)]), 0);
    assert_eq!(
        taken(&mailbox),
        [frame(Track::Inbound, 1), frame(Track::Inbound, 2)]
    );
}

#[test]
fn what_has_to_be_put_into_words_waits_for_the_reader_with_all_that_follows() {
    let pipe = Pipe::with_room(usize::MAX);
    let mailbox = asleep(&pipe);
    let hole = [
        gap(Track::Inbound, 1, 3, GapReason::Upstream),
        frame(Track::Inbound, 4),
    ];
    assert_eq!(post(&mailbox, &hole), 0);
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 5)]), 0);
    assert!(pipe.written().is_empty());
    let mut all = hole.to_vec();
    all.push(frame(Track::Inbound, 5));
    assert_eq!(taken(&mailbox), all);
}

#[test]
fn a_frame_that_finds_half_the_room_is_ended_by_the_reader_before_anything_else() {
    let pipe = Pipe::with_room(100);
    let mailbox = asleep(&pipe);
    let first = frame(Track::Inbound, 1);
    assert_eq!(
        post(&mailbox, std::slice::from_ref(&first)),
        1,
        "it is on its way"
    );
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 2)]), 0);
    pipe.let_in(usize::MAX - 100);
    assert!(is_ready(&mailbox), "the reader is called");
    let (rest, has_word) = mailbox.shut();
    assert!(has_word, "a frame waits behind it");
    let mut whole = pipe.written();
    whole.extend(rest);
    assert_eq!(whole, wire(&[first]));
    assert_eq!(taken(&mailbox), [frame(Track::Inbound, 2)]);
    assert!(!is_ready(&mailbox), "open again");
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 3)]), 1);
}

#[test]
fn a_frame_that_was_taken_and_waits_is_seen_out_by_the_reader_before_anything_else() {
    let pipe = Pipe::with_room(usize::MAX);
    let mailbox = asleep(&pipe);
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(woken.clone());
    assert!(mailbox.poll_ready(&mut Context::from_waker(&waker)).is_pending());
    pipe.keeps.store(true, Relaxed);
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 1)]), 1, "it was taken");
    assert!(woken.0.load(Relaxed), "the reader is called");
    pipe.keeps.store(false, Relaxed);
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 2)]), 0, "it waits");
    assert_eq!(
        mailbox.shut(),
        (Vec::new(), true),
        "nothing of it is left to write"
    );
    assert_eq!(taken(&mailbox), [frame(Track::Inbound, 2)]);
    assert!(!is_ready(&mailbox), "open again");
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 3)]), 1);
}

#[test]
fn a_frame_that_finds_no_room_waits_for_the_reader() {
    let pipe = Pipe::with_room(0);
    let mailbox = asleep(&pipe);
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 1)]), 0);
    assert!(is_ready(&mailbox));
    assert_eq!(taken(&mailbox), [frame(Track::Inbound, 1)]);
}

#[test]
fn nothing_of_a_subscription_that_is_over_gets_through() {
    let pipe = Pipe::with_room(usize::MAX);
    let mailbox = asleep(&pipe);
    mailbox.set_subs(vec![2]);
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 1)]), 0);
    mailbox.send(1, frame(Track::Inbound, 2));
    assert_eq!((pipe.written(), taken(&mailbox)), (vec![], vec![]));
    // What waited when it ended goes with it.
    mailbox.set_subs(vec![1]);
    mailbox.send(1, frame(Track::Inbound, 3));
    mailbox.set_subs(vec![2]);
    assert!(!is_ready(&mailbox));
    mailbox.send(2, frame(Track::Inbound, 9));
    assert_eq!(mailbox.close(), 1, "what waited is lost, and counted");
    mailbox.set_subs(vec![1]);
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 4)]), 0, "nobody is there");
    assert!(pipe.written().is_empty());
}

#[test]
fn what_may_not_be_heard_stays_so_whatever_else_is_taken_up_and_what_was_heard_of_it_is_counted() {
    let pipe = Pipe::with_room(usize::MAX);
    let mailbox = asleep(&pipe);
    let one = [frame(Track::Inbound, 1)];
    assert_eq!(post(&mailbox, &one), 1);
    mailbox.forbid(1);
    // The reader takes up another while it has not been told yet.
    mailbox.set_subs(vec![1, 2]);
    assert_eq!(post(&mailbox, &one), 0);
    mailbox.set_subs(vec![1]);
    assert_eq!(post(&mailbox, &one), 0);
    mailbox.send(1, one[0].clone());
    assert!(taken(&mailbox).is_empty());
    assert_eq!(mailbox.bytes(1), 160, "what left before");
}

#[test]
fn word_of_other_rights_is_not_taken_with_what_is_read_and_the_reader_does_not_sleep_on_it() {
    let pipe = Pipe::with_room(usize::MAX / 2);
    let mailbox = asleep(&pipe);
    // The reader has looked at its rights, and reads on.
    assert!(!mailbox.take_recheck());
    mailbox.recheck();
    mailbox.take(&mut VecDeque::new(), 32);
    assert!(mailbox.shut().1, "there is word");
    assert!(is_ready(&mailbox));
    assert_eq!(post(&mailbox, &[frame(Track::Inbound, 1)]), 0);
    assert!(pipe.written().is_empty(), "until then no audio goes past it");
    assert_eq!(taken(&mailbox).len(), 1);
    assert!(mailbox.take_recheck() && !is_ready(&mailbox));
}
