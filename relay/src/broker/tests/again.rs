//! What becomes of a link whose Redis dies, stops, waits, or is cut off, and that it comes back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::tests_support::PORT;
use super::*;

#[tokio::test]
async fn a_redis_that_was_killed_is_found_again_and_its_channels_heard() {
    let mut redis = Redis::start();
    let running = Running::start(redis.settings());
    let broker = &running.broker;
    running.up().await;
    for generation in 2..4 {
        broker.command(set(broker, "x", "1")).await.unwrap();
        redis.kill();
        let link = running.down().await;
        assert_eq!(link.generation, generation - 1);
        assert!(!broker.is_up());
        assert!(matches!(
            broker.publish("changes", b"never").await,
            Err(Failed::Down)
        ));
        running.link(|link| link.why == "it cannot be reached").await;
        redis.start_again();
        running.up_again(generation).await;
        assert_eq!(broker.command(get(broker, "x")).await.unwrap(), Value::Nil);
        let word = format!("after {generation}");
        assert_eq!(broker.publish("changes", word.as_bytes()).await.unwrap(), 1);
        assert_eq!(
            broker.publish_audio("audio:me", word.as_bytes()).await.unwrap(),
            1
        );
        until(&running, "changes", word.as_bytes()).await;
        until(&running, "audio:me", word.as_bytes()).await;
    }
    let counted = &running.metrics;
    assert_eq!((counted.redis_connected.get(), counted.redis_lost.get()), (3, 2));
}

#[tokio::test]
async fn a_redis_that_stopped_is_noticed_and_not_waited_for() {
    let redis = Redis::start();
    let running = Running::start(redis.settings());
    let broker = &running.broker;
    running.up().await;
    redis.freeze();
    let link = running.down().await;
    assert_eq!(link.why, "it does not answer");
    assert!(matches!(
        broker.command(get(broker, "x")).await,
        Err(Failed::Down)
    ));
    redis.thaw();
    running.up_again(2).await;
    broker.command(set(broker, "x", "1")).await.unwrap();
    assert_eq!(broker.publish("changes", b"a").await.unwrap(), 1);
}

#[tokio::test]
async fn a_redis_that_holds_its_clients_back_is_as_good_as_gone_meanwhile() {
    let redis = Redis::start();
    let running = Running::start(redis.settings());
    let broker = &running.broker;
    running.up().await;
    let mut admin = redis.admin().await;
    let pause = cmd("CLIENT").arg("PAUSE").arg(6_000).arg("ALL").clone();
    pause.exec_async(&mut admin).await.unwrap();
    assert!(matches!(
        broker.command(get(broker, "x")).await,
        Err(Failed::Late | Failed::Down)
    ));
    running.down().await;
    running.up_again(2).await;
    broker.command(set(broker, "x", "1")).await.unwrap();
}

#[tokio::test]
async fn one_connection_that_ends_takes_all_down_and_all_come_back() {
    let redis = Redis::start();
    let running = Running::start(redis.settings());
    let mut admin = redis.admin().await;
    for (generation, which) in [
        (1, " sub=1 "),
        (2, " sub=2 "),
        (3, " cmd=publish "),
        (4, " cmd=get "),
    ] {
        running.up_again(generation).await;
        let mut list = String::new();
        let line = async {
            loop {
                // So that each was used for what it is for last, unless it is asked just then whether it is there.
                running.broker.publish_audio("audio:me", b"x").await.unwrap();
                let get = get(&running.broker, "x");
                running.broker.command(get).await.unwrap();
                list = cmd("CLIENT").arg("LIST").query_async(&mut admin).await.unwrap();
                if let Some(line) = list.lines().find(|line| line.contains(which)) {
                    return line.to_owned();
                }
            }
        };
        let line = tokio::time::timeout(tests_support::SOON, line).await;
        let line = line.unwrap_or_else(|_| panic!("{which} is none of\n{list}"));
        let id = line.split_whitespace().find_map(|word| word.strip_prefix("id="));
        let kill = cmd("CLIENT").arg("KILL").arg("ID").arg(id.unwrap()).clone();
        assert_eq!(kill.query_async::<i32>(&mut admin).await.unwrap(), 1);
    }
    running.up_again(5).await;
}

/// A way to Redis that can be cut without either side being told.
struct Cable {
    at: SocketAddr,
    there: Arc<Way>,
    back: Arc<Way>,
}

/// One direction of it.
#[derive(Default)]
struct Way {
    cut: AtomicBool,
    mended: Notify,
}

impl Cable {
    async fn to(redis: &Redis) -> Cable {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (there, back) = (Arc::<Way>::default(), Arc::<Way>::default());
        let cable = Cable {
            at: listener.local_addr().unwrap(),
            there: there.clone(),
            back: back.clone(),
        };
        let redis = redis.at;
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect((redis, PORT)).await.unwrap();
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(there.clone().carry(near_in, far_out));
                tokio::spawn(back.clone().carry(far_in, near_out));
            }
        });
        cable
    }
}

impl Way {
    async fn carry(self: Arc<Way>, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut bytes = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from.read(&mut bytes).await {
            let mended = self.mended.notified();
            if self.cut.load(Relaxed) {
                mended.await;
            }
            if to.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    }

    fn mend(&self) {
        self.cut.store(false, Relaxed);
        self.mended.notify_waiters();
    }
}

#[tokio::test]
async fn a_cable_that_is_cut_in_either_direction_is_noticed_and_the_link_comes_back() {
    let redis = Redis::start();
    let cable = Cable::to(&redis).await;
    let running = Running::start(Settings {
        host: cable.at.ip().to_string(),
        port: cable.at.port(),
        ..redis.settings()
    });
    running.up().await;
    for (generation, way) in [(2, &cable.there), (3, &cable.back)] {
        way.cut.store(true, Relaxed);
        running.down().await;
        way.mend();
        running.up_again(generation).await;
        assert_eq!(running.broker.publish("changes", b"a").await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_is_not_the_one_to_ask() {
    let redis = Redis::start();
    let running = Running::start(redis.settings());
    let broker = &running.broker;
    running.up().await;
    let mut admin = redis.admin().await;
    // It follows one that is not there.
    let mut follow = cmd("REPLICAOF");
    follow.arg("127.0.0.1").arg(1);
    follow.exec_async(&mut admin).await.unwrap();
    let Err(Failed::Refused(no)) = broker.command(set(broker, "x", "1")).await else {
        panic!("it follows another");
    };
    assert_eq!(no.code(), "READONLY");
    running.link(|link| link.generation > 1 || !link.up).await;
    let mut lead = cmd("REPLICAOF");
    lead.arg("NO").arg("ONE");
    lead.exec_async(&mut admin).await.unwrap();
    running.up().await;
    broker.command(set(broker, "x", "1")).await.unwrap();
}

#[test]
fn silence_is_noticed_within_two_seconds() {
    assert!(run::PING_EVERY + run::PING_PATIENCE < std::time::Duration::from_secs(2));
}
