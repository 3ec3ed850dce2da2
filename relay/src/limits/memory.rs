//! How full the memory is that this process may use: the least of what its control groups, its own limits and the
//! machine allow. A relay that is killed for it takes all calls with it, so that what can be done without goes before.

use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// From here on calls remember no audio: it is what takes most, and nobody misses it who listens already.
const NO_HISTORY: f64 = 0.80;
/// From here on nobody new may listen.
const NO_LISTENERS: f64 = 0.90;
/// How far it has to fall below either before that is over: else it would come and go with each call.
const BACK: f64 = 0.05;

/// Where control groups are.
const GROUPS: &str = "/sys/fs/cgroup";

/// What is done without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// Nothing.
    #[default]
    None,
    /// Remembered audio.
    NoHistory,
    /// That, and new listeners.
    NoListeners,
}

impl Pressure {
    /// What follows where `share` of the memory is taken.
    pub fn next(self, share: f64) -> Pressure {
        let over = |pressure: Pressure, from: f64| {
            let from = if self >= pressure { from - BACK } else { from };
            share >= from
        };
        if over(Pressure::NoListeners, NO_LISTENERS) {
            Pressure::NoListeners
        } else if over(Pressure::NoHistory, NO_HISTORY) {
            Pressure::NoHistory
        } else {
            Pressure::None
        }
    }
}

/// The pressure in force, for those who ask often.
#[derive(Debug, Default)]
pub struct Memory(AtomicU8);

impl Memory {
    /// Puts it in force.
    pub fn set(&self, pressure: Pressure) {
        self.0.store(pressure as u8, Relaxed);
    }

    /// Whether nobody new may listen.
    pub fn refuses_listeners(&self) -> bool {
        self.0.load(Relaxed) >= Pressure::NoListeners as u8
    }
}

/// The share that is taken, 0 to 1; `None` where the system does not say.
pub fn share() -> Option<f64> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let own = read("/proc/self/status")?;
    // Pages of files are given back by the kernel where it wants them.
    let own_pages = |field| kilobytes(&own, field);
    let resident = own_pages("RssAnon:").zip(own_pages("RssShmem:"));
    let resident = resident
        .map(|(anonymous, shared)| anonymous + shared)
        .or_else(|| own_pages("VmRSS:"))?;
    let machine = read("/proc/meminfo").and_then(|text| kilobytes(&text, "MemTotal:"));
    let groups = read("/proc/self/cgroup").unwrap_or_default();
    let groups = limits(&groups, |path| {
        std::fs::read_to_string(Path::new(GROUPS).join(path)).ok()
    });
    let of_memory = [machine, groups].into_iter().flatten().min();
    let of_memory = of_memory.map(|limit| resident as f64 / limit.max(1) as f64);
    [of_memory, share_of_addresses(&own)]
        .into_iter()
        .flatten()
        .reduce(f64::max)
}

/// Of what a limit of the address space allows, which an allocation past it fails by.
fn share_of_addresses(status: &str) -> Option<f64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        let limit = getrlimit(Resource::As).current?;
        Some(kilobytes(status, "VmSize:")? as f64 / limit.max(1) as f64)
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        None
    }
}

/// A field of `/proc`, which are in kB; bytes.
fn kilobytes(text: &str, field: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(field))?;
    let number: u64 = rest.split_whitespace().next()?.parse().ok()?;
    number.checked_mul(1024)
}

/// The least limit of the control groups named in `/proc/self/cgroup`, and of those they lie in. `read` is given
/// paths below [`GROUPS`].
fn limits(groups: &str, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let of_line = |line: &str| {
        let mut parts = line.splitn(3, ':');
        let (_, kinds, path) = (parts.next()?, parts.next()?, parts.next()?);
        let (root, files): (&str, &[&str]) = match kinds {
            "" => ("", &["memory.max", "memory.high"]),
            "memory" => ("memory", &["memory.limit_in_bytes"]),
            _ => return None,
        };
        let group = Path::new(root).join(path.trim_start_matches('/'));
        let all = group
            .ancestors()
            .flat_map(|group| files.iter().map(|file| group.join(file)));
        // "max" is no limit, and no number.
        all.filter_map(|file| read(&file)?.trim().parse().ok()).min()
    };
    groups.lines().filter_map(of_line).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_without_follows_and_does_not_flutter() {
        let mut pressure = Pressure::None;
        for (share, expected) in [
            (0.79, Pressure::None),
            (0.80, Pressure::NoHistory),
            (0.76, Pressure::NoHistory),
            (0.74, Pressure::None),
            (0.90, Pressure::NoListeners),
            (0.86, Pressure::NoListeners),
            (0.84, Pressure::NoHistory),
            (0.10, Pressure::None),
        ] {
            pressure = pressure.next(share);
            assert_eq!(pressure, expected, "{share}");
        }
        let memory = Memory::default();
        assert!(!memory.refuses_listeners());
        memory.set(Pressure::NoHistory);
        assert!(!memory.refuses_listeners());
        memory.set(Pressure::NoListeners);
        assert!(memory.refuses_listeners());
    }

    #[test]
    fn the_least_limit_counts_wherever_it_stands() {
        let files = |path: &Path| {
            Some(match path.to_str()? {
                "a/b/memory.max" | "memory.max" => "max\n".to_owned(),
                "a/b/memory.high" => "3000\n".to_owned(),
                "a/memory.max" => "2000\n".to_owned(),
                "memory/old/memory.limit_in_bytes" => "1000\n".to_owned(),
                "memory/memory.limit_in_bytes" => "9223372036854771712\n".to_owned(),
                _ => return None,
            })
        };
        assert_eq!(limits("0::/a/b\n", files), Some(2000));
        assert_eq!(limits("9:cpu:/x\n4:memory:/old\n0::/a/b\n", files), Some(1000));
        assert_eq!(limits("0::/\n", files), None);
        assert_eq!(limits("nonsense\n\n", files), None);
        assert_eq!(kilobytes("Name:\tx\nVmRSS:\t  12 kB\n", "VmRSS:"), Some(12 << 10));
        assert_eq!(kilobytes("VmRSS: many", "VmRSS:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_some_of_it() {
        let share = share().unwrap();
        assert!(share > 0.0 && share < 1.0, "{share}");
    }
}
