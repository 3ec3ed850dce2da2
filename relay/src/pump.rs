//! Pumps one listener's socket through its session, whatever it speaks. Waits for nobody else: what cannot be written
//! stays where it is (journal, list, mailbox), and a write that takes too long ends this listener alone. Knows no door:
//! what is said is the session's.

use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until, timeout};

use crate::calls::fanout::Mailbox;
use crate::clock::Now;
use crate::limits::burst::{Burst, TooMuch};
use crate::stop::Stop;
use crate::ws::reader::Came;
use crate::ws::socket::Socket;
use crate::ws::{Broken, Message};

/// Flushed at the latest when this much is said, bytes, so that what a listener is told lies where it can be
/// read on from, not in a buffer.
const FLUSH_AT: usize = 16 << 10;

/// A flush that gets on by less than this many bytes …
const PROGRESS: u64 = 4 << 10;
/// … in so long ends the listener: it takes less than the lines of a busy call.
const WRITE_STALL: Duration = Duration::from_secs(10);

/// Listeners are asked to come back over this long, so that they do not all come at once.
const COME_BACK_OVER: u64 = 3000;

/// Who is asked to leave is told what was published until then, but for audio that it does not take within this.
const LAST_AUDIO: Duration = Duration::from_secs(1);

/// News taken before the socket is looked at again: 64 are under a millisecond of writing.
const NEWS_IN_A_ROW: u32 = 64;

/// A listener whose rights changed while it does not read is cut off after so long: what was said before must not
/// arrive later. A part of the 5 s in which a change has to act.
const CUT_TIME: Duration = Duration::from_secs(2);

/// Something for the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// A text message.
    Text(String),
    /// A text message that every listener gets.
    Shared(Arc<str>),
    /// A frame.
    Binary(Bytes),
    /// Whole messages, their heads included.
    Framed(Vec<u8>),
    /// A WebSocket ping.
    Ping,
    /// The last: close with this code.
    Close(u16, &'static str),
}

/// What ends a listener that its session did not decide on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It takes too little of what is to be written.
    TooSlow,
    /// It says more than anybody has to.
    TooLoud,
    /// It broke the rules of WebSocket: the code that says so, and why.
    Broken(u16, &'static str),
}

/// The last of a listener: what it is told in its own protocol, where that has words for it, then the code.
pub type Parting = (Option<String>, u16, &'static str);

/// One listener without its socket, as the pump needs it.
pub trait Session {
    /// Something that the session cannot answer by itself.
    type Asked;
    /// How it went.
    type Answer;

    /// Where audio and word of news arrive.
    fn mailbox(&self) -> &Arc<Mailbox>;
    /// When [`Session::on_deadline`] is to be called next.
    fn deadline(&self) -> std::time::Instant;
    /// When its rights are to be looked at again without any word, since they end by themselves.
    fn look_again_at(&self) -> Option<std::time::Instant>;
    /// Whether it has asked for more than it has been told.
    fn owes_much(&self) -> bool;
    /// Whether more waits for an answer to be asked for than it is to be listened to meanwhile.
    fn asks_much(&self) -> bool;
    /// A text message of the listener.
    fn on_text(&mut self, now: Now, text: &str);
    /// Any other frame: the listener lives.
    fn on_sign(&mut self, now: std::time::Instant);
    /// What time brings.
    fn on_deadline(&mut self, now: Now);
    /// What the socket's task is to do, once; the answer goes to [`Session::on_answer`].
    fn next_asked(&mut self) -> Option<Self::Asked>;
    /// The answer to what was asked last.
    fn on_answer(&mut self, now: Now, answer: Self::Answer);
    /// The next thing to write, or nothing until there is word again.
    fn poll_transmit(&mut self, now: Now) -> Option<Transmit>;
    /// Its socket has written so many bytes by now, in all.
    fn wrote(&mut self, bytes: u64);
    /// What the bearer may is looked at again.
    fn recheck(&mut self, now: Now);
    /// Whether something that was said, and may not have left yet, is no longer for this listener.
    fn has_lost_rights(&self) -> bool;
    /// The relay leaves: what has been published is told, then that, then it closes. It may come back after so long.
    fn leave(&mut self, retry_after: Duration);
    /// It is over for this reason.
    fn on_fault(&mut self, fault: Fault) -> Parting;
}

/// What a session asked for, being done.
pub type Doing<A> = Pin<Box<dyn Future<Output = A> + Send>>;

enum Event<A> {
    News,
    Answer(A),
    Stopped,
    Hurry,
    Deadline,
    Said(Result<Came<TooMuch>, Broken>),
}

/// How far a turn of writing came.
enum Wrote {
    /// There is nothing more to tell.
    All,
    /// There is more, when the socket has been looked at.
    Some,
    /// That was the last.
    End(End),
}

/// How a listener ended.
#[derive(Debug)]
pub enum End {
    /// Let go without a word.
    Cut,
    /// Say this and go.
    Close(u16, &'static str),
    /// The other side has closed, with this code.
    Closed(Option<u16>),
    /// Nobody is there.
    Gone,
}

/// For the log.
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Cut => f.write_str("cut off"),
            End::Close(code, why) => write!(f, "{code} {why}"),
            End::Closed(Some(code)) => write!(f, "closed by the other side, {code}"),
            End::Closed(None) => f.write_str("closed by the other side"),
            End::Gone => f.write_str("nobody is there"),
        }
    }
}

/// Serves a session until it is over; `begin` does what it asks for. Says nothing of the end that it answers.
pub async fn pump<S: Session>(
    socket: &mut Socket,
    session: &mut S,
    stop: Stop,
    begin: impl Fn(S::Asked) -> Doing<S::Answer>,
) -> End {
    let mut doing: Option<Doing<S::Answer>> = None;
    let mailbox = session.mailbox().clone();
    // Kept over the loop: making and registering a timer each time would cost more than a frame.
    let deadline = sleep_until(Instant::from_std(session.deadline()));
    let mut stopped = stop.watch();
    let mut burst = Burst::default();
    tokio::pin!(deadline);
    let mut leaving = false;
    let mut hurry: Option<Pin<Box<tokio::time::Sleep>>> = None;
    // News first: it costs a look, the socket a try to read. But after this many in a row without sleep the
    // socket has its turn, or a busy listener could not even unsubscribe.
    let mut news_in_a_row = 0;
    loop {
        // Writing asks for no budget: a listener with much to tell lets the others of its loop have their turn.
        tokio::task::consume_budget().await;
        let wrote = write(socket, session).await;
        session.wrote(socket.written());
        let more = match wrote {
            Wrote::All => false,
            Wrote::Some => true,
            Wrote::End(end) => return end,
        };
        if doing.is_none() {
            doing = session.next_asked().map(&begin);
        }
        let due = Instant::from_std(session.deadline());
        if deadline.deadline() != due {
            deadline.as_mut().reset(due);
        }
        let news_first = !more && news_in_a_row < NEWS_IN_A_ROW;
        let asks_much = doing.is_some() && session.asks_much();
        let event = poll_fn(|cx| {
            // From here to the next sleep nobody but this task writes.
            let (rest, has_word) = mailbox.shut();
            if !rest.is_empty() {
                socket.finish_frame(rest);
                return Poll::Ready(Event::News);
            }
            // Who asks faster than it reads the answers is not listened to meanwhile.
            if (news_first && has_word) || session.owes_much() {
                return Poll::Ready(Event::News);
            }
            if !leaving && stopped.poll(cx).is_ready() {
                return Poll::Ready(Event::Stopped);
            }
            if hurry
                .as_mut()
                .is_some_and(|hurry| hurry.as_mut().poll(cx).is_ready())
            {
                return Poll::Ready(Event::Hurry);
            }
            if let Some(doing) = &mut doing
                && let Poll::Ready(answer) = doing.as_mut().poll(cx)
            {
                return Poll::Ready(Event::Answer(answer));
            }
            // Before the deadline: who has said something is not gone, however late it is read.
            let mut read = |message: Message<'_>| {
                let now = Now::take();
                let taken = match message {
                    Message::Ping | Message::Pong => burst.control(now.mono),
                    Message::Text(_) | Message::Binary(_) => burst.message(now.mono),
                };
                if let Err(too_much) = taken {
                    return ControlFlow::Break(too_much);
                }
                match message {
                    Message::Text(text) => session.on_text(now, text),
                    // Pings, pongs, and binary kinds, of which the relay knows none.
                    _ => session.on_sign(now.mono),
                }
                // Who talks without pause does not hold its own deadlines up.
                if session.deadline() <= now.mono {
                    session.on_deadline(now);
                }
                ControlFlow::Continue(())
            };
            // What is asked for takes its time, and more of it is not listened to meanwhile.
            if !asks_much && let Poll::Ready(said) = socket.poll_turn(cx, &mut read) {
                return Poll::Ready(Event::Said(said));
            }
            if deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Event::Deadline);
            }
            // An answer to a ping that found no room: whoever writes next must not come before its end.
            if more || socket.unwritten() > 0 {
                Poll::Ready(Event::News)
            } else {
                mailbox.poll_ready(cx).map(|()| Event::News)
            }
        })
        .await;
        news_in_a_row = if matches!(event, Event::News) && news_first {
            news_in_a_row + 1
        } else {
            0
        };
        match event {
            Event::News | Event::Said(Ok(Came::All)) => {}
            Event::Answer(answer) => {
                doing = None;
                session.on_answer(Now::take(), answer);
            }
            Event::Stopped => {
                leaving = true;
                let retry_after = Duration::from_millis(rand::random_range(500..COME_BACK_OVER));
                session.leave(retry_after);
                hurry = Some(Box::pin(tokio::time::sleep(LAST_AUDIO)));
            }
            Event::Hurry => {
                // Of a call that goes on there is always more: who is behind would never come to the end of it.
                hurry = None;
                mailbox.set_subs(Vec::new());
            }
            Event::Deadline => session.on_deadline(Now::take()),
            Event::Said(Ok(Came::Close(code))) => return End::Closed(code),
            Event::Said(Err(Broken {
                code: Some(code),
                why,
            })) => return fault(socket, session, Fault::Broken(code, why)),
            Event::Said(Err(Broken { code: None, .. })) => return End::Gone,
            Event::Said(Ok(Came::Stopped(TooMuch))) => return fault(socket, session, Fault::TooLoud),
        }
    }
}

fn fault<S: Session>(socket: &mut Socket, session: &mut S, fault: Fault) -> End {
    let (word, code, why) = session.on_fault(fault);
    if let Some(word) = word {
        socket.text(&word);
    }
    End::Close(code, why)
}

/// Writes what there is to tell, up to [`FLUSH_AT`]: the socket is looked at between two turns.
async fn write<S: Session>(socket: &mut Socket, session: &mut S) -> Wrote {
    let now = Now::take();
    while let Some(transmit) = session.poll_transmit(now) {
        match transmit {
            Transmit::Text(text) => socket.text(&text),
            Transmit::Shared(text) => socket.text(&text),
            Transmit::Binary(bytes) => socket.binary(&bytes),
            Transmit::Framed(messages) => socket.framed(&messages),
            Transmit::Ping => socket.ping(),
            Transmit::Close(code, why) => {
                let stalled = flush(socket, session).await;
                return Wrote::End(stalled.unwrap_or(End::Close(code, why)));
            }
        }
        if socket.unwritten() >= FLUSH_AT {
            return flush(socket, session).await.map_or(Wrote::Some, Wrote::End);
        }
    }
    let end = if socket.unwritten() > 0 {
        flush(socket, session).await
    } else {
        None
    };
    end.map_or(Wrote::All, Wrote::End)
}

async fn flush<S: Session>(socket: &mut Socket, session: &mut S) -> Option<End> {
    // What goes out at once found room in the kernel's buffer: no sign yet that anybody reads.
    match poll_fn(|cx| socket.poll_flush(cx)).now_or_never() {
        Some(Ok(())) => return None,
        Some(Err(_)) => return Some(End::Gone),
        None => {}
    }
    let mailbox = session.mailbox().clone();
    let cut = |session: &S| session.has_lost_rights().then(|| Instant::now() + CUT_TIME);
    let mut cut_at = cut(session);
    loop {
        let before = socket.sent();
        let stall = Instant::now() + WRITE_STALL;
        // A grant that ends by itself is told by nobody.
        let ends = session.look_again_at().map_or(stall, |at| stall.min(at.into()));
        let patience = cut_at.unwrap_or(ends).saturating_duration_since(Instant::now());
        let flushed = poll_fn(|cx| {
            if cut_at.is_none() && mailbox.poll_recheck(cx).is_ready() {
                return Poll::Ready(None);
            }
            socket.poll_flush(cx).map(Some)
        });
        match timeout(patience, flushed).await {
            Ok(Some(Ok(()))) => return None,
            Ok(Some(Err(_))) => return Some(End::Gone),
            Ok(None) => {
                mailbox.take_recheck();
                session.recheck(Now::take());
                cut_at = cut(session);
            }
            Err(_) if cut_at.is_some() => return Some(End::Cut),
            Err(_) if ends < stall => {
                session.recheck(Now::take());
                cut_at = cut(session);
            }
            Err(_) if socket.sent() >= before + PROGRESS => {}
            Err(_) => return Some(fault(socket, session, Fault::TooSlow)),
        }
    }
}
