//! Audio to everyone listening: one writer, many bounded mailboxes. Sending never waits and never fails:
//! who cannot keep up loses its own oldest audio and is told. Lines and events are not here, only word
//! that there are some. Knows nothing of sockets, so every door can use it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;

use crate::lock::lock;

/// Frames kept for a slow listener, each call it hears: 256 are 2.5 s of a two-track call. More than the
/// burst that follows a network stall, less than anyone would still call live.
pub const BACKLOG: usize = 256;

/// What a listener chose to call one of its subscriptions; never used twice on one mailbox.
pub type SubId = u32;

/// One thing for a listener's ear, in the order it has to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// 20 ms of one track.
    Frame(AudioFrame),
    /// Chunks that will not come.
    Gap(Gap),
    /// Another stream begins; its first frame is behind this.
    Stream(StreamInfo),
}

/// Missing chunks of one track, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Which track.
    pub track: Track,
    /// The first missing.
    pub from_chunk: u32,
    /// The last missing.
    pub to_chunk: u32,
    /// Why.
    pub reason: GapReason,
}

impl Gap {
    /// How many chunks are missing.
    pub fn chunks(&self) -> u64 {
        u64::from(self.to_chunk.saturating_sub(self.from_chunk)) + 1
    }
}

/// What a listener must know of a stream before its first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its number on the wire.
    pub audio_id: u32,
    /// The wall clock at media time 0.
    pub zero_at: UtcTime,
}

/// What a mailbox has to say beside audio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals {
    /// Some journal has news.
    pub journal: bool,
    /// The list of calls has news.
    pub lobby: bool,
    /// Items still in the mailbox: what was published before this word was given.
    pub left: usize,
    /// Frames that this listener lost since the last time.
    pub lost: u64,
}

#[derive(Debug, Default)]
struct Inner {
    /// Told before `audio`: what was lost of it, and streams that began meanwhile.
    ahead: VecDeque<(SubId, Item)>,
    audio: VecDeque<(SubId, Item)>,
    capacity: usize,
    signals: Signals,
    /// Of a reader that found nothing: the next word wakes it, later ones need not.
    waker: Option<Waker>,
}

/// One listener's mailbox.
#[derive(Debug, Default)]
pub struct Mailbox(Mutex<Inner>);

impl Mailbox {
    /// Room for [`BACKLOG`] items of each of `calls` heard.
    pub fn set_calls(&self, calls: usize) {
        lock(&self.0).capacity = BACKLOG.saturating_mul(calls);
    }

    /// Puts audio in; what is too much goes out at the old end.
    pub fn send(&self, sub: SubId, item: Item) {
        let mut inner = lock(&self.0);
        inner.audio.push_back((sub, item));
        while inner.audio.len() > inner.capacity {
            inner.lose_oldest();
        }
        Self::rouse(inner);
    }

    /// Some journal that this listener reads has news.
    pub fn journal_news(&self) {
        let mut inner = lock(&self.0);
        inner.signals.journal = true;
        Self::rouse(inner);
    }

    /// The list of calls has news.
    pub fn lobby_news(&self) {
        let mut inner = lock(&self.0);
        inner.signals.lobby = true;
        Self::rouse(inner);
    }

    /// Moves up to `limit` items to `out` and gives the signals since the last time.
    pub fn take(&self, out: &mut VecDeque<(SubId, Item)>, limit: usize) -> Signals {
        let mut inner = lock(&self.0);
        for _ in 0..limit {
            let Some(item) = inner.ahead.pop_front().or_else(|| inner.audio.pop_front()) else {
                break;
            };
            out.push_back(item);
        }
        let left = inner.ahead.len() + inner.audio.len();
        Signals {
            left,
            ..std::mem::take(&mut inner.signals)
        }
    }

    /// Whether there is something to take; else the task is woken when there is. One reader only.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.0);
        if inner.has_word() {
            return Poll::Ready(());
        }
        match &mut inner.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn rouse(mut inner: MutexGuard<'_, Inner>) {
        let waker = inner.waker.take();
        // Woken without the lock, which it takes first thing.
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Inner {
    fn has_word(&self) -> bool {
        !self.ahead.is_empty() || !self.audio.is_empty() || self.signals.journal || self.signals.lobby
    }

    /// Lets the oldest item go. A run of losses on one track of one stream is one gap.
    fn lose_oldest(&mut self) {
        let Some((sub, item)) = self.audio.pop_front() else {
            return;
        };
        let gap = match item {
            Item::Stream(_) => return self.ahead.push_back((sub, item)),
            Item::Frame(frame) => {
                self.signals.lost += 1;
                let reason = GapReason::SlowListener;
                Gap {
                    track: frame.track(),
                    from_chunk: frame.chunk(),
                    to_chunk: frame.chunk(),
                    reason,
                }
            }
            Item::Gap(gap) => gap,
        };
        for (_, earlier) in self.ahead.iter_mut().rev().filter(|(of, _)| *of == sub) {
            match earlier {
                Item::Stream(_) => break,
                Item::Gap(known) if known.track == gap.track => {
                    if known.to_chunk.checked_add(1) == Some(gap.from_chunk) {
                        known.to_chunk = gap.to_chunk;
                        known.reason = GapReason::SlowListener;
                        return;
                    }
                    break;
                }
                _ => {}
            }
        }
        self.ahead.push_back((sub, Item::Gap(gap)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[tokio::test]
    async fn a_slow_reader_loses_its_oldest_and_is_told_in_one_gap_a_track() {
        let mailbox = Mailbox::default();
        mailbox.set_calls(1);
        let total = BACKLOG as u32;
        for chunk in 1..=total {
            mailbox.send(7, frame(Track::Inbound, chunk));
            mailbox.send(7, frame(Track::Outbound, chunk));
        }
        let mut out = VecDeque::new();
        let signals = mailbox.take(&mut out, usize::MAX);
        assert_eq!((signals.lost, signals.left), (u64::from(total), 0));
        assert_eq!(
            out[0].1,
            gap(Track::Inbound, 1, total / 2, GapReason::SlowListener)
        );
        assert_eq!(
            out[1].1,
            gap(Track::Outbound, 1, total / 2, GapReason::SlowListener)
        );
        assert_eq!(out[2].1, frame(Track::Inbound, total / 2 + 1));
        assert_eq!(out.len(), BACKLOG + 2);
    }

    #[tokio::test]
    async fn a_new_stream_is_never_lost_and_gaps_of_two_streams_stay_apart() {
        let mailbox = Mailbox::default();
        mailbox.set_calls(1);
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
        let mut out = VecDeque::new();
        mailbox.take(&mut out, 3);
        let told: Vec<Item> = out.into_iter().map(|(_, item)| item).collect();
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
        let mailbox = std::sync::Arc::new(Mailbox::default());
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
}
