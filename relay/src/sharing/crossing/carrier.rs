//! Brings to one relay what it hears here. Its mailbox is emptied at any time, also while Redis is waited for; one message
//! is under way at a time, and what is ready when that is answered leaves together in the next: the busier Redis is, the
//! fewer and the larger they are.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::book::Ear;
use super::codec::Writer;
use crate::broker::Failed;
use crate::sharing::Hub;

/// How soon it is tried again where there is no link, or no answer: what is lost by that is a few frames of a second.
const AGAIN: Duration = Duration::from_millis(100);

/// Goes on until it is dropped.
pub(super) async fn carry(hub: Hub, ear: Arc<Ear>) {
    let channel = format!("audio:{}", ear.node);
    let mut message = Vec::new();
    let mut answers = true;
    loop {
        if !hub.broker.is_up() {
            draining(&ear, sleep(AGAIN)).await;
            continue;
        }
        let mut writer = Writer::new(&mut message);
        if answers {
            let (crossed, lost) = ear.with_outgoing(|outgoing| {
                if outgoing.has_any(Instant::now()) {
                    outgoing.fill(&mut writer);
                }
                outgoing.take_counts()
            });
            hub.metrics.frames_crossed_out.add(crossed);
            hub.metrics.frames_uncrossed.add(lost);
            if writer.is_empty() {
                news(&ear).await;
                continue;
            }
        }
        // Where Redis did not answer the last one, the next is empty: frames that lie there would come late, all at once.
        let sent = hub.broker.publish_audio(&channel, &message);
        match draining(&ear, sent).await {
            Ok(_) => answers = true,
            Err(Failed::Late) => answers = false,
            Err(_) => draining(&ear, sleep(AGAIN)).await,
        }
    }
}

/// What a future comes to; meanwhile the mailbox is emptied.
async fn draining<F: Future>(ear: &Ear, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        tokio::select! {
            biased;
            output = &mut future => return output,
            () = news(ear) => {}
        }
    }
}

/// Waits until something has come, and takes it.
async fn news(ear: &Ear) {
    poll_fn(|cx| ear.mailbox.poll_ready(cx)).await;
    ear.drain(Instant::now());
}
