//! What a program costs while it runs in a terminal: by the kernel's books, not by its own.

use std::fs;
use std::time::{Duration, Instant};

use harness::{Terminal, emitted};

/// A bracket in time.
#[derive(Debug, Clone, Copy)]
struct Books {
    at: Instant,
    /// On a core, ns.
    cpu: u64,
    /// Times that it waited for something and was woken.
    woken: u64,
    /// Bytes on the terminal.
    written: usize,
}

/// What was spent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Of one core, percent.
    pub(crate) cpu: f64,
    /// Wake-ups a second, of all threads.
    pub(crate) woken: f64,
    /// Bytes.
    pub(crate) written: usize,
    /// Pictures a second.
    pub(crate) pictures: f64,
}

impl Cost {
    /// What running in `terminal` costs over that time.
    pub(crate) async fn of(terminal: &Terminal, time: Duration) -> Cost {
        let before = Books::open(terminal);
        tokio::time::sleep(time).await;
        let after = Books::open(terminal);
        let seconds = (after.at - before.at).as_secs_f64();
        let raw = terminal.raw();
        let written = &raw[before.written..after.written];
        // Whole pictures; one that is cut by the bracket is not read further.
        let begin = b"\x1b[?2026h";
        let pictures = written
            .windows(begin.len())
            .filter(|bytes| bytes == begin)
            .count();
        emitted::expect(&raw[..last_whole(&raw)]);
        Cost {
            cpu: (after.cpu - before.cpu) as f64 / seconds / 1e7,
            woken: (after.woken - before.woken) as f64 / seconds,
            written: written.len(),
            pictures: pictures as f64 / seconds,
        }
    }

    /// For the table.
    pub(crate) fn words(&self) -> String {
        format!(
            "{:.2} % of a core, {} bytes, {:.2} pictures/s, {:.1} wake-ups/s",
            self.cpu, self.written, self.pictures, self.woken
        )
    }
}

/// Where the last whole picture ends.
fn last_whole(raw: &[u8]) -> usize {
    let end = b"\x1b[?2026l";
    let at = raw.windows(end.len()).rposition(|bytes| bytes == end);
    at.map_or(0, |at| at + end.len())
}

impl Books {
    fn open(terminal: &Terminal) -> Books {
        let tasks = format!("/proc/{}/task", terminal.pid());
        let (mut cpu, mut woken) = (0, 0);
        for task in fs::read_dir(&tasks).expect("the program runs").flatten() {
            let read = |name| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let spent: Option<u64> = read("schedstat").split(' ').next().and_then(|ns| ns.parse().ok());
            cpu += spent.unwrap_or(0);
            let status = read("status");
            let switches = status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            woken += switches
                .and_then(|count| count.trim().parse::<u64>().ok())
                .unwrap_or(0);
        }
        Books {
            at: Instant::now(),
            cpu,
            woken,
            written: terminal.raw().len(),
        }
    }
}
