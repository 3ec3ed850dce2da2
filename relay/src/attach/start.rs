//! Which calls there were before this relay: those that an earlier one wrote down and, where every call of an
//! account is wanted, those that Twilio lists. Each is listed here as far as it is known, and then asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::StreamExt;
use partyline_shared::call::CallStatus;
use partyline_shared::id::CallSid;
use partyline_shared::phone::PhoneNumber;
use partyline_shared::time::UtcTime;
use partyline_shared::twilio::callback::Parties;
use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tracing::{info, warn};

use super::{AT_ONCE, may_ask};
use crate::calls::call::Restored;
use crate::clock::Now;
use crate::config::{Attach, Config};
use crate::rest::{self, Account, Api, Failed};
use crate::route::Relay;
use crate::state::{Entry, State};

/// A call whose stream is to be asked for.
pub(super) struct Found {
    pub(super) sid: CallSid,
    /// Whether Twilio may be about to open a stream by itself.
    pub(super) unheard: bool,
}

/// A call as Twilio's API shows it.
struct Shown {
    sid: CallSid,
    is_child: bool,
    status: Option<CallStatus>,
    parties: Parties,
    began: Option<UtcTime>,
}

/// Finds them; an earlier relay's first, since more is known of those.
pub(super) async fn find(relay: Arc<Relay>, api: Arc<Api>, state: Arc<State>, found: Sender<Found>) {
    let config = relay.config.load_full();
    if let Some(sharing) = &relay.sharing {
        // What other relays have is theirs, or will be taken over from them.
        sharing.synced().await;
    }
    let before = state.before();
    let calls = before.len();
    let silent = Arc::<AtomicBool>::default();
    let checks = before.into_iter().map(|entry| {
        let (relay, api, state, found) = (relay.clone(), api.clone(), state.clone(), found.clone());
        let silent = silent.clone();
        async move {
            if is_elsewhere(&relay, &entry.call_sid) {
                // Whoever has it looks after it.
            } else if let Some(asked_for) = known(&relay, api, &entry, &silent).await {
                // Nobody takes it where the relay leaves.
                let _ = found.send(asked_for).await;
            }
            state.settled(&entry.call_sid);
        }
    });
    futures_util::stream::iter(checks)
        .for_each_concurrent(AT_ONCE, |check| check)
        .await;
    if calls > 0 {
        info!(
            calls,
            "calls that were in progress before this start have been looked at"
        );
    }
    if config.attach == Attach::All && config.public_url.is_some() {
        all(&relay, &config, api, &found).await;
    }
}

/// A call of an earlier relay: listed here if it goes on, or if nobody can say. What is to be asked for. Where Twilio
/// is `silent`, the other calls are listed without being asked about: one time-out after the other, the last of them
/// would be shown after minutes.
async fn known(relay: &Relay, api: Arc<Api>, entry: &Entry, silent: &AtomicBool) -> Option<Found> {
    let config = relay.config.load_full();
    let account = entry.account_sid.as_deref();
    let account = account.filter(|account| may_ask(&config, Some(account)));
    let account = account.and_then(|account| Account::new(api, &config.accounts, account));
    let mut before = entry.restored();
    let mut ask = false;
    if let Some(account) = account {
        let shown = if silent.load(Relaxed) {
            None
        } else {
            Some(account.get(&format!("Calls/{}.json", entry.call_sid)).await)
        };
        match shown.map(|shown| shown.map(|answer| Shown::read(&answer.json))) {
            Some(Ok(Some(shown))) if shown.status.is_some_and(CallStatus::is_final) => return None,
            Some(Ok(Some(shown))) => {
                ask = shown.status == Some(CallStatus::InProgress);
                shown.complete(&mut before);
            }
            Some(Err(Failed::Refused(refused))) if refused.is_unknown() => return None,
            // The attempts will say what is wrong.
            nobody_knows => {
                ask = true;
                if matches!(
                    nobody_knows,
                    Some(Err(Failed::TooSlow(_) | Failed::Unanswered(..)))
                ) {
                    silent.store(true, Relaxed);
                }
            }
        }
    }
    let heard = before.heard;
    restore(relay, &entry.call_sid, before);
    ask.then(|| Found {
        sid: entry.call_sid.clone(),
        unheard: !heard,
    })
}

/// Whether another relay has the call, or had it.
fn is_elsewhere(relay: &Relay, sid: &CallSid) -> bool {
    let known = relay.registry.known(sid);
    known.is_some_and(|call| !call.is_ours())
}

/// Every call in progress of every account that is named.
async fn all(relay: &Relay, config: &Config, api: Arc<Api>, found: &Sender<Found>) {
    let mut sids: Vec<&str> = config.accounts.all().filter_map(|(account, _)| account).collect();
    sids.dedup();
    if config.accounts.all().any(|(account, _)| account.is_none()) {
        warn!(
            "--attach all finds no calls by a token without its account; name it, TWILIO_ACCOUNT_SID or --twilio-account"
        );
    }
    let accounts = sids
        .into_iter()
        .filter_map(|sid| Account::new(api.clone(), &config.accounts, sid));
    for account in accounts {
        if let Err(failed) = of_account(relay, config.max_calls, &account, found).await {
            let account = account.sid();
            warn!(
                account,
                "--attach all could not list the account's calls: {failed}"
            );
        }
    }
}

async fn of_account(
    relay: &Relay,
    max_calls: usize,
    account: &Account,
    found: &Sender<Found>,
) -> Result<(), Failed> {
    let query = format!("Calls.json?Status=in-progress&PageSize={}", rest::PAGE);
    let mut next = Some(rest::path(account.sid(), &query));
    // As many pages as there may be calls: a list without an end is left.
    let mut pages = max_calls.div_ceil(rest::PAGE);
    while let Some(path) = next.take() {
        let page = account.get_path(&path).await?;
        for shown in page.list("calls").iter().filter_map(Shown::read) {
            // What is known here has come here by itself, or was found before.
            if shown.is_child || relay.registry.known(&shown.sid).is_some() {
                continue;
            }
            let sid = shown.sid.clone();
            if !restore(relay, &sid, shown.restored(account.sid())) {
                return Ok(());
            }
            let asked_for = Found { sid, unheard: false };
            if found.send(asked_for).await.is_err() {
                return Ok(());
            }
        }
        pages = pages.saturating_sub(1);
        next = page
            .text("next_page_uri")
            .filter(|next| pages > 0 && !next.is_empty())
            .map(str::to_owned);
    }
    Ok(())
}

/// Whether there was room for it.
fn restore(relay: &Relay, sid: &CallSid, before: Restored) -> bool {
    let now = Now::take();
    match relay.registry.open(now, sid) {
        Ok(call) => {
            call.restore(now, before);
            true
        }
        Err(why) => {
            warn!(call = %sid, %why, "a call that goes on is not followed");
            false
        }
    }
}

impl Shown {
    fn read(call: &Value) -> Option<Shown> {
        let text = |name: &str| {
            let text = call.get(name)?.as_str()?;
            (!text.is_empty()).then_some(text)
        };
        Some(Shown {
            sid: CallSid::parse(text("sid")?).ok()?,
            is_child: text("parent_call_sid").is_some(),
            status: text("status").and_then(CallStatus::parse),
            parties: Parties {
                account_sid: text("account_sid")
                    .filter(|sid| partyline_shared::id::is_id(sid))
                    .map(str::to_owned),
                from: text("from").and_then(PhoneNumber::non_empty),
                to: text("to").and_then(PhoneNumber::non_empty),
                direction: text("direction")
                    .filter(|direction| partyline_shared::id::is_id(direction))
                    .map(str::to_owned),
            },
            began: text("start_time").and_then(UtcTime::parse),
        })
    }

    /// Says what an earlier relay did not know.
    fn complete(self, before: &mut Restored) {
        let Parties {
            from, to, direction, ..
        } = self.parties;
        let known = &mut before.parties;
        known.from = known.from.take().or(from);
        known.to = known.to.take().or(to);
        known.direction = known.direction.take().or(direction);
    }

    /// A call of which no relay knew.
    fn restored(self, account: &str) -> Restored {
        let mut parties = self.parties;
        parties.account_sid = Some(account.to_owned());
        Restored {
            parties,
            customer_id: None,
            dialed: None,
            agent: None,
            started_at: self.began.unwrap_or_else(|| Now::take().wall),
            answered_at: self.began,
            ours: false,
            heard: false,
        }
    }
}
