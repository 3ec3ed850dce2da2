//! Scripts: sent once, asked for by their hash, and sent again where Redis has forgotten them.

use super::*;

static COUNT: Script = Script::new(
    "local n = redis.call('INCRBY', ARGV[1] .. 'count', ARGV[2])
     if n > 1000 then return redis.error_reply('FULL of ' .. ARGV[2]) end
     return {n, ARGV[1]}",
);

fn counted(n: i64) -> Value {
    Value::Array(vec![Value::Int(n), text("partyline:v1:")])
}

fn calls(numbers: &[i64]) -> Vec<Vec<Vec<u8>>> {
    numbers.iter().map(|n| vec![n.to_string().into_bytes()]).collect()
}

async fn forget(redis: &Redis) {
    let mut admin = redis.admin().await;
    let mut flush = cmd("SCRIPT");
    flush.arg("FLUSH");
    flush.exec_async(&mut admin).await.unwrap();
}

#[tokio::test]
async fn a_script_runs_by_its_hash_whether_redis_knows_it_or_not() {
    let redis = Redis::start();
    let running = Running::start(redis.settings());
    let broker = &running.broker;
    running.up().await;
    assert_eq!(broker.script(&COUNT, &[b"1"]).await.unwrap(), counted(1));
    forget(&redis).await;
    assert_eq!(broker.script(&COUNT, &[b"2"]).await.unwrap(), counted(3));
    let Err(Failed::Refused(no)) = broker.script(&COUNT, &[b"2000"]).await else {
        panic!("that is over 1000");
    };
    assert_eq!((no.code(), no.said()), ("FULL", "of 2000"));
    assert!(!format!("{:?} {}", Failed::Refused(no.clone()), Failed::Refused(no)).contains("2000"));
}

#[tokio::test]
async fn many_run_together_in_their_order_each_with_its_own_answer() {
    let redis = Redis::start();
    let running = Running::start(redis.settings());
    let broker = &running.broker;
    running.up().await;
    for round in 0..2 {
        let answers = broker
            .scripts(&COUNT, &calls(&[1, 2, 3000, -3000]))
            .await
            .unwrap();
        let base = round * 3;
        assert_eq!(answers.len(), 4);
        assert_eq!(*answers[0].as_ref().unwrap(), counted(base + 1));
        assert_eq!(*answers[1].as_ref().unwrap(), counted(base + 3));
        assert!(matches!(&answers[2], Err(Failed::Refused(no)) if no.code() == "FULL"));
        assert_eq!(*answers[3].as_ref().unwrap(), counted(base + 3));
        // It was told once that Redis knows it, and that is not so any more.
        forget(&redis).await;
    }
    assert!(broker.scripts(&COUNT, &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn more_than_go_together_come_in_their_order_as_well() {
    let redis = Redis::start();
    let running = Running::start(redis.settings());
    running.up().await;
    let ones = vec![1; 200];
    let mut many = calls(&ones);
    // One that is more than a portion by itself.
    many[70].push(vec![b'x'; 300 << 10]);
    let answers = running.broker.scripts(&COUNT, &many).await.unwrap();
    assert_eq!(answers.len(), 200);
    for (at, answer) in (1..).zip(&answers) {
        assert_eq!(*answer.as_ref().unwrap(), counted(at));
    }
}

#[tokio::test]
async fn a_redis_that_was_restarted_is_given_the_script_again() {
    let mut redis = Redis::start();
    let running = Running::start(redis.settings());
    let broker = &running.broker;
    running.up().await;
    broker.scripts(&COUNT, &calls(&[5])).await.unwrap();
    redis.kill();
    running.down().await;
    assert!(matches!(
        broker.scripts(&COUNT, &calls(&[5])).await,
        Err(Failed::Down)
    ));
    redis.start_again();
    running.up_again(2).await;
    let answers = broker.scripts(&COUNT, &calls(&[7])).await.unwrap();
    assert_eq!(*answers[0].as_ref().unwrap(), counted(7));
}
