//! How many connections fit into the files that this process may open. Each is one; the audit, tokens, certificates
//! and what the relay itself asks of others need some too, and may never fail for want of them.

use std::io;

/// Files kept back from connections: the audit and its head, tokens, keys, state, name look-ups, and the relay's own
/// requests; and as many connections as are accepted while others are about to end.
pub const RESERVE: u64 = 64;

/// The last part of all connections, which only Twilio's may take: one in so many.
pub const KEPT_FOR_TWILIO: u64 = 4;

/// What the relay has open before the first connection, where it cannot be counted.
const OWN: u64 = 32;

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// In all.
    pub most: u64,
    /// From here on only Twilio is served: who listens can come back later, a call cannot.
    pub for_anyone: u64,
}

impl Budget {
    /// Of `limit` files that the process may open, `open` are; more than `wanted` connections are of no use.
    pub fn of(limit: u64, open: u64, wanted: u64) -> Budget {
        let most = limit
            .saturating_sub(open)
            .saturating_sub(RESERVE)
            .clamp(1, wanted.max(1));
        Budget {
            most,
            for_anyone: most - most / KEPT_FOR_TWILIO,
        }
    }

    /// Of what this process may open now.
    pub fn of_this_process(wanted: u64) -> Budget {
        Budget::of(limit(), open(), wanted)
    }
}

/// Raises what this process may open to what it may be raised to.
///
/// # Errors
/// What the system says.
pub fn raise() -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        if limit.current != limit.maximum {
            let raised = Rlimit {
                current: limit.maximum,
                maximum: limit.maximum,
            };
            setrlimit(Resource::Nofile, raised)?;
        }
    }
    Ok(())
}

fn limit() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
    }
    #[cfg(not(unix))]
    u64::MAX
}

fn open() -> u64 {
    let entries = std::fs::read_dir("/proc/self/fd").or_else(|_| std::fs::read_dir("/dev/fd"));
    entries.map_or(OWN, |entries| entries.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_not_promised() {
        let tight = Budget::of(256, 20, 30_000);
        assert_eq!((tight.most, tight.for_anyone), (172, 129));
        let wide = Budget::of(1 << 20, 20, 20_000);
        assert_eq!((wide.most, wide.for_anyone), (20_000, 15_000));
        // Nothing fits: one is tried all the same, and accepting fails and waits.
        assert_eq!(Budget::of(10, 20, 100).most, 1);
        assert_eq!(Budget::of(u64::MAX, 0, 0).most, 1);
    }

    #[test]
    fn this_process_has_files_open() {
        assert!(open() >= 3 && limit() > open());
        assert!(Budget::of_this_process(10).most <= 10);
    }
}
