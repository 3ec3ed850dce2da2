//! Keeps the link: opens it, looks after each of its connections, and when one fails takes all down and opens them anew,
//! for ever. Says so sparingly, and never who we are there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::select_all;
use redis::cmd;
use tokio::time::sleep;
use tracing::{info, warn};

use super::ask;
use super::dial::{Dialled, NoLink};
use super::failed::Failed;
use super::hear::{Ears, Subscription};
use super::open::{Opened, open};
use super::{Broker, Inner};
use crate::metrics::Histogram;
use crate::sparing::Sparing;
use crate::stop::Stop;

/// How often each connection is asked whether it is there, also those that only hear: a cable that is cut says nothing.
pub(super) const PING_EVERY: Duration = Duration::from_millis(1000);
/// How long that answer may take: with the time between two, silence is noticed within 2 s.
pub(super) const PING_PATIENCE: Duration = Duration::from_millis(900);
/// The first wait before connecting again, at most, and what that grows to by doubling. Each is drawn from nothing to
/// that, so that relays that lost Redis together do not come back together.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// A link that held so long was well: the next wait is a first one.
const STEADY: Duration = Duration::from_secs(2);

impl Broker {
    /// Keeps the link until `stop`. Called once. What comes on channels is handed to who hears it, in the task of the
    /// connection that it comes by, as soon as it is subscribed; the link is told to be up only once all are.
    pub async fn run(&self, subscriptions: Vec<Subscription>, stop: Stop) {
        let ears: Vec<Arc<Ears>> = Ears::of(&subscriptions, self.prefix())
            .into_iter()
            .map(Arc::new)
            .collect();
        let mut told = Told::default();
        let mut wait = BACK_OFF.0;
        loop {
            let Some(opened) = stop.run_until_cancelled(open(&self.0.settings, &ears)).await else {
                return;
            };
            match opened {
                Ok(opened) => {
                    let since = Instant::now();
                    told.up(self);
                    let Some(why) = self.keep(opened, &stop).await else {
                        return;
                    };
                    if since.elapsed() >= STEADY {
                        wait = BACK_OFF.0;
                    }
                    told.down(self, &why);
                }
                Err(why) => {
                    self.0.state.still_down(why.why);
                    told.down(self, &why);
                }
            }
            let drawn = wait.mul_f64(rand::random::<f64>());
            if stop.run_until_cancelled(sleep(drawn)).await.is_none() {
                return;
            }
            wait = (wait * 2).min(BACK_OFF.1);
        }
    }

    /// The link is up until one of its connections fails; `None` where it was to stop.
    async fn keep(&self, opened: Opened, stop: &Stop) -> Option<NoLink> {
        let Inner { state, metrics, .. } = &*self.0;
        let Opened { lines, dialled } = opened;
        let mut up = state.up(lines.clone(), metrics);
        metrics.redis_connected.add_one();
        let failed = dialled.into_iter().enumerate().map(|(at, dialled)| {
            // The first tells how far it is.
            let times = (at == 0).then_some(&metrics.times.redis);
            Box::pin(fails(dialled, times))
        });
        let why = tokio::select! {
            (why, ..) = select_all(failed) => Some(why),
            () = lines.given_up() => Some(NoLink::new("it takes no writes: it follows another", "READONLY")),
            () = stop.cancelled() => None,
        };
        if let Some(why) = &why {
            up.why = why.why;
            metrics.redis_lost.add_one();
        }
        why
    }
}

/// Ends when a connection has.
async fn fails(mut dialled: Dialled, times: Option<&Histogram>) -> NoLink {
    let ping = cmd("PING");
    loop {
        tokio::select! {
            _ = &mut dialled.driver => return NoLink::new("the connection broke", ""),
            () = sleep(PING_EVERY) => {}
        }
        let began = Instant::now();
        match ask::one(&dialled.line, &ping, PING_PATIENCE).await {
            Ok(_) => {
                if let Some(times) = times {
                    times.record(began.elapsed());
                }
            }
            Err(Failed::Late) => return NoLink::new("it does not answer", ""),
            Err(Failed::Refused(no)) => return NoLink::new("it is not ready", no),
            Err(Failed::Broken | Failed::Down) => return NoLink::new("the connection broke", ""),
        }
    }
}

/// What was said of it.
#[derive(Default)]
struct Told {
    sparing: Sparing,
    /// Why it is down, and since when; as it was told.
    down: Option<(Instant, &'static str)>,
}

impl Told {
    fn down(&mut self, broker: &Broker, no: &NoLink) {
        let now = Instant::now();
        let since = match self.down {
            // One outage is told once, and again where there is another reason.
            Some((_, why)) if why == no.why => return,
            Some((since, _)) => since,
            None => now,
        };
        self.down = Some((since, no.why));
        if let Some(untold) = self.sparing.tell(now) {
            let (redis, why, detail) = (broker.0.settings.place(), no.why, no.detail.as_str());
            warn!(
                redis,
                why, detail, untold, "no link to Redis: what other relays tell is not heard until it is back"
            );
        }
    }

    fn up(&mut self, broker: &Broker) {
        let now = Instant::now();
        let was_down = self.down.take().map(|(since, _)| now.duration_since(since));
        let redis = broker.0.settings.place();
        if let Some(untold) = self.sparing.tell(now) {
            match was_down {
                Some(was_down) => info!(
                    redis,
                    down_ms = was_down.as_millis() as u64,
                    untold,
                    "the link to Redis is up"
                ),
                None => info!(redis, untold, "the link to Redis is up"),
            }
        }
    }
}
