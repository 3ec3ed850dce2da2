//! What the system says of this process, by the names that all programs use for it. What it does not say is left out.

use std::fs;

use partyline_shared::time::UtcTime;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use crate::metrics::{Family, Kind, Sample, Value};

/// Memory in use, open files and what is allowed of them, time at work.
pub(super) fn families(began: UtcTime) -> Vec<Family> {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
    let mut families = vec![
        Family {
            name: "process_cpu_seconds",
            help: "Time at work on all cores, user and system",
            kind: Kind::Counter,
            samples: vec![Sample::new(Vec::new(), Value::Seconds(cpu))],
        },
        Family::gauge(
            "process_start_time_seconds",
            "When the process began, seconds since 1970",
            began.unix_ms() as f64 / 1e3,
        ),
    ];
    let known = [
        (
            "process_resident_memory_bytes",
            "Memory in use",
            resident().map(|bytes| bytes as f64),
        ),
        (
            "process_open_fds",
            "Open file descriptors",
            open_files().map(|n| n as f64),
        ),
        (
            "process_max_fds",
            "File descriptors that may be open",
            getrlimit(Resource::Nofile).current.map(|n| n as f64),
        ),
    ];
    families.extend(
        known
            .into_iter()
            .filter_map(|(name, help, level)| Some(Family::gauge(name, help, level?))),
    );
    families
}

/// Linux alone says it for nothing.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kb: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kb << 10)
}

fn open_files() -> Option<usize> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    // The folder itself is open while it is read.
    Some(open.saturating_sub(1))
}

/// Connections that the kernel has and nobody has accepted yet, of the socket that listens on `port`.
pub(super) fn accept_queue(port: u16) -> Option<u64> {
    let found = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .into_iter()
        .filter_map(|path| waiting(&head_of(path)?, port));
    found.max()
}

/// Sockets that listen come first in the kernel's list; those after them may be many.
fn head_of(path: &str) -> Option<String> {
    use std::io::Read;
    /// Bytes of the list that are looked at: 400 sockets that listen.
    const HEAD: u64 = 64 << 10;
    let mut text = String::new();
    fs::File::open(path)
        .ok()?
        .take(HEAD)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

/// The length of the queue of a socket that listens on `port`, out of the kernel's list.
fn waiting(list: &str, port: u16) -> Option<u64> {
    /// The state `LISTEN`.
    const LISTEN: &str = "0A";
    list.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, _remote, state, queues) =
            (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let (_, at) = local.rsplit_once(':')?;
        if state != LISTEN || u16::from_str_radix(at, 16).ok()? != port {
            return None;
        }
        let (_, received) = queues.split_once(':')?;
        u64::from_str_radix(received, 16).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_of_the_right_socket_is_read() {
        let list = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            \x20  0: 0100007F:1F91 00000000:0000 0A 00000000:00000007 00:00000000 00000000     0        0 1 1 0\n\
            \x20  1: 0100007F:1F90 0100007F:8000 01 00000000:00000009 00:00000000 00000000     0        0 2 1 0\n\
            \x20  2: 0100007F:1F90 00000000:0000 0A 00000000:0000001F 00:00000000 00000000     0        0 3 1 0\n";
        assert_eq!(waiting(list, 8080), Some(31));
        assert_eq!(waiting(list, 8081), Some(7));
        assert_eq!(waiting(list, 80), None);
        assert_eq!(waiting("nonsense\n", 80), None);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn who_waits_to_be_accepted_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        assert_eq!(accept_queue(at.port()), Some(0));
        let _waits = std::net::TcpStream::connect(at).unwrap();
        assert_eq!(accept_queue(at.port()), Some(1));
    }
}
