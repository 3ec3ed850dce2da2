//! The broker on a real redis-server: what it asks, what it hears, and how it comes back.

mod again;
mod scripts;
mod users;

use redis::{Value, cmd};

use super::tests_support::{Redis, Running};
use super::*;

fn set(broker: &Broker, tail: &str, value: &str) -> redis::Cmd {
    let mut set = cmd("SET");
    set.arg(broker.key(tail)).arg(value);
    set
}

fn get(broker: &Broker, tail: &str) -> redis::Cmd {
    let mut get = cmd("GET");
    get.arg(broker.key(tail));
    get
}

fn text(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

/// Waits until what is told last was heard; all before it was heard by then.
async fn until(running: &Running, channel: &str, last: &[u8]) -> Vec<Vec<u8>> {
    let heard = async {
        loop {
            let heard = running.heard.on(channel);
            if heard.iter().any(|one| one == last) {
                return heard;
            }
            tokio::task::yield_now().await;
        }
    };
    let heard = tokio::time::timeout(tests_support::SOON, heard).await;
    heard.unwrap_or_else(|_| panic!("{} is not heard", String::from_utf8_lossy(last)))
}

#[tokio::test]
async fn what_is_asked_is_answered_and_what_is_told_is_heard() {
    let redis = Redis::start();
    let running = Running::start(redis.settings());
    let broker = &running.broker;
    assert!(!broker.is_up());
    assert!(matches!(
        broker.command(get(broker, "x")).await,
        Err(Failed::Down)
    ));
    let link = running.up().await;
    assert_eq!((link.generation, link.why), (1, ""));
    assert!(broker.is_up());
    assert_eq!(broker.key("changes"), "partyline:v1:changes");
    broker.command(set(broker, "x", "1")).await.unwrap();
    assert_eq!(broker.command(get(broker, "x")).await.unwrap(), text("1"));

    assert_eq!(broker.publish("changes", b"a").await.unwrap(), 1);
    assert_eq!(broker.publish("to:me", b"b").await.unwrap(), 1);
    assert_eq!(broker.publish("to:nobody", b"c").await.unwrap(), 0);
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(broker.publish_audio("audio:me", &bytes).await.unwrap(), 1);
    assert_eq!(until(&running, "changes", b"a").await, [b"a"]);
    assert_eq!(until(&running, "to:me", b"b").await, [b"b"]);
    assert_eq!(until(&running, "audio:me", &bytes).await, [bytes]);

    let mut pipe = redis::pipe();
    pipe.add_command(get(broker, "x"))
        .add_command(cmd("LPUSH").arg(broker.key("x")).arg(1).clone())
        .add_command(get(broker, "none"));
    let answers = broker.pipeline(pipe).await.unwrap();
    assert_eq!(answers.len(), 3);
    assert_eq!((&answers[0], &answers[2]), (&text("1"), &Value::Nil));
    assert!(matches!(&answers[1], Value::ServerError(no) if no.code() == "WRONGTYPE"));
    assert!(broker.pipeline(redis::pipe()).await.unwrap().is_empty());

    let refused = broker.command(cmd("LPUSH").arg(broker.key("x")).arg("secret").clone());
    let Err(Failed::Refused(no)) = refused.await else {
        panic!("a text is no list");
    };
    assert_eq!(no.code(), "WRONGTYPE");
    assert!(!no.said().is_empty());
    assert!(!format!("{no:?}{no}").contains(no.said()));
    let counted = &running.metrics;
    assert_eq!(
        (
            counted.redis_failed_refused.get(),
            counted.redis_failed_down.get()
        ),
        (1, 1)
    );
    assert_eq!((counted.redis_up.get(), counted.redis_connected.get()), (1, 1));
}

#[tokio::test]
async fn each_connection_says_whose_it_is() {
    let redis = Redis::start();
    let running = Running::start(redis.settings());
    running.up().await;
    let mut list = redis.admin().await;
    let list: String = cmd("CLIENT").arg("LIST").query_async(&mut list).await.unwrap();
    let ours: Vec<&str> = list
        .lines()
        .filter(|line| line.contains("name=partyline-0badcafe"))
        .collect();
    assert_eq!(ours.len(), 4, "{list}");
    assert_eq!(
        ours.iter().filter(|line| line.contains(" sub=2 ")).count(),
        1,
        "{list}"
    );
    assert_eq!(
        ours.iter().filter(|line| line.contains(" sub=1 ")).count(),
        1,
        "{list}"
    );
}

/// Messages of two relays at once.
const MANY: usize = 5_000;

#[tokio::test]
async fn on_a_link_that_is_well_nothing_is_lost_and_all_is_in_order() {
    let redis = Redis::start();
    let hears = Running::start(redis.settings());
    let tells = [Running::start(redis.settings()), Running::start(redis.settings())];
    hears.up().await;
    for teller in &tells {
        teller.up().await;
    }
    let told = tells.iter().enumerate().map(|(who, teller)| {
        let broker = teller.broker.clone();
        tokio::spawn(async move {
            let tell = async |text: &str, frame: &str| {
                let changes = broker.publish("changes", text.as_bytes()).await;
                let audio = broker.publish_audio("audio:me", frame.as_bytes()).await;
                for told in [changes, audio] {
                    // A busy machine may answer late; whether it was told is seen by what is heard.
                    assert!(matches!(told, Ok(_) | Err(Failed::Late)), "{told:?}");
                }
            };
            for n in 0..MANY {
                let frame = format!("{who} {n} {}", "x".repeat(n % 700));
                tell(&format!("{who} {n}"), &frame).await;
            }
            let end = format!("end {who}");
            tell(&end, &end).await;
        })
    });
    for told in told.collect::<Vec<_>>() {
        told.await.unwrap();
    }
    for channel in ["changes", "audio:me"] {
        until(&hears, channel, b"end 0").await;
        until(&hears, channel, b"end 1").await;
        let heard = hears.heard.on(channel);
        assert_eq!(heard.len(), 2 * (MANY + 1));
        for who in ["0 ", "1 "] {
            let of = heard.iter().filter(|one| one.starts_with(who.as_bytes()));
            for (n, one) in of.enumerate() {
                let expected = format!("{who}{n}");
                assert!(String::from_utf8_lossy(one).starts_with(&expected), "{expected}");
            }
        }
    }
    assert_eq!(hears.broker.link().borrow().generation, 1);
}

#[tokio::test]
async fn told_to_stop_it_hangs_up() {
    let redis = Redis::start();
    let mut running = Running::start(redis.settings());
    running.up().await;
    running.stop.cancel();
    (&mut running.task).await.unwrap();
    assert!(!running.broker.is_up());
    assert_eq!(running.metrics.redis_up.get(), 0);
    assert_eq!(running.metrics.redis_lost.get(), 0, "nothing was lost");
    // The same while there is nobody.
    let mut alone = Running::start(Settings {
        port: 1,
        ..redis.settings()
    });
    alone.link(|link| link.why == "it cannot be reached").await;
    alone.stop.cancel();
    (&mut alone.task).await.unwrap();
}
