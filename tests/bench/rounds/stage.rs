//! One run: a server of its own, new, and a load on it; both are gone afterwards. Judges nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::network::quiet_port;
use harness::wait::{SOON, within};
use harness::{Program, Relay, Scratch, binaries};

use super::case::{Case, Judge, Shape, Who};
use super::sample::Sample;

/// Before the steady part, s: connections are made, buffers have found their size.
const WARMUP: u64 = 2;
/// Of a run about memory, s: what it counts is there when all are connected.
const BRIEF: u64 = 3;
/// What a load may take beyond its own time: connecting, draining, judging.
const SLACK: Duration = Duration::from_secs(60);
/// Who is rung by calls that the load makes.
const CONFIG: &str = "default_dial = \"client:alice\"\n";
/// How a server says that it accepts connections, whoever wrote it.
const READY: &str = "listening on http://";
/// How long the yardstick's floor lives at most, s; it has no other end.
const LIMIT_SECONDS: &str = "120";

/// What two relays share calls over.
pub(crate) const REDIS: &str = "redis-server";
/// How it says that it accepts connections.
const REDIS_READY: &str = "Ready to accept connections";
/// How a relay says that it has it.
const LINKED: &str = "the link to Redis is up";

/// The programs.
pub(crate) struct Stage {
    /// This program: it is load and floor as well.
    bench: PathBuf,
    /// Where the Node relay was installed.
    node: PathBuf,
    seconds: u64,
    yardstick: Option<(PathBuf, PathBuf)>,
}

/// A server, ended when dropped.
struct Server {
    pid: u32,
    port: u16,
    /// Where listeners go, and whose time counts too, where the way of the audio is longer.
    elsewhere: Option<(u16, [u32; 2])>,
    ingest: &'static str,
    _life: Life,
}

enum Life {
    Relay {
        _relay: Relay,
        _config: Scratch,
    },
    Other {
        _program: Program,
    },
    Two {
        _relays: Box<[Relay; 2]>,
        _redis: Program,
        _folder: Scratch,
    },
}

/// How a load's report is read.
type Reader = fn(&str) -> Result<Sample, String>;

impl Stage {
    pub(crate) fn new(seconds: u64, yardstick: Option<(PathBuf, PathBuf)>) -> Stage {
        let bench = std::env::current_exe().expect("this program has a path");
        // target/release/examples/bench
        let target = bench.ancestors().nth(3).expect("an example lies in target");
        Stage {
            node: target.join("bench-node"),
            bench,
            seconds,
            yardstick,
        }
    }

    /// Where the Node relay was installed.
    pub(crate) fn node(&self) -> &Path {
        &self.node
    }

    /// What is missing before anything can be run, in words for people.
    pub(crate) fn lacks(&self, cases: &[Case]) -> Option<String> {
        let help = std::process::Command::new(binaries::path(binaries::RELAY))
            .args(["serve", "--help"])
            .output();
        let help = help.map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
        let has_coalesce = help.is_ok_and(|help| help.contains("--coalesce"));
        if !has_coalesce && cases.iter().any(|case| case.who.options().is_some()) {
            return Some(
                "this relay's `serve` has no --coalesce, so what is to be compared cannot be told to it"
                    .to_owned(),
            );
        }
        let has_node = self.node.join("node_modules/ws/package.json").exists();
        if !has_node && cases.iter().any(|case| case.who == Who::Node) {
            return Some(format!(
                "the Node relay is not installed in {}: `make bench` does it (tests/install.sh node bench/node); --no-node runs without",
                self.node.display()
            ));
        }
        None
    }

    /// Whether this machine has what two relays share calls over.
    pub(crate) fn has_redis() -> bool {
        let version = std::process::Command::new(REDIS).arg("--version").output();
        version.is_ok_and(|done| done.status.success())
    }

    /// Runs one case. What goes wrong is told, never retried.
    pub(crate) async fn run(&self, case: Case) -> Result<Sample, String> {
        let server = self.serve(case).await;
        let seconds = if case.scene.is_about_memory() {
            self.seconds.min(BRIEF)
        } else {
            self.seconds
        };
        let limit = Duration::from_secs(seconds + WARMUP) + SLACK;
        let shape = case.scene.shape();
        let (done, read): (_, Reader) = match (case.judge, &self.yardstick) {
            (Judge::Ours, _) => {
                let load = Program::start(&self.bench, load_args(&server, case, shape, seconds), &[]);
                (load.finish(limit).await, Sample::ours)
            }
            (Judge::Yardstick, Some((loadgen, _))) => {
                let load = Program::start(loadgen, loadgen_args(&server, shape, seconds), &[]);
                (load.finish(limit).await, Sample::yardstick)
            }
            (Judge::Yardstick, None) => return Err("no yardstick was named".to_owned()),
        };
        let told = |why: &str| {
            let last = done.stderr.lines().last().unwrap_or("nothing on stderr");
            format!("{why} (exit code {:?}: {last})", done.code)
        };
        // 0 and 1 are loads that ran: all came, or not all. Beyond that some connection was not what it should be.
        match done.code {
            Some(0 | 1) => read(&done.text()).map_err(|why| told(&why)),
            _ => Err(told("the load could not be run")),
        }
    }

    async fn serve(&self, case: Case) -> Server {
        match (case.who, case.judge, &self.yardstick) {
            (Who::Floor, Judge::Yardstick, Some((_, limit))) => Self::limit(limit).await,
            (Who::Floor, ..) => Self::other(&self.bench, &["floor".to_owned()]).await,
            (Who::Node, ..) => {
                // What is compared is what is in the tree now, whenever it was installed.
                let script = self.node.join("relay.mjs");
                std::fs::write(&script, include_str!("../node/relay.mjs"))
                    .expect("the Node relay can be written");
                Self::other(Path::new("node"), &[script.to_string_lossy().into_owned()]).await
            }
            (Who::Two, ..) => Self::two(case.who).await,
            (who, ..) => {
                let config = Scratch::new();
                let file = config.write("relay.toml", CONFIG);
                let file = file.to_string_lossy();
                let mut args = vec!["--config", &file];
                args.extend(who.options().unwrap_or_default());
                let relay = Relay::start(&args).await;
                Server {
                    pid: relay.program().pid(),
                    port: relay.addr().port(),
                    elsewhere: None,
                    ingest: "/cable",
                    _life: Life::Relay {
                        _relay: relay,
                        _config: config,
                    },
                }
            }
        }
    }

    /// Two relays and their Redis, which keeps nothing on disk.
    async fn two(who: Who) -> Server {
        let (folder, redis_at) = (Scratch::new(), quiet_port());
        let config = folder.write("relay.toml", CONFIG).display().to_string();
        let dir = folder.path().display().to_string();
        let port = redis_at.port().to_string();
        let args = [
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--save",
            "",
            "--dir",
            &dir,
        ];
        let redis = Program::start(Path::new(REDIS), args, &[]);
        redis
            .line(SOON, REDIS_READY, |line| line.contains(REDIS_READY))
            .await;
        let url = format!("redis://{redis_at}");
        let mut args = vec!["--config", &config, "--redis", &url];
        args.extend(who.options().unwrap_or_default());
        let (one, other) = (Relay::start(&args).await, Relay::start(&args).await);
        for relay in [&one, &other] {
            relay.program().complains(SOON, LINKED).await;
        }
        Server {
            pid: one.program().pid(),
            port: one.addr().port(),
            elsewhere: Some((other.addr().port(), [other.program().pid(), redis.pid()])),
            ingest: "/cable",
            _life: Life::Two {
                _relays: Box::new([one, other]),
                _redis: redis,
                _folder: folder,
            },
        }
    }

    async fn other(path: &Path, args: &[String]) -> Server {
        let program = Program::start(path, args, &[]);
        let line = program.line(SOON, READY, |line| line.starts_with(READY)).await;
        let port = line
            .rsplit(':')
            .next()
            .and_then(|port| port.trim_end_matches('/').parse().ok());
        Server {
            pid: program.pid(),
            port: port.unwrap_or_else(|| panic!("no port in {line:?}")),
            elsewhere: None,
            ingest: "/twilio",
            _life: Life::Other { _program: program },
        }
    }

    /// The yardstick's floor says nothing when it is ready, and takes no port 0.
    async fn limit(path: &Path) -> Server {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = free.expect("a free port").port();
        let args = [
            "--mode",
            "epoll",
            "--max-secs",
            LIMIT_SECONDS,
            "--port",
            &port.to_string(),
        ];
        let program = Program::start(path, args, &[]);
        within(SOON, "the yardstick's floor to accept connections", async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        Server {
            pid: program.pid(),
            port,
            elsewhere: None,
            ingest: "/twilio",
            _life: Life::Other { _program: program },
        }
    }
}

fn load_args(server: &Server, case: Case, shape: Shape, seconds: u64) -> Vec<String> {
    let mut args = vec!["load".to_owned()];
    let mut put =
        |name: &str, value: &dyn std::fmt::Display| args.extend([name.to_owned(), value.to_string()]);
    put("--relay", &format!("127.0.0.1:{}", server.port));
    put("--ingest-path", &server.ingest);
    put("--listen-path", &"/listen");
    if case.who.options().is_some() {
        // As Twilio does: the webhook first, then the stream.
        put("--voice-path", &"/twilio/voice");
    }
    put("--pid", &server.pid);
    if let Some((port, pids)) = server.elsewhere {
        put("--listen-relay", &format!("127.0.0.1:{port}"));
        pids.iter().for_each(|pid| put("--also-pid", pid));
    }
    put("--calls", &shape.calls);
    put("--tracks", &shape.tracks);
    put("--listeners", &shape.listeners);
    put("--cable-listeners", &shape.cable);
    put("--idle", &shape.idle);
    put("--slow", &shape.slow);
    put("--seconds", &(seconds + WARMUP));
    put("--warmup", &WARMUP);
    if shape.together {
        args.push("--together".to_owned());
    }
    args
}

fn loadgen_args(server: &Server, shape: Shape, seconds: u64) -> Vec<String> {
    let mut args = Vec::new();
    let mut put =
        |name: &str, value: &dyn std::fmt::Display| args.extend([name.to_owned(), value.to_string()]);
    put(
        "--ingest",
        &format!("ws://127.0.0.1:{}{}", server.port, server.ingest),
    );
    put("--listen", &format!("ws://127.0.0.1:{}/listen", server.port));
    put("--kind", &"native");
    put("--pid", &server.pid);
    put("--calls", &shape.calls);
    put("--tracks", &shape.tracks);
    put("--listeners", &shape.listeners);
    put("--duration", &(seconds + WARMUP));
    put("--warmup", &WARMUP);
    if shape.together {
        args.push("--tracks-together".to_owned());
    }
    args
}
