//! What the doctor says of a Redis that is there, and of one that is not as it should be.

use redis::cmd;

use super::*;
use crate::broker::tests_support::{PORT, Redis};
use crate::config::ServeArgs;

/// What is said of the Redis at this address.
async fn told(url: &str) -> Vec<String> {
    let args = ServeArgs {
        insecure: Some("true".into()),
        ..ServeArgs::default()
    };
    let env = |name: &str| (name == "REDIS_URL").then(|| url.to_owned());
    let config = Config::load(&args, &env, &|_| Ok(String::new())).unwrap();
    let told = look(&config).await;
    told.iter().map(|verdict| verdict.line(true)).collect()
}

#[tokio::test]
async fn each_thing_about_it_is_a_line() {
    let redis = Redis::start();
    let at = format!("{}:{PORT}", redis.at);
    let lines = told(&format!("redis://{at}/1")).await;
    let [answers, may] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert!(
        answers.starts_with(&format!("✓ Redis: {at} answers: redis ")),
        "{answers}"
    );
    assert_eq!(may, "✓ Redis: our user may do what is needed on partyline:v1:*");

    let mut admin = redis.admin().await;
    let mut user = cmd("ACL");
    user.arg("SETUSER")
        .arg("alice")
        .arg("on")
        .arg(">s3cret")
        .arg("~*");
    user.arg("+@connection").arg("+@read").arg("+time");
    user.exec_async(&mut admin).await.unwrap();
    let lines = told(&format!("redis://alice:s3cret@{at}")).await;
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (line, rule) in lines.iter().skip(1).zip(["+@write", "+@scripting", "+@pubsub"]) {
        let begins = format!(
            "✗ Redis: our user may not do what is needed: {rule} (NOPERM); give it that by ACL SETUSER"
        );
        assert!(line.starts_with(&begins), "{line}");
    }
    let wrong = told(&format!("redis://alice:wrong@{at}")).await.join("\n");
    let begins = format!("✗ Redis: {at}: it does not take our user and password");
    assert!(wrong.starts_with(&begins), "{wrong}");
    for config in [["maxmemory", "100mb"], ["maxmemory-policy", "volatile-ttl"]] {
        let set = cmd("CONFIG").arg("SET").arg(&config).clone();
        set.exec_async(&mut admin).await.unwrap();
    }
    let evicts = told(&format!("redis://{at}")).await.pop().unwrap();
    assert!(
        evicts.starts_with("! Redis: what relays share is thrown away"),
        "{evicts}"
    );
    for told in [lines.join("\n"), wrong] {
        assert!(!told.contains("alice") && !told.contains("s3cret"), "{told}");
    }
}

#[tokio::test]
async fn one_that_is_not_there_is_told_and_none_is_no_line() {
    let gone = told("redis://127.0.0.1:1").await.join("\n");
    assert!(
        gone.starts_with("✗ Redis: 127.0.0.1:1: it cannot be reached ("),
        "{gone}"
    );
    let plain = Redis::start();
    let lines = told(&format!("rediss://{}:{PORT}", plain.at)).await.join("\n");
    assert!(
        lines.starts_with(&format!("✗ Redis: {}:{PORT}: it ", plain.at)),
        "{lines}"
    );
    assert!(told("").await.is_empty());
}
