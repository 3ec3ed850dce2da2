//! Streams that were lost while their calls go on are asked for again by Twilio's REST API: nobody else reconnects
//! a stream, and without this every restart would blind every live call. Asks for what `--attach` names, a bounded
//! number at once, never while a stream is live, and nothing while the relay drains. Touches no media.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`plan`] | when a call's stream is asked for, and when no more (pure) |
//! | `ask` | one attempt |
//! | `start` | which calls there were before this relay |

use std::sync::Arc;
use std::time::Instant;

use partyline_shared::call::StreamState;
use partyline_shared::id::CallSid;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tracing::{info, warn};

use crate::calls::call::Call;
use crate::clock::Now;
use crate::config::{Attach, Config};
use crate::rest::Api;
use crate::route::Relay;
use crate::state::State;

mod ask;
pub mod plan;
mod start;

use ask::Asked;
use plan::{Outcome, Plans, Standing, Step};
use start::Found;

/// Attempts at once: a relay that comes back asks for 50 calls within two seconds, and an account that is allowed
/// 100 requests at a time does not notice.
const AT_ONCE: usize = 8;

/// Calls of before that wait to be planned; who finds more waits.
const FINDS: usize = 64;

/// Asks until the relay drains. `state` names the calls that an earlier relay had.
pub async fn run(relay: Arc<Relay>, state: Arc<State>) {
    let api = Arc::new(Api::new(&relay.config.load().twilio_api));
    let mut desk = Desk {
        relay: relay.clone(),
        api: api.clone(),
        plans: Plans::default(),
        asking: JoinSet::new(),
    };
    let stop = relay.stop.clone();
    let (found, finds) = mpsc::channel(FINDS);
    tokio::select! {
        () = stop.draining() => {}
        () = desk.work(start::find(relay, api, state, found), finds) => {}
    }
}

/// What is under way.
struct Desk {
    relay: Arc<Relay>,
    api: Arc<Api>,
    plans: Plans,
    asking: JoinSet<(CallSid, Asked)>,
}

impl Desk {
    async fn work(&mut self, finding: impl Future<Output = ()> + Send, mut finds: mpsc::Receiver<Found>) {
        let registry = self.relay.registry.clone();
        tokio::pin!(finding);
        let mut found = false;
        loop {
            self.begin();
            let next = self.plans.next_due().filter(|_| self.asking.len() < AT_ONCE);
            let due = async {
                match next {
                    Some(due) => sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = &mut finding, if !found => found = true,
                Some(call) = finds.recv() => self.found(call),
                lost = registry.losses() => lost.into_iter().for_each(|sid| self.lost(sid)),
                Some(Ok((sid, asked))) = self.asking.join_next() => self.came(&sid, asked),
                () = due => {}
            }
        }
    }

    /// Begins what is due, as far as there is room.
    fn begin(&mut self) {
        while self.asking.len() < AT_ONCE {
            let now = Instant::now();
            let Some(sid) = self.plans.due(now) else { return };
            let call = self.relay.registry.known(&sid);
            let standing = call
                .as_ref()
                .map_or(Standing::Over, |call| standing(&self.relay.config.load(), call));
            match self.plans.on_due(now, &sid, standing) {
                Step::Ask(stop) => {
                    let Some(call) = call else { continue };
                    let (relay, api) = (self.relay.clone(), self.api.clone());
                    self.asking.spawn(async move {
                        let asked = ask::ask(relay, api, call, stop).await;
                        (sid, asked)
                    });
                }
                Step::GivenUp => self.given_up(&sid),
                Step::Wait | Step::Done => {}
            }
        }
    }

    fn found(&mut self, Found { sid, unheard }: Found) {
        let now = Instant::now();
        if unheard {
            self.plans.found_unheard(now, sid);
        } else {
            self.plans.found(now, sid);
        }
    }

    fn lost(&mut self, sid: CallSid) {
        let known = self.relay.registry.known(&sid);
        let config = self.relay.config.load_full();
        let wanted = known.is_some_and(|call| standing(&config, &call) == Standing::Deaf);
        if wanted && self.plans.lost(Instant::now(), sid.clone()) == Step::GivenUp {
            self.given_up(&sid);
        }
    }

    fn came(&mut self, sid: &CallSid, asked: Asked) {
        let metrics = &self.relay.metrics;
        match &asked.outcome {
            Outcome::Coming(_) => {
                metrics.attaches_granted.add_one();
                info!(call = %sid, "the stream was asked for again, and is coming");
            }
            Outcome::Over => info!(call = %sid, "no stream is asked for: the call is over"),
            Outcome::Never | Outcome::TooMany(_) | Outcome::Failed => {
                metrics.attaches_failed.add_one();
                warn!(call = %sid, "the stream could not be asked for again: {}", asked.why);
                if let Some(call) = self.relay.registry.known(sid) {
                    let message = format!("the stream could not be asked for again: {}", asked.why);
                    call.error(Now::take(), &message);
                }
            }
        }
        if self.plans.on_outcome(Instant::now(), sid, asked.outcome) == Step::GivenUp {
            self.given_up(sid);
        }
    }

    fn given_up(&self, sid: &CallSid) {
        self.relay.metrics.attaches_given_up.add_one();
        warn!(call = %sid, "its stream is not asked for any more; the call goes on unheard");
        if let Some(call) = self.relay.registry.known(sid) {
            call.error(Now::take(), "the stream is not asked for any more");
        }
    }
}

/// How a call stands: whether its stream may and should be asked for, by this relay.
fn standing(config: &Config, call: &Call) -> Standing {
    let elsewhere = !call.is_ours();
    let call = call.view();
    if elsewhere || call.is_ended() || !may_ask(config, call.account_sid.as_deref()) {
        return Standing::Over;
    }
    if call.stream == StreamState::Live {
        Standing::Live
    } else {
        Standing::Deaf
    }
}

/// Whether Twilio can be asked about this account's calls, and would reach this relay.
fn may_ask(config: &Config, account: Option<&str>) -> bool {
    let account = account.filter(|account| partyline_shared::id::is_id(account));
    config.attach != Attach::Never
        && config.public_url.is_some()
        && account.is_some_and(|account| !config.accounts.tokens_of(Some(account)).is_empty())
}
