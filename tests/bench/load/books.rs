//! What a process costs, by the kernel's books: time on a core, context switches, threads, memory. Only what
//! `/proc` says; nothing is asked of the process itself.

use std::fs;

/// A bracket in time over all threads of a process.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Books {
    /// On a core, ns.
    pub(super) cpu: u64,
    /// The same in ticks of the kernel's clock: what `top` says.
    pub(super) ticks: u64,
    /// Times that it waited for something.
    pub(super) voluntary: u64,
    /// Times that its core was given to another.
    pub(super) involuntary: u64,
    pub(super) threads: u64,
}

impl Books {
    /// Opens those of a process number, or of `self`. All is 0 for one that has ended.
    pub(super) fn open(pid: &str) -> Books {
        let mut books = Books {
            ticks: ticks(&read(pid, "stat")),
            ..Books::default()
        };
        for task in fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let read = |name| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let spent = read("schedstat");
            books.cpu += number(spent.split(' ').next());
            let status = read("status");
            books.voluntary += field(&status, "voluntary_ctxt_switches:");
            books.involuntary += field(&status, "nonvoluntary_ctxt_switches:");
            books.threads += 1;
        }
        books
    }

    /// The two together.
    pub(super) fn with(&self, other: &Books) -> Books {
        Books {
            cpu: self.cpu + other.cpu,
            ticks: self.ticks + other.ticks,
            voluntary: self.voluntary + other.voluntary,
            involuntary: self.involuntary + other.involuntary,
            threads: self.threads + other.threads,
        }
    }

    /// What was booked since; threads are those that there are.
    pub(super) fn since(&self, before: &Books) -> Books {
        Books {
            cpu: self.cpu.saturating_sub(before.cpu),
            ticks: self.ticks.saturating_sub(before.ticks),
            voluntary: self.voluntary.saturating_sub(before.voluntary),
            involuntary: self.involuntary.saturating_sub(before.involuntary),
            threads: self.threads,
        }
    }
}

/// Microseconds in a tick.
pub(super) fn tick_us() -> f64 {
    1e6 / rustix::param::clock_ticks_per_second() as f64
}

/// Resident memory, kB. Counted page by page where that may be read: the quick figure is allowed to lag behind by
/// some hundred kB, which is many listeners.
pub(super) fn resident_kb(pid: &str) -> u64 {
    match field(&read(pid, "smaps_rollup"), "Rss:") {
        0 => field(&read(pid, "status"), "VmRSS:"),
        exact => exact,
    }
}

/// The most that ever was resident since the process began, kB.
pub(super) fn peak_kb(pid: &str) -> u64 {
    field(&read(pid, "status"), "VmHWM:")
}

fn read(pid: &str, name: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default()
}

/// User and system time. The name before them may have spaces and parentheses of its own.
fn ticks(stat: &str) -> u64 {
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let mut fields = fields.split(' ').skip(11);
    number(fields.next()) + number(fields.next())
}

fn field(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    number(value.and_then(|value| value.split_whitespace().next()))
}

fn number(text: Option<&str>) -> u64 {
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::{MILLI, SECOND, now};

    #[test]
    fn the_fields_are_the_right_ones() {
        let stat = "42 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 700 30 1 2 20 0 5 0";
        assert_eq!(ticks(stat), 730);
        let status = "VmHWM:\t  900 kB\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t7\n";
        assert_eq!(field(status, "voluntary_ctxt_switches:"), 5);
        assert_eq!(field(status, "nonvoluntary_ctxt_switches:"), 7);
        assert_eq!(field(status, "VmHWM:"), 900);
        assert_eq!(field(status, "VmRSS:"), 0);
    }

    #[test]
    fn work_and_memory_show() {
        let (before, resident) = (Books::open("self"), resident_kb("self"));
        let mut memory = vec![0_u8; 8 << 20];
        let until = now() + 10 * SECOND;
        let mut spent = Books::default();
        // However little of the core others leave, some work is some time.
        while spent.cpu < 5 * MILLI && now() < until {
            memory.iter_mut().step_by(1024).for_each(|byte| *byte ^= 1);
            spent = Books::open("self").since(&before);
        }
        assert!(spent.cpu >= 5 * MILLI, "{spent:?}");
        assert!(spent.threads >= 1);
        assert!(resident_kb("self") >= resident + (7 << 10));
        assert!(peak_kb("self") > 0);
        std::hint::black_box(memory);
    }

    #[test]
    fn one_that_has_ended_costs_nothing() {
        let none = Books::open("0");
        assert_eq!((none.cpu, none.threads, resident_kb("0")), (0, 0, 0));
    }
}
