//! What is asked of Redis about calls and relays, and what it answers: the scripts, in types. Each is one step, whoever
//! else asks at the same time.

use std::sync::Arc;
use std::time::Duration;

use partyline_shared::id::CallSid;
use redis::Value;

use super::hub::Hub;
use super::peers::LEASE;
use crate::broker::{Failed, Script};
use crate::calls::journal::Cursor;
use crate::calls::mirror::{Kind, Numbered, Snapshot, Told};
use crate::lock::lock;

mod answers;

use answers::{beat, claim, int, list, listed, stored, taken};

static BEAT: Script = Script::new(include_str!("../broker/scripts/beat.lua"));
static GOODBYE: Script = Script::new(include_str!("../broker/scripts/goodbye.lua"));
static TELL: Script = Script::new(include_str!("../broker/scripts/tell.lua"));
static CLAIM: Script = Script::new(include_str!("../broker/scripts/claim.lua"));
static FORGET: Script = Script::new(include_str!("../broker/scripts/forget.lua"));
static LIST: Script = Script::new(include_str!("../broker/scripts/list.lua"));
static READ: Script = Script::new(include_str!("../broker/scripts/read.lua"));

/// A relay that says nothing for so long is in no list any more; nobody waits for it after [`LEASE`].
const KEEP_NODES: Duration = Duration::from_secs(60);
/// A call that goes on is kept so long after it was told last: longer than Twilio lets any go on.
pub(super) const LIVE: Duration = Duration::from_secs(25 * 3600);
/// So long nobody takes up a call that was erased, as each relay does for itself.
const ERASED: Duration = crate::calls::life::FORGOTTEN;
/// Removals that Redis remembers, as `forget.lua` says it.
pub(super) const REMOVALS: usize = 2_000;
/// Calls in one page of what has changed: some 20 KB.
pub(super) const PAGE: usize = 256;

/// What Redis says to a beat.
#[derive(Debug)]
pub(super) struct Beat {
    pub(super) epoch: String,
    pub(super) version: u64,
    /// Name, age, version, and whether it drains.
    pub(super) nodes: Vec<(Arc<str>, Duration, String, bool)>,
}

/// What came of telling.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was taken, as this version, by this token.
    Yes { version: u64, token: u64 },
    /// Another owns the call.
    Theirs(Rival),
    /// Redis has less than it was thought to have: all is to be told.
    Behind,
    /// The call was erased.
    Erased,
}

/// Who else owns a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rival {
    /// Nobody where that is empty.
    pub(super) owner: Arc<str>,
    pub(super) token: u64,
    pub(super) rank: u64,
}

/// What came of claiming.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is ours.
    Won {
        token: u64,
        /// Who had it, and whether that one is there.
        from: Arc<str>,
        there: bool,
        /// As which version it was told last.
        before: u64,
        version: u64,
    },
    /// It was already.
    Mine { token: u64, version: u64 },
    /// Another's claim is better.
    Theirs(Rival),
    /// The call was erased.
    Erased,
}

/// A call as it was told last.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) owner: Arc<str>,
    pub(super) token: u64,
    pub(super) version: u64,
    pub(super) rank: u64,
    /// `None` where it was claimed, and not told yet.
    pub(super) snapshot: Option<Box<Snapshot>>,
    pub(super) entries: Vec<Numbered>,
}

/// What came of reading a call.
#[derive(Debug)]
pub(super) enum Read {
    There(Box<Stored>),
    NotThere,
    /// What is there is no call: somebody else wrote it, or wrote over it.
    Unreadable,
}

/// What has changed after a version.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) epoch: String,
    pub(super) version: u64,
    pub(super) calls: Vec<CallSid>,
    /// The version of the last one of a full page, behind which more may follow.
    pub(super) more_after: Option<u64>,
    /// Removals are remembered for so many calls only, and these are as many: there may have been more.
    pub(super) more_gone: bool,
    pub(super) gone: Vec<CallSid>,
    pub(super) erased: Vec<CallSid>,
}

/// What is told of one call.
pub(super) struct Telling<'t> {
    pub(super) sid: &'t CallSid,
    pub(super) token: u64,
    pub(super) after: Cursor,
    pub(super) told: &'t Told,
    /// This is this relay's last word of it, which lets go of it in the same step.
    pub(super) leaves: bool,
    /// How long it is kept from now on.
    pub(super) keep: Duration,
}

fn text(text: impl ToString) -> Vec<u8> {
    text.to_string().into_bytes()
}

impl Telling<'_> {
    fn args(&self, node: &str) -> Vec<Vec<u8>> {
        let Told {
            snapshot,
            entries,
            upto,
            partials: [inbound, outbound],
            ..
        } = self.told;
        let mut args = vec![
            text(self.sid),
            text(node),
            text(self.token),
            // Whoever has a stream of what is let go of is to have it.
            text(if self.leaves { 0 } else { snapshot.rank() }),
            text(&snapshot.journal.id),
            text(self.after.line),
            text(self.after.event),
            text(upto.line),
            text(upto.event),
            text(inbound),
            text(outbound),
            text(self.keep.as_secs().max(1)),
            // What has names for all its fields has a JSON.
            serde_json::to_vec(snapshot).unwrap_or_default(),
            text(u8::from(self.leaves)),
        ];
        for entry in entries {
            args.push(text(match entry.kind() {
                Kind::Lines => "l",
                Kind::Events => "e",
            }));
            args.push(text(entry.seq()));
            args.push(text(entry.json()));
        }
        args
    }
}

impl Hub {
    pub(super) async fn beat(&self, since_ms: i64, draining: bool, epoch: &str) -> Result<Beat, Failed> {
        let (since, keep) = (since_ms.to_string(), KEEP_NODES.as_millis().to_string());
        let draining = if draining { "1" } else { "0" };
        let (of, heard) = lock(&self.books.heard).clone();
        let heard = heard.to_string();
        let args = [
            &*self.node,
            env!("CARGO_PKG_VERSION"),
            &since,
            draining,
            epoch,
            &keep,
            &of,
            &heard,
        ];
        let answer = self.broker.script(&BEAT, &args.map(str::as_bytes)).await?;
        beat(&answer).ok_or(Failed::Broken)
    }

    pub(super) async fn goodbye(&self) -> Result<(), Failed> {
        self.broker
            .script(&GOODBYE, &[self.node.as_bytes()])
            .await
            .map(drop)
    }

    /// What came of each; they are of different calls.
    pub(super) async fn tell(&self, calls: &[Telling<'_>]) -> Result<Vec<Result<Taken, Failed>>, Failed> {
        let args: Vec<_> = calls.iter().map(|telling| telling.args(&self.node)).collect();
        let answers = self.broker.scripts(&TELL, &args).await?.into_iter();
        Ok(answers
            .map(|answer| taken(&answer?).ok_or(Failed::Broken))
            .collect())
    }

    /// Claims calls, each with the rank of its stream here, the token that is known, and the owner.
    pub(super) async fn claim_all(
        &self,
        calls: &[(&CallSid, u64, u64, &str)],
    ) -> Result<Vec<Result<Claim, Failed>>, Failed> {
        let args = calls.iter().map(|(sid, rank, token, owner)| {
            vec![
                text(sid),
                text(&self.node),
                text(rank),
                text(token),
                text(LEASE.as_millis()),
                text(owner),
                text(LIVE.as_secs()),
            ]
        });
        let answers = self.broker.scripts(&CLAIM, &args.collect::<Vec<_>>()).await?;
        let read = |answer: Result<Value, Failed>| claim(&answer?).ok_or(Failed::Broken);
        Ok(answers.into_iter().map(read).collect())
    }

    /// Forgets a call, or erases it; whether that was ours to do.
    pub(super) async fn forget(&self, sid: &CallSid, erase: bool) -> Result<bool, Failed> {
        let (lease, erased) = (LEASE.as_millis().to_string(), ERASED.as_secs().to_string());
        let args = [
            sid.as_str(),
            &self.node,
            &lease,
            if erase { "1" } else { "0" },
            &erased,
        ];
        let answer = self.broker.script(&FORGET, &args.map(str::as_bytes)).await?;
        Ok(int(&answer) == Some(1))
    }

    pub(super) async fn list_after(&self, version: u64) -> Result<Listed, Failed> {
        let (version, page) = (version.to_string(), PAGE.to_string());
        let args = [version.as_bytes(), page.as_bytes()];
        listed(&self.broker.script(&LIST, &args).await?).ok_or(Failed::Broken)
    }

    /// Each as it was told last. What cannot be read of one keeps none of the others from being read.
    pub(super) async fn read_all(&self, calls: &[CallSid]) -> Result<Vec<Read>, Failed> {
        let args: Vec<_> = calls.iter().map(|sid| vec![text(sid)]).collect();
        let mut all = Vec::new();
        for answer in self.broker.scripts(&READ, &args).await? {
            all.push(match answer {
                Ok(answer) if list(&answer).is_some_and(<[Value]>::is_empty) => Read::NotThere,
                Ok(answer) => {
                    stored(&answer).map_or(Read::Unreadable, |stored| Read::There(Box::new(stored)))
                }
                Err(Failed::Refused(no)) if no.is_wrong_type() => Read::Unreadable,
                Err(failed) => return Err(failed),
            });
        }
        Ok(all)
    }
}
