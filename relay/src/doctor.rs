//! Looks whether a relay of this configuration works, from outside and in: what it is told, what the machine gives, and
//! whether Twilio would reach it. A line a verdict, each with its mend. Changes nothing: whatever it asks is answered
//! without effect, and a stream that it opens is closed before it begins. Shows no token.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `verdict` | what a look came to, as a line |
//! | `known`, `machine` | who may listen, and their keys · files, descriptors, room on disks |
//! | `ask` | one exchange with the relay, from here or by its public URL |
//! | `certificate` | for which name, and how long |
//! | `reach` | that the public URL leads to this very relay |
//! | `redis` | whether the Redis that calls are shared over is there, and lets us |
//! | `clock` | whether the time is right |
//! | `account` | what Twilio's console says of our numbers, and what a minute costs |

mod account;
mod ask;
mod certificate;
mod clock;
mod cost;
mod known;
mod machine;
mod reach;
mod redis;
mod verdict;

use std::time::Duration;

use tokio::time::timeout;

use crate::config::{Config, Problems};
use crate::serve;

pub use verdict::{Mark, Verdict};

/// How long one look may take: a name that does not resolve takes 10 s by default, and whoever waits reads the others
/// meanwhile.
const PATIENCE: Duration = Duration::from_secs(15);

/// All that there is to say of a relay of this configuration, which has these `problems`; `told` hears each verdict as
/// soon as it is known.
pub async fn examine(config: &Config, problems: &Problems, mut told: impl FnMut(&Verdict)) -> bool {
    let mut well = true;
    let mut tell = |verdicts: Vec<Verdict>| {
        for verdict in verdicts {
            well &= verdict.mark != Mark::Fail;
            told(&verdict);
        }
    };
    tell(configuration(config, problems));
    tell(known::tokens(config));
    tell(in_time("keys of a login", known::keys(config)).await);
    tell(machine::descriptors(config));
    tell(machine::disks(config));
    tell(machine::secrets(config));
    tell(certificate::own(config));
    tell(in_time("Redis", redis::look(config)).await);
    tell(in_time("clock", clock::look(config)).await);
    tell(in_time("public URL", reach::look(config)).await);
    tell(in_time("Twilio account", account::look(config)).await);
    tell(cost::look(config));
    well
}

/// What a look comes to, or that it takes too long.
async fn in_time(what: &str, look: impl Future<Output = Vec<Verdict>>) -> Vec<Verdict> {
    timeout(PATIENCE, look).await.unwrap_or_else(|_| {
        let why = format!("no answer within {} s", PATIENCE.as_secs());
        let fix = "see that this machine's firewall and name server let it reach the outside";
        vec![Verdict::fail(what, why, fix)]
    })
}

fn configuration(config: &Config, problems: &Problems) -> Vec<Verdict> {
    const WHAT: &str = "configuration";
    let mut verdicts: Vec<Verdict> = problems
        .iter()
        .map(|problem| Verdict::told(Mark::Fail, WHAT, problem.to_string()))
        .collect();
    let wrong = serve::examine(config).into_iter();
    verdicts.extend(wrong.map(|line| Verdict::told(Mark::Fail, WHAT, line)));
    let warned = config.warnings.iter();
    verdicts.extend(warned.map(|line| Verdict::told(Mark::Warn, WHAT, line.clone())));
    if !verdicts.iter().any(|verdict| verdict.mark == Mark::Fail) {
        verdicts.insert(0, Verdict::ok(WHAT, "the relay would start with it"));
    }
    verdicts
}
