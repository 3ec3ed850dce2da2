//! A real redis-server in a folder of its own, on loopback, that keeps nothing on disk: it can be killed and come back
//! empty, be paused, and be stopped like any process. What a story asks it goes over a connection of its own, so
//! that it says by its own counters what it carried.

mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::certificates::Pair;
use crate::network::quiet_port;
use crate::program::Program;
use crate::scratch::Scratch;
use crate::wait::{SOON, within};

/// What stdout says once it serves.
const READY: &str = "Ready to accept connections";

/// Who a guarded one lets in beside the story.
pub const USER: &str = "relay";
/// His password; the `@`, `/` and `%` are for URLs that are put together by hand.
pub const PASSWORD: &str = "se@cr/et%1";
/// The same as it stands in a URL.
pub const PASSWORD_IN_URL: &str = "se%40cr%2Fet%251";

/// Who the story is where not everybody is let in.
const STORY: (&str, &str) = ("story", "story");

/// What it asks of who connects.
#[derive(Default)]
pub struct Guard<'a> {
    /// Only [`USER`] with [`PASSWORD`] is let in, and may touch only keys and channels that begin so.
    pub prefix: Option<&'a str>,
    /// It speaks TLS by this certificate, on a second port.
    pub tls: Option<&'a Pair>,
}

/// The server; it is killed when dropped.
pub struct Redis {
    folder: Scratch,
    addr: SocketAddr,
    tls: Option<SocketAddr>,
    guarded: bool,
    program: Option<Program>,
}

impl Redis {
    /// Starts one that lets in everybody on this machine, and waits until it serves.
    pub async fn start() -> Redis {
        Self::start_guarded(Guard::default()).await
    }

    /// The same with what it asks of who connects.
    pub async fn start_guarded(guard: Guard<'_>) -> Redis {
        let (folder, addr) = (Scratch::new(), quiet_port());
        let tls = guard.tls.map(|_| quiet_port());
        let mut rules = format!(
            "bind 127.0.0.1\nport {}\nsave \"\"\nappendonly no\ndir {}\n",
            addr.port(),
            folder.path().display()
        );
        if let Some(prefix) = guard.prefix {
            let (story, its) = STORY;
            rules.push_str(&format!(
                "user default off\nuser {story} on >{its} ~* &* +@all\n\
                 user {USER} on >{PASSWORD} ~{prefix}:* &{prefix}:* +@all -@dangerous\n"
            ));
        }
        if let (Some(pair), Some(tls)) = (guard.tls, tls) {
            let (cert, key) = (
                folder.write("cert.pem", &pair.cert),
                folder.write("key.pem", &pair.key),
            );
            rules.push_str(&format!(
                "tls-port {}\ntls-cert-file {}\ntls-key-file {}\ntls-auth-clients no\n",
                tls.port(),
                cert.display(),
                key.display()
            ));
        }
        folder.write("redis.conf", rules);
        let guarded = guard.prefix.is_some();
        let mut redis = Redis {
            folder,
            addr,
            tls,
            guarded,
            program: None,
        };
        redis.serve().await;
        redis
    }

    async fn serve(&mut self) {
        let config = self.folder.file("redis.conf").display().to_string();
        let program = Program::start(Path::new("redis-server"), [config], &[]);
        program.line(SOON, READY, |line| line.contains(READY)).await;
        self.program = Some(program);
    }

    /// Where it speaks plainly.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it speaks TLS.
    pub fn tls_addr(&self) -> SocketAddr {
        self.tls.expect("it was given a certificate")
    }

    /// What `--redis` is to be.
    pub fn url(&self) -> String {
        self.url_by(self.addr)
    }

    /// The same by another way to it.
    pub fn url_by(&self, addr: SocketAddr) -> String {
        if self.guarded {
            format!("redis://{USER}:{PASSWORD_IN_URL}@{addr}")
        } else {
            format!("redis://{addr}")
        }
    }

    /// What `--redis` is to be where it speaks TLS.
    pub fn tls_url(&self) -> String {
        let port = self.tls_addr().port();
        self.url_by(self.addr).replacen("redis:", "rediss:", 1).replacen(
            &self.addr.to_string(),
            &format!("localhost:{port}"),
            1,
        )
    }

    /// Ends it as a power cut would: all that it knew is gone.
    pub async fn kill(&mut self) {
        let program = self.program.take().expect("it runs");
        program.kill().await;
    }

    /// Starts it again where it was, knowing nothing.
    pub async fn restart_empty(&mut self) {
        assert!(self.program.is_none(), "it runs");
        self.serve().await;
    }

    /// Stops the process where it is (SIGSTOP): connections stay open and nothing is answered.
    pub fn stop(&self) {
        self.program().signal("STOP");
    }

    /// Lets the process go on.
    pub fn go_on(&self) {
        self.program().signal("CONT");
    }

    /// `CLIENT PAUSE`: nobody's commands are answered for so long.
    pub async fn pause_clients(&self, time: Duration) {
        let time = time.as_millis().to_string();
        self.ask(&["CLIENT", "PAUSE", &time, "ALL"]).await;
    }

    fn program(&self) -> &Program {
        self.program.as_ref().expect("it runs")
    }

    /// What one command is answered: strings, numbers, lists, null. Bytes that are no text are shown as such.
    pub async fn ask(&self, command: &[&str]) -> Value {
        let what = format!("redis-server's answer to {}", command[0]);
        let asked = async {
            let mut wire = wire::Wire::connect(self.addr).await?;
            if self.guarded {
                wire.ask(&["AUTH", STORY.0, STORY.1]).await?;
            }
            wire.ask(command).await
        };
        within(SOON, &what, asked)
            .await
            .unwrap_or_else(|e| panic!("{what}: {e}"))
    }

    /// A section of what `INFO` says, as its fields.
    pub async fn info(&self, section: &str) -> BTreeMap<String, String> {
        let said = self.ask(&["INFO", section]).await;
        let lines = said.as_str().expect("text").lines();
        lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// One number of `INFO stats`, e.g. `total_net_input_bytes`.
    pub async fn counted(&self, name: &str) -> u64 {
        let stats = self.info("stats").await;
        let value = stats.get(name).and_then(|value| value.parse().ok());
        value.unwrap_or_else(|| panic!("there is no number {name} in {stats:?}"))
    }

    /// The keys that match, in order.
    pub async fn keys(&self, pattern: &str) -> Vec<String> {
        let answer = self.ask(&["KEYS", pattern]).await;
        let mut keys: Vec<String> = serde_json::from_value(answer).expect("a list of names");
        keys.sort();
        keys
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn it_comes_back_empty_where_it_was() {
        let mut redis = Redis::start().await;
        let at = redis.addr();
        assert_eq!(redis.ask(&["SET", "a:1", "x"]).await, json!("OK"));
        assert_eq!(redis.ask(&["INCR", "n"]).await, json!(1));
        assert_eq!(redis.keys("a:*").await, ["a:1"]);
        assert!(redis.counted("total_commands_processed").await > 1);
        redis.kill().await;
        redis.restart_empty().await;
        assert_eq!(
            (redis.addr(), redis.ask(&["GET", "a:1"]).await),
            (at, Value::Null)
        );
    }

    #[tokio::test]
    async fn only_who_it_knows_is_let_in_and_no_further() {
        let redis = Redis::start_guarded(Guard {
            prefix: Some("p"),
            tls: None,
        })
        .await;
        let mut wire = wire::Wire::connect(redis.addr()).await.unwrap();
        let refused = wire.ask(&["GET", "p:1"]).await.unwrap_err();
        assert!(refused.contains("NOAUTH"), "{refused}");
        wire.ask(&["AUTH", USER, PASSWORD]).await.unwrap();
        assert_eq!(wire.ask(&["GET", "p:1"]).await.unwrap(), Value::Null);
        let refused = wire.ask(&["GET", "q:1"]).await.unwrap_err();
        assert!(refused.contains("NOPERM"), "{refused}");
        assert_eq!(redis.ask(&["GET", "q:1"]).await, Value::Null);
    }

    #[tokio::test]
    async fn who_is_paused_or_stopped_answers_later() {
        let redis = Redis::start().await;
        redis.pause_clients(Duration::from_secs(1)).await;
        let mut late = Box::pin(redis.ask(&["PING"]));
        let early = tokio::time::timeout(Duration::from_millis(20), &mut late).await;
        assert!(early.is_err(), "it answered though paused: {early:?}");
        assert_eq!(late.await, json!("PONG"));
        redis.stop();
        let mut late = Box::pin(redis.ask(&["PING"]));
        let early = tokio::time::timeout(Duration::from_millis(50), &mut late).await;
        assert!(early.is_err(), "it answered though stopped: {early:?}");
        redis.go_on();
        assert_eq!(late.await, json!("PONG"));
    }
}
