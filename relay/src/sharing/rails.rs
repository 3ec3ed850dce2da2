//! `--redis-rails-prefix`: calls go out as Rails' Action Cable would broadcast them, so that a Rails application goes on
//! serving its browsers while people move. Only the relay that owns a call publishes it, so each message goes once among
//! all relays, and only what a server of Rails' is subscribed to: a call that nobody wants there costs nothing, and is
//! not on record as published. At most once, as Rails has it: what Redis does not take is lost, and counted.
//!
//! Who may hear a call is Rails' own business from here on; that it is published goes on record before its first byte.
//!
//! **Why Redis is asked who is there.** A call that is published to nobody costs Redis 0.2 ms of a second and takes 100 kB a
//! second on the way to it; to ask four times a second costs 0.1 to 0.3 ms for all calls together.
//!
//! | file | what |
//! | --- | --- |
//! | `channels` | what Rails calls a call's channels (pure) |
//! | `demand` | which of them somebody is subscribed to |
//! | `look` | what follows from that |
//! | `post` | one call as it is published |
//! | `load` | what goes to Redis together |
//! | `record` | that it is published, on record |

mod channels;
mod demand;
mod load;
mod look;
mod post;
mod record;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use partyline_shared::id::CallSid;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::warn;

use crate::access::Grant;
use crate::audit::Audit;
use crate::broker::{Broker, Failed};
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::sparing::Sparing;
use crate::stop::Stop;
use channels::Prefix;
use load::Load;
use look::{Known, Waiting};
use post::{Post, Step, Way};
use record::{OnRecord, RAILS};

/// How often it is looked at what is wanted: a browser that has just come hears a live call within half a second, of which
/// this is the half.
pub const LOOK: Duration = Duration::from_millis(250);

/// How long frames wait for others, so that they go together: a quarter of a frame, and nothing to a browser behind Rails.
const GATHER: Duration = Duration::from_millis(5);

/// What publishes calls of ours.
pub struct Rails {
    broker: Broker,
    registry: Arc<Registry>,
    audit: Arc<Audit>,
    prefix: Prefix,
    grant: Grant,
    /// Calls that are published.
    posts: HashMap<CallSid, Post>,
    /// Calls that are about to be.
    waiting: HashMap<CallSid, Waiting>,
    begins: FuturesUnordered<BoxFuture<'static, (CallSid, Option<OnRecord>)>>,
    /// Not before this is one tried to be put on record again.
    record_again: Option<Instant>,
    /// Calls that went on at the last look that was answered, and when that was.
    known: HashMap<CallSid, Known>,
    looked: Option<Now>,
    told: Sparing,
}

impl Rails {
    /// Publishes calls of `registry` under Rails' channel prefix, once it runs.
    pub fn new(broker: Broker, registry: Arc<Registry>, audit: Arc<Audit>, prefix: &str) -> Rails {
        Rails {
            broker,
            registry,
            audit,
            prefix: Prefix::new(prefix),
            grant: Grant::passes_on(RAILS),
            posts: HashMap::new(),
            waiting: HashMap::new(),
            begins: FuturesUnordered::new(),
            record_again: None,
            known: HashMap::new(),
            looked: None,
            told: Sparing::default(),
        }
    }

    /// Publishes until `stop`.
    pub async fn run(mut self, stop: Stop) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut link = self.broker.link();
        let mut generation = link.borrow_and_update().generation;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = link.changed() => {
                    let now = *link.borrow_and_update();
                    if changed.is_err() {
                        return;
                    }
                    if !now.up || std::mem::replace(&mut generation, now.generation) != now.generation {
                        self.part();
                    }
                }
                _ = looks.tick(), if self.broker.is_up() => self.look().await,
                Some((sid, record)) = self.begins.next() => self.begun(&sid, record),
                () = news(&self.posts) => {
                    sleep(GATHER).await;
                    self.publish().await;
                }
            }
        }
    }

    /// Redis is away, or another: nobody is subscribed there, and what was said so far is not said again.
    fn part(&mut self) {
        for (_, post) in self.posts.drain() {
            self.registry.metrics().rails_lost.add(post.left());
            post.end("the link to Redis is down");
        }
        for waiting in self.waiting.values_mut() {
            waiting.wanted = demand::Wanted::default();
        }
        self.known.clear();
        self.looked = None;
    }

    /// Publishes what has come.
    async fn publish(&mut self) {
        let mut more = true;
        while more {
            let (mut load, mut over) = (Load::default(), Vec::new());
            let mut posts = std::mem::take(&mut self.posts);
            more = false;
            for (sid, post) in &mut posts {
                if load.is_full() {
                    more = true;
                    break;
                }
                match post.fetch(&self.way(), &mut load) {
                    Step::Rests => {}
                    Step::More => more = true,
                    Step::Over(why) => over.push((sid.clone(), why)),
                }
            }
            self.posts = posts;
            self.send(load).await;
            for (sid, why) in over {
                let Some(post) = self.posts.remove(&sid) else {
                    continue;
                };
                let cursor = post.end(why);
                // A call that is over is begun no more; any other is at the next look, where it is ours.
                match self.known.get_mut(&sid) {
                    Some(known) if known.is_over() => drop(self.known.remove(&sid)),
                    Some(known) => known.told_up_to(Now::take().wall, cursor),
                    None => {}
                }
            }
        }
    }

    fn way(&self) -> Way<'_> {
        Way {
            prefix: &self.prefix,
            grant: &self.grant,
            metrics: self.registry.metrics(),
        }
    }

    async fn send(&mut self, load: Load) {
        let messages = load.len() as u64;
        if messages == 0 {
            return;
        }
        let metrics = self.registry.metrics().clone();
        match self.broker.pipeline_audio(load.into_pipe()).await {
            Ok(answers) => {
                let refused = load::refused(&answers);
                let lost = refused.map_or(0, |(count, _)| count as u64);
                metrics.rails_lost.add(lost);
                metrics.rails_published.add(messages.saturating_sub(lost));
                if let Some((count, code)) = refused {
                    self.tell(&format!("Redis refused {count} messages for Rails by {code}"));
                }
            }
            Err(_) => metrics.rails_lost.add(messages),
        }
    }

    fn not_told(&mut self, failed: &Failed) {
        if let Failed::Refused(_) = failed {
            self.tell(&format!("Redis does not say who is subscribed there: {failed}"));
        }
    }

    fn tell(&mut self, what: &str) {
        if let Some(untold) = self.told.tell(Instant::now()) {
            warn!(
                untold,
                "{what}: nothing is published as Rails would; see to what the user of --redis may (+pubsub, +publish, and the channels of --redis-rails-prefix)"
            );
        }
    }
}

/// Ends when there is something to publish.
async fn news(posts: &HashMap<CallSid, Post>) {
    poll_fn(|cx| {
        // All are asked: each has its own waker.
        let mut ready = false;
        for post in posts.values() {
            ready |= post.is_due() || post.mailbox.poll_ready(cx).is_ready();
        }
        if ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
