//! Lua that Redis runs as one step. It is asked for by the hash of its text, and sent only where Redis does not know it.
//! Keys are made in the script from its first argument, `P:v1:`, which the broker gives: so one Redis or primary is what
//! it is for, not a cluster.

use std::sync::OnceLock;

use redis::{Cmd, Value, cmd};
use sha1::{Digest, Sha1};

use super::ask::{COMMAND, PIPELINE};
use super::failed::{Failed, answer};
use super::open::Lines;
use super::{Broker, ask};

/// Calls that are sent together, at most, and bytes: Redis runs them without a break for us, and whether the connection is
/// there is asked behind them.
const PORTION_CALLS: usize = 64;
const PORTION_BYTES: usize = 256 << 10;

/// A script; made once, as a static of whoever uses it.
#[derive(Debug)]
pub struct Script {
    text: &'static str,
    sha: OnceLock<String>,
}

impl Script {
    /// From its text, `include_str!("scripts/x.lua")`.
    pub const fn new(text: &'static str) -> Script {
        Script {
            text,
            sha: OnceLock::new(),
        }
    }

    /// The hash that Redis knows it by.
    fn sha(&self) -> &str {
        self.sha.get_or_init(|| {
            let hash = Sha1::digest(self.text.as_bytes());
            hash.iter().map(|byte| format!("{byte:02x}")).collect()
        })
    }

    fn call<A: AsRef<[u8]>>(&self, prefix: &str, args: &[A]) -> Cmd {
        let mut call = cmd("EVALSHA");
        call.arg(self.sha()).arg(0).arg(prefix);
        for one in args {
            call.arg(one.as_ref());
        }
        call
    }

    fn load(&self) -> Cmd {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(self.text);
        load
    }
}

impl Broker {
    /// What a script comes to. Its `ARGV[1]` is [`Broker::prefix`], `args` follow; it has no `KEYS`.
    ///
    /// # Errors
    /// [`Failed`]; an error that the script returns is [`Failed::Refused`].
    pub async fn script(&self, script: &Script, args: &[&[u8]]) -> Result<Value, Failed> {
        self.counted(async |lines| {
            let call = script.call(self.prefix(), args);
            match ask::one(&lines.commands, &call, COMMAND).await {
                Err(Failed::Refused(no)) if no.is_no_script() => {
                    ask::one(&lines.commands, &script.load(), COMMAND).await?;
                    ask::one(&lines.commands, &call, COMMAND).await
                }
                answered => answered,
            }
        })
        .await
    }

    /// What each of several calls of a script comes to. They are sent together, in portions, and run in this order, but
    /// other relays' may run in between. Where Redis did not know the script, some of them may run later than those that
    /// follow: so they should be of different things.
    ///
    /// # Errors
    /// [`Failed`] where none was answered; where some were, the others have it. What has no answer may have been done.
    pub async fn scripts(
        &self,
        script: &Script,
        calls: &[Vec<Vec<u8>>],
    ) -> Result<Vec<Result<Value, Failed>>, Failed> {
        let mut answers = Vec::with_capacity(calls.len());
        let mut rest = calls;
        while !rest.is_empty() {
            let (portion, after) = rest.split_at(portion(rest));
            let answered = self.counted(async |lines| self.run_calls(lines, script, portion).await);
            match answered.await {
                Ok(more) => {
                    let refused = more.iter().filter(|one| matches!(one, Err(Failed::Refused(_))));
                    self.0.metrics.redis_failed_refused.add(refused.count() as u64);
                    answers.extend(more);
                }
                Err(failed) if answers.is_empty() => return Err(failed),
                Err(failed) => {
                    answers.extend(rest.iter().map(|_| Err(failed.clone())));
                    break;
                }
            }
            rest = after;
        }
        Ok(answers)
    }

    /// One portion; what Redis does not know the script for is asked once more.
    async fn run_calls(
        &self,
        lines: &Lines,
        script: &Script,
        calls: &[Vec<Vec<u8>>],
    ) -> Result<Vec<Result<Value, Failed>>, Failed> {
        if !lines.knows(script.sha()) {
            ask::one(&lines.commands, &script.load(), COMMAND).await?;
            lines.learn(script.sha());
        }
        let mut answers = self.send_calls(lines, script, calls.iter()).await?;
        let is_unknown =
            |answer: &Result<Value, Failed>| matches!(answer, Err(Failed::Refused(no)) if no.is_no_script());
        if !answers.iter().any(is_unknown) {
            return Ok(answers);
        }
        ask::one(&lines.commands, &script.load(), COMMAND).await?;
        let unknown = calls
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| is_unknown(answer));
        let again: Vec<_> = unknown.map(|(args, _)| args).collect();
        let mut again = self
            .send_calls(lines, script, again.into_iter())
            .await?
            .into_iter();
        for answer in answers.iter_mut().filter(|answer| is_unknown(answer)) {
            if let Some(better) = again.next() {
                *answer = better;
            }
        }
        Ok(answers)
    }

    async fn send_calls<'c>(
        &self,
        lines: &Lines,
        script: &Script,
        calls: impl Iterator<Item = &'c Vec<Vec<u8>>>,
    ) -> Result<Vec<Result<Value, Failed>>, Failed> {
        let mut pipe = redis::pipe();
        for args in calls {
            pipe.add_command(script.call(self.prefix(), args));
        }
        let answered = ask::many(&lines.commands, &pipe, PIPELINE).await?;
        Ok(answered.into_iter().map(answer).collect())
    }
}

/// How many of these calls go together: at least one.
fn portion(calls: &[Vec<Vec<u8>>]) -> usize {
    let mut bytes = 0;
    let fits = |args: &&Vec<Vec<u8>>| {
        bytes += args.iter().map(Vec::len).sum::<usize>();
        bytes <= PORTION_BYTES
    };
    let fitting = calls.iter().take(PORTION_CALLS).take_while(fits);
    fitting.count().max(1).min(calls.len())
}
