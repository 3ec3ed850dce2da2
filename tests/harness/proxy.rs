//! A proxy in front of a relay: nginx, HAProxy or Caddy as Debian has them, with the very file of `assets/proxy`.
//! What stands there for an operator to fill in is filled in, and what a machine has one of (nginx's `http`,
//! HAProxy's `global`, Caddy's administration) is the story's own. Everything is in a folder of its own, on loopback,
//! and needs no right.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::certificates::Pair;
use crate::network::quiet_port;
use crate::program::Program;
use crate::scratch::Scratch;
use crate::wait::{SOON, until};

/// Where HAProxy is asked how it stands, in its folder.
const SOCKET: &str = "socket";

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// Caddy.
    Caddy,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Nginx => "nginx",
            Kind::Haproxy => "HAProxy",
            Kind::Caddy => "Caddy",
        })
    }
}

/// A running proxy; killed when dropped.
pub struct Proxy {
    kind: Kind,
    program: Program,
    addr: SocketAddr,
    folder: Scratch,
}

impl Proxy {
    /// Starts one in front of `relay`, by a certificate for `localhost`, and waits until it accepts connections.
    pub async fn start(kind: Kind, relay: SocketAddr, pair: &Pair) -> Proxy {
        Self::starts(kind, pair, |folder, addr| match kind {
            Kind::Nginx => nginx(folder, addr, relay),
            Kind::Haproxy => {
                let own = [("127.0.0.1:8080", relay.to_string())];
                haproxy(folder, addr, "haproxy.cfg", &own)
            }
            Kind::Caddy => caddy(folder, addr, relay),
        })
        .await
    }

    /// HAProxy in front of two relays, by the file for that.
    pub async fn before([one, other]: [SocketAddr; 2], pair: &Pair) -> Proxy {
        let own = [
            ("10.0.0.11:8080", one.to_string()),
            ("10.0.0.12:8080", other.to_string()),
        ];
        Self::starts(Kind::Haproxy, pair, |folder, addr| {
            haproxy(folder, addr, "haproxy-two-relays.cfg", &own)
        })
        .await
    }

    async fn starts(kind: Kind, pair: &Pair, start: impl FnOnce(&Scratch, SocketAddr) -> Program) -> Proxy {
        let folder = Scratch::new();
        folder.write("fullchain.pem", &pair.cert);
        folder.write("privkey.pem", &pair.key);
        folder.write("haproxy.pem", format!("{}{}", pair.cert, pair.key));
        let addr = quiet_port();
        let program = start(&folder, addr);
        until(SOON, &format!("{kind} to accept connections"), async || {
            TcpStream::connect(addr).await.ok()
        })
        .await;
        Proxy {
            kind,
            program,
            addr,
            folder,
        }
    }

    /// Where it speaks TLS.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Has it read its configuration again, as the service's `reload` does, and waits until it has.
    pub async fn reload(&self) {
        let before = self.workers();
        match self.kind {
            Kind::Nginx => self.program.signal("HUP"),
            Kind::Haproxy => self.program.signal("USR2"),
            Kind::Caddy => {
                let config = text(&self.folder.file("main"));
                let args = ["reload", "--force", "--adapter", "caddyfile", "--config", &config];
                let reload = Program::start(&binary(Kind::Caddy), args, &[]);
                reload.finish(SOON).await.expect_code(0);
                return;
            }
        }
        until(SOON, "a new worker", async || {
            self.workers().difference(&before).next().is_some().then_some(())
        })
        .await;
    }

    /// Waits until HAProxy, by its own word, sends new requests to so many relays.
    pub async fn serves(&self, count: usize) {
        let what = format!("{} to send requests to {count} relays", self.kind);
        until(SOON, &what, async || {
            let mut socket = UnixStream::connect(self.folder.file(SOCKET)).await.ok()?;
            socket.write_all(b"show stat -1 4 -1 typed\n").await.ok()?;
            let mut said = String::new();
            socket.read_to_string(&mut said).await.ok()?;
            let up = said
                .lines()
                .filter(|line| line.contains(".status.") && line.ends_with(":UP"));
            (up.count() == count).then_some(())
        })
        .await;
    }

    /// The processes that it has started and that live.
    fn workers(&self) -> BTreeSet<u32> {
        let pid = self.program.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect()
    }

    /// All that it has logged, by whatever way.
    pub fn logs(&self) -> String {
        let mut logs = String::from_utf8_lossy(&self.program.stdout()).into_owned();
        logs.push_str(&self.program.stderr());
        for log in ["access.log", "error.log"] {
            logs.push_str(&std::fs::read_to_string(self.folder.file(log)).unwrap_or_default());
        }
        logs
    }
}

/// Debian's programs for administrators are not in everybody's PATH.
fn binary(kind: Kind) -> PathBuf {
    Path::new(match kind {
        Kind::Nginx => "/usr/sbin/nginx",
        Kind::Haproxy => "/usr/sbin/haproxy",
        Kind::Caddy => "/usr/bin/caddy",
    })
    .to_owned()
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// The file of assets/proxy, with each of these texts replaced; the story fails where one does not stand in it.
fn filled(name: &str, changes: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../assets/proxy")
        .join(name);
    let mut config = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    for (from, to) in changes {
        assert!(config.contains(from), "{from:?} does not stand in {name}");
        config = config.replace(from, to);
    }
    config
}

fn nginx(folder: &Scratch, addr: SocketAddr, relay: SocketAddr) -> Program {
    let place = |name: &str| text(&folder.file(name));
    let site = filled(
        "nginx.conf",
        &[
            ("listen 443 ", format!("listen {addr} ")),
            (
                "server_name calls.example.com",
                "server_name localhost".to_owned(),
            ),
            ("127.0.0.1:8080", relay.to_string()),
            ("/etc/partyline/tls/fullchain.pem", place("fullchain.pem")),
            ("/etc/partyline/tls/privkey.pem", place("privkey.pem")),
            ("/var/log/nginx/partyline.access.log", place("access.log")),
            ("/var/log/nginx/partyline.error.log", place("error.log")),
        ],
    );
    let site = folder.write("site.conf", site);
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|what| format!("{what}_temp_path {};\n", place(what)));
    let main = format!(
        "daemon off;\nworker_processes 1;\npid {};\nevents {{ worker_connections 256; }}\n\
         http {{\n{}include {};\n}}\n",
        place("pid"),
        temporary.concat(),
        text(&site)
    );
    let main = folder.write("main", main);
    let args = ["-e", "stderr", "-p", &text(folder.path()), "-c", &text(&main)];
    Program::start(&binary(Kind::Nginx), args, &[])
}

fn haproxy(folder: &Scratch, addr: SocketAddr, file: &str, relays: &[(&str, String)]) -> Program {
    let bind = ("bind :443 ", format!("bind {addr} "));
    let pem = (
        "/etc/partyline/tls/haproxy.pem",
        text(&folder.file("haproxy.pem")),
    );
    let site = filled(file, &[&[bind, pem], relays].concat());
    let site = folder.write("site.cfg", site);
    let socket = text(&folder.file(SOCKET));
    let main = folder.write(
        "main",
        format!("global\n    maxconn 400\n    log stdout format raw local0\n    stats socket {socket}\n"),
    );
    let args = ["-W", "-f", &text(&main), "-f", &text(&site)];
    Program::start(&binary(Kind::Haproxy), args, &[])
}

fn caddy(folder: &Scratch, addr: SocketAddr, relay: SocketAddr) -> Program {
    let place = |name: &str| text(&folder.file(name));
    let global = format!(
        "\n{{\n\tadmin unix/{}\n\tauto_https disable_redirects\n\tdefault_bind {}\n",
        place("admin"),
        Ipv4Addr::LOCALHOST
    );
    let port = addr.port();
    let main = filled(
        "Caddyfile",
        &[
            ("\n{\n", global),
            (
                "\ncalls.example.com {",
                format!("\nlocalhost:{port}, 127.0.0.1:{port} {{"),
            ),
            ("127.0.0.1:8080", relay.to_string()),
            ("# tls /", "tls /".to_owned()),
            ("/etc/partyline/tls/fullchain.pem", place("fullchain.pem")),
            ("/etc/partyline/tls/privkey.pem", place("privkey.pem")),
            ("/var/log/caddy/partyline.access.log", place("access.log")),
            ("/var/log/caddy/partyline.error.log", place("error.log")),
        ],
    );
    let main = text(&folder.write("main", main));
    let args = ["run", "--adapter", "caddyfile", "--config", &main];
    Program::start(&binary(Kind::Caddy), args, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "does not stand in nginx.conf")]
    fn what_is_no_longer_there_is_not_passed_over() {
        filled("nginx.conf", &[("no such thing", String::new())]);
    }
}
