//! A relay under pressure: strangers that flood it, files, memory and disk that run out, thousands of calls. Calls
//! come first, listeners can come back, and whatever was taken is given back.

mod disk;
mod files;
mod floods;
mod growth;
mod memory;

use std::time::Duration;

use harness::Guarded;

/// Of a core's time: what a relay takes that tries again without waiting. One that does not takes a few hundredths for
/// a call with a listener, and some more for whom it refuses.
const SPINS: f64 = 0.7;

/// CPU time that a relay has taken so far.
fn cpu(relay: &Guarded) -> Duration {
    let path = format!("/proc/{}/stat", relay.program().pid());
    let stat = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    // The name may have spaces; what follows its bracket has not.
    let rest = stat.rsplit_once(')').expect("a name in brackets").1;
    let fields: Vec<u64> = rest
        .split_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    // Behind the state, which is a letter: utime and stime are the 11th and 12th.
    let ticks = fields[10] + fields[11];
    let a_second = rustix::param::clock_ticks_per_second();
    Duration::from_millis(ticks * 1000 / a_second)
}

/// A counter of a relay that has ended, as its log tells them all.
fn counted(log: &str, name: &str) -> u64 {
    let line = log
        .lines()
        .find(|line| line.contains(&format!("name=\"{name}\"")));
    let line = line.unwrap_or_else(|| panic!("no counter {name} in the log"));
    let total = line
        .split("total=")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    total
        .and_then(|total| total.parse().ok())
        .unwrap_or_else(|| panic!("no total in {line}"))
}
