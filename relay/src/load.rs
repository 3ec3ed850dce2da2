//! How busy the machine is: what of its cores' time was taken since the last look, by anybody, since it is
//! all the same to a frame whom it waits for. From the kernel's own account.

use std::time::Instant;

/// What the account said at one moment.
#[derive(Debug, Clone, Copy)]
struct Account {
    /// Time taken and time in all, in the kernel's ticks, over all cores.
    taken: u64,
    all: u64,
}

/// Looks at the account now and then.
#[derive(Debug, Default)]
pub struct Load {
    machine: Option<Account>,
    /// This process's own time, and when it was looked at: where it may not use all of the machine, the share
    /// of what it may use is what counts.
    own: Option<(f64, Instant)>,
}

impl Load {
    /// The share of all cores' time since the last look, about 0 to 1; `None` at the first.
    pub fn look(&mut self) -> Option<f64> {
        let machine = std::fs::read_to_string("/proc/stat")
            .ok()
            .and_then(|text| account(&text));
        let before = std::mem::replace(&mut self.machine, machine);
        let machine = machine.zip(before).and_then(|(now, before)| {
            let all = now.all.checked_sub(before.all).filter(|all| *all > 0)?;
            Some(now.taken.saturating_sub(before.taken) as f64 / all as f64)
        });
        let (now, at) = (own_seconds(), Instant::now());
        let before = self.own.replace((now, at));
        let own = before.and_then(|(before, then)| {
            let cores = std::thread::available_parallelism().ok()?.get() as f64;
            let wall = at.saturating_duration_since(then).as_secs_f64();
            (wall > 0.0).then(|| (now - before) / (wall * cores))
        });
        [machine, own].into_iter().flatten().reduce(f64::max)
    }
}

/// The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in ticks.
fn account(stat: &str) -> Option<Account> {
    let mut words = stat.lines().next()?.split_whitespace();
    (words.next()? == "cpu").then_some(())?;
    let ticks: Vec<u64> = words.take(8).map_while(|word| word.parse().ok()).collect();
    let &[user, nice, system, idle, wait, irq, soft, steal] = ticks.as_slice() else {
        return None;
    };
    let taken = user + nice + system + irq + soft + steal;
    Some(Account {
        taken,
        all: taken + idle + wait,
    })
}

/// CPU time of this process, seconds.
fn own_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_account_is_read_and_nothing_else_taken_for_it() {
        let told = account("cpu  10 1 20 60 5 2 1 1 0 0\ncpu0 1 1 1 1").unwrap();
        assert_eq!((told.taken, told.all), (35, 100));
        assert!(account("cpu 1 2 3").is_none() && account("intr 1").is_none() && account("").is_none());
    }

    #[test]
    fn the_first_look_knows_nothing_and_later_ones_a_share() {
        let mut load = Load::default();
        assert_eq!(load.look(), None);
        let mut n = 0_u64;
        let share = loop {
            // Work, until the clock has moved.
            n = std::hint::black_box(n.wrapping_mul(31).wrapping_add(7));
            if let Some(share) = load.look().filter(|share| *share > 0.0) {
                break share;
            }
        };
        assert!(share > 0.0, "{share}");
    }
}
