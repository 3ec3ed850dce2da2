//! Readiness and time for one thread: epoll, and a timer that is exact where epoll's own timeout rounds up to
//! a millisecond. Knows nothing of what is behind a descriptor.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
};

/// Events taken at once: a busy turn's worth, after which what is due is looked at again.
const EVENTS: usize = 256;
/// The timer's own token, which nothing else may have.
const TIMER: u64 = u64::MAX;
/// Nanoseconds in a second.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// Nanoseconds in a millisecond.
pub(crate) const MILLI: u64 = 1_000_000;

/// The monotonic clock, ns; the same for all processes of the machine.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * SECOND + now.tv_nsec as u64
}

/// Lets this process have as many descriptors as it may.
pub(crate) fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it is refused, the connection that is one too many says so.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// What a descriptor is ready for. An error or an end is something to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ready {
    /// As it was added.
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// One epoll.
pub(crate) struct Poll {
    epoll: OwnedFd,
    timer: OwnedFd,
    /// When the timer fires, ns.
    armed: u64,
    events: Vec<Event>,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Poll> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN)?;
        let none = Event {
            flags: EventFlags::empty(),
            data: EventData::new_u64(0),
        };
        Ok(Poll {
            epoll,
            timer,
            armed: 0,
            events: vec![none; EVENTS],
        })
    }

    /// Watches for what can be read, with `writing` also for room to write.
    pub(crate) fn add(&self, what: impl AsFd, token: u64, writing: bool) -> io::Result<()> {
        Ok(epoll::add(
            &self.epoll,
            what,
            EventData::new_u64(token),
            flags(writing),
        )?)
    }

    /// The same for one that is watched already.
    pub(crate) fn change(&self, what: impl AsFd, token: u64, writing: bool) -> io::Result<()> {
        Ok(epoll::modify(
            &self.epoll,
            what,
            EventData::new_u64(token),
            flags(writing),
        )?)
    }

    /// Watches it no longer. One that is closed needs no word.
    pub(crate) fn remove(&self, what: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, what)?)
    }

    /// Waits until something is ready, at most until that time (ns, as [`now`]); puts it in `ready`.
    pub(crate) fn wait(&mut self, until: u64, ready: &mut Vec<Ready>) -> io::Result<()> {
        ready.clear();
        let passed = until <= now();
        if !passed && until != self.armed {
            let at = Timespec {
                tv_sec: (until / SECOND) as i64,
                tv_nsec: (until % SECOND) as i64,
            };
            let once = Itimerspec {
                it_interval: Timespec::default(),
                it_value: at,
            };
            // Setting it again also takes back that it had fired.
            rustix::time::timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &once)?;
            self.armed = until;
        }
        let at_once = Timespec::default();
        let count = match epoll::wait(&self.epoll, &mut self.events[..], passed.then_some(&at_once)) {
            Ok(count) => count,
            Err(Errno::INTR) => 0,
            Err(e) => return Err(e.into()),
        };
        for event in &self.events[..count] {
            let (token, flags) = (event.data.u64(), event.flags);
            if token != TIMER {
                ready.push(Ready {
                    token,
                    readable: flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR),
                    writable: flags.intersects(EventFlags::OUT),
                });
            }
        }
        Ok(())
    }
}

fn flags(writing: bool) -> EventFlags {
    if writing {
        EventFlags::IN | EventFlags::OUT
    } else {
        EventFlags::IN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn it_waits_for_a_time_or_for_a_socket() {
        let mut poll = Poll::new().unwrap();
        let mut ready = Vec::new();
        let until = now() + 3 * MILLI;
        poll.wait(until, &mut ready).unwrap();
        assert!(ready.is_empty() && now() >= until);

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        poll.add(&listener, 7, false).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        // The timer has fired and is not asked for again: only the socket may end this.
        let late = now() + 3600 * SECOND;
        poll.wait(late, &mut ready).unwrap();
        assert_eq!(ready.iter().map(|ready| ready.token).collect::<Vec<_>>(), [7]);
        assert!(ready[0].readable && !ready[0].writable);
    }
}
