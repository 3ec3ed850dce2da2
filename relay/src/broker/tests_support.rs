//! A real redis-server for tests, on a loopback address of its own: it cannot pick a port by itself, and so needs none that
//! is free. It keeps nothing: started again it is empty.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Broker, Hear, Link, Settings, Subscription};
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::stop::Stop;

/// Longer than anything here takes on a machine that does ten other things.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Redis' own port: the address is ours alone.
pub(crate) const PORT: u16 = 6379;

/// A server, killed with this.
pub(crate) struct Redis {
    pub(crate) at: Ipv4Addr,
    args: Vec<String>,
    child: Child,
}

impl Redis {
    pub(crate) fn start() -> Redis {
        Redis::with(|_| Vec::new())
    }

    /// With more arguments, made for its address.
    pub(crate) fn with(args: impl FnOnce(Ipv4Addr) -> Vec<String>) -> Redis {
        let [a, b, c] = rand::random::<[u8; 3]>().map(|byte| byte.clamp(1, 254));
        let at = Ipv4Addr::new(127, a, b, c);
        let more = args(at);
        let mut args: Vec<String> = ["--bind", &at.to_string(), "--save", "", "--appendonly", "no"]
            .map(str::to_owned)
            .into();
        if !more.iter().any(|arg| arg == "--port") {
            args.extend(["--port".to_owned(), PORT.to_string()]);
        }
        args.extend(more);
        let child = started(&args);
        Redis { at, args, child }
    }

    /// Kills it; what it knew is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, at the same address.
    pub(crate) fn start_again(&mut self) {
        self.child = started(&self.args);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// It does nothing any more, and hangs up on nobody.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            secure: false,
            host: self.at.to_string(),
            port: PORT,
            db: 0,
            user: None,
            password: None,
            prefix: "partyline".to_owned(),
            node: "0badcafe".to_owned(),
            trust: None,
        }
    }

    /// Somebody else who asks it, as its default user.
    pub(crate) async fn admin(&self) -> MultiplexedConnection {
        let client = redis::Client::open(format!("redis://{}:{PORT}/", self.at)).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn started(args: &[String]) -> Child {
    let mut child = Command::new("redis-server")
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server is installed");
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = told.find(|line| line.as_ref().unwrap().contains("Ready to accept connections"));
    ready.expect("it is ready").unwrap();
    // It goes on writing, and would wait for who reads.
    std::thread::spawn(move || told.for_each(drop));
    child
}

/// What was heard, by channel.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<HashMap<String, Vec<Vec<u8>>>>>);

impl Heard {
    pub(crate) fn on(&self, channel: &str) -> Vec<Vec<u8>> {
        lock(&self.0).get(channel).cloned().unwrap_or_default()
    }

    pub(crate) fn subscription(&self, channels: &[&str], own_connection: bool) -> Subscription {
        let heard = self.clone();
        let hear: Hear = Arc::new(move |channel, payload| {
            let mut heard = lock(&heard.0);
            heard
                .entry(channel.to_owned())
                .or_default()
                .push(payload.to_vec());
        });
        Subscription {
            channels: channels.iter().map(|channel| (*channel).to_owned()).collect(),
            hear,
            own_connection,
        }
    }
}

/// A broker that runs until this is dropped.
pub(crate) struct Running {
    pub(crate) broker: Broker,
    pub(crate) heard: Heard,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stop: Stop,
    pub(crate) task: JoinHandle<()>,
}

impl Running {
    /// Hears `changes` and `to:me` on one connection, `audio:me` on another.
    pub(crate) fn start(settings: Settings) -> Running {
        let metrics = Arc::<Metrics>::default();
        let broker = Broker::new(settings, metrics.clone()).unwrap();
        let (heard, stop) = (Heard::default(), Stop::default());
        let subscriptions = vec![
            heard.subscription(&["changes", "to:me"], false),
            heard.subscription(&["audio:me"], true),
        ];
        let (running, until) = (broker.clone(), stop.clone());
        let task = tokio::spawn(async move { running.run(subscriptions, until).await });
        Running {
            broker,
            heard,
            metrics,
            stop,
            task,
        }
    }

    /// Waits until the link is as it should be.
    pub(crate) async fn link(&self, is: impl Fn(&Link) -> bool) -> Link {
        let mut link = self.broker.link();
        let found = timeout(SOON, link.wait_for(is)).await;
        *found.expect("the link comes to that").unwrap()
    }

    pub(crate) async fn up(&self) -> Link {
        self.link(|link| link.up).await
    }

    /// Waits until it is up for the `n`th time.
    pub(crate) async fn up_again(&self, n: u64) -> Link {
        self.link(|link| link.up && link.generation == n).await
    }

    pub(crate) async fn down(&self) -> Link {
        self.link(|link| !link.up).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
