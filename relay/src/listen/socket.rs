//! Pumps one listener's socket through its session. Waits for nobody else: what cannot be written stays
//! where it is (journal, list, mailbox), and a write that takes too long ends this listener alone.

use std::convert::Infallible;
use std::future::Future;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use partyline_shared::protocol::close;
use tokio::time::{Instant, sleep_until, timeout};

use super::session::{Session, Transmit};
use crate::clock::Now;
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

/// News taken before the socket is looked at again: 64 are under a millisecond of writing.
const NEWS_IN_A_ROW: u32 = 64;

enum Event {
    News,
    Stopped,
    Deadline,
    Said(Result<Came<Infallible>, Broken>),
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

enum End {
    /// Say this and go.
    Close(u16, &'static str),
    /// The other side has closed, with this code.
    Closed(Option<u16>),
    /// Nobody is there.
    Gone,
}

/// Serves one listener until it leaves, is ended, or `stop` is called.
pub async fn run(mut socket: Socket, mut session: Session, stop: Stop) {
    match pump(&mut socket, &mut session, stop).await {
        End::Close(code, why) => socket.close(code, why).await,
        End::Closed(code) => socket.answer_close(code).await,
        End::Gone => {}
    }
}

async fn pump(socket: &mut Socket, session: &mut Session, stop: Stop) -> End {
    let mailbox = session.mailbox().clone();
    // Kept over the loop: making and registering a timer each time would cost more than a frame.
    let deadline = sleep_until(Instant::from_std(session.deadline()));
    let mut stopped = stop.watch();
    tokio::pin!(deadline);
    let mut leaving = false;
    // News first: it costs a look, the socket a try to read. But after this many in a row without sleep the
    // socket has its turn, or a busy listener could not even unsubscribe.
    let mut news_in_a_row = 0;
    loop {
        // Writing asks for no budget: a listener with much to tell lets the others of its loop have their turn.
        tokio::task::consume_budget().await;
        let more = match write(socket, session).await {
            Wrote::All => false,
            Wrote::Some => true,
            Wrote::End(end) => return end,
        };
        let due = Instant::from_std(session.deadline());
        if deadline.deadline() != due {
            deadline.as_mut().reset(due);
        }
        let news_first = !more && news_in_a_row < NEWS_IN_A_ROW;
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
            // Before the deadline: who has said something is not gone, however late it is read.
            let said = socket.poll_turn(cx, |message| {
                let now = Now::take();
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
            });
            if let Poll::Ready(said) = said {
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
            Event::Stopped => {
                leaving = true;
                let retry_after = Duration::from_millis(rand::random_range(500..COME_BACK_OVER));
                session.goodbye("draining", retry_after);
            }
            Event::Deadline => session.on_deadline(Now::take()),
            Event::Said(Ok(Came::Close(code))) => return End::Closed(code),
            Event::Said(Err(Broken {
                code: Some(code),
                why,
            })) => return End::Close(code, why),
            Event::Said(Err(Broken { code: None, .. })) => return End::Gone,
            Event::Said(Ok(Came::Stopped(never))) => match never {},
        }
    }
}

/// Writes what there is to tell, up to [`FLUSH_AT`]: the socket is looked at between two turns.
async fn write(socket: &mut Socket, session: &mut Session) -> Wrote {
    let now = Now::take();
    while let Some(transmit) = session.poll_transmit(now) {
        match transmit {
            Transmit::Text(text) => socket.text(&text),
            Transmit::Shared(text) => socket.text(&text),
            Transmit::Binary(bytes) => socket.binary(&bytes),
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

async fn flush(socket: &mut Socket, session: &mut Session) -> Option<End> {
    // What goes out at once found room in the kernel's buffer: no sign yet that anybody reads.
    match poll_fn(|cx| socket.poll_flush(cx)).now_or_never() {
        Some(Ok(())) => return None,
        Some(Err(_)) => return Some(End::Gone),
        None => {}
    }
    loop {
        let before = socket.written();
        match timeout(WRITE_STALL, poll_fn(|cx| socket.poll_flush(cx))).await {
            Ok(Ok(())) => return None,
            Ok(Err(_)) => return Some(End::Gone),
            Err(_) if socket.written() >= before + PROGRESS => {}
            Err(_) => {
                session.too_slow();
                return Some(End::Close(close::TOO_SLOW, "too slow"));
            }
        }
    }
}
