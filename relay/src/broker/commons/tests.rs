//! Two relays and what is like Redis between them, with a time of its own there.

use std::sync::Mutex;

use super::tests_support::Stand;
use super::*;

fn brought(name: u64, told: &str) -> Brought {
    Brought {
        what: What::Seen(name),
        told: told.into(),
        until_ms: now_ms() + 60_000,
    }
}

/// Runs what keeps two relays in step while something is done.
async fn kept<T>(all: &[&Arc<Commons>], done: impl Future<Output = T>) -> T {
    let mut kept = tokio::task::JoinSet::new();
    for commons in all {
        let commons = Arc::clone(commons);
        kept.spawn(async move { commons.keep(|_| {}).await });
    }
    done.await
}

#[tokio::test(start_paused = true)]
async fn a_webhook_acts_at_one_relay_and_the_other_hears_what_came_of_it() {
    let stand = Stand::new();
    let (here, there) = (stand.commons(), stand.commons());
    kept(&[&here, &there], async {
        assert_eq!(here.claim(1).await, Claim::Ours);
        let (claim, ()) = tokio::join!(there.claim(1), async {
            sleep(LOOK * 2).await;
            here.bring(brought(1, "f12"));
        });
        assert_eq!(claim, Claim::Seen("f12".into()));
        assert_eq!(here.claim(1).await, Claim::Seen("f12".into()));
        assert_eq!(there.claim(2).await, Claim::Ours, "another one");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn one_that_has_begun_and_died_is_waited_for_a_moment_and_acts_after_five_seconds() {
    let stand = Stand::new();
    let (here, there) = (stand.commons(), stand.commons());
    assert_eq!(here.claim(1).await, Claim::Ours);
    let began = Instant::now();
    assert_eq!(there.claim(1).await, Claim::Begun);
    assert!(began.elapsed() >= FOR_ANOTHER);
    stand.let_pass(Duration::from_millis(BEGUN_MS));
    assert_eq!(there.claim(1).await, Claim::Ours);
}

#[tokio::test(start_paused = true)]
async fn a_slow_or_absent_redis_costs_a_moment_and_then_nothing() {
    let stand = Stand::new();
    let here = stand.commons();
    stand.take_time(Duration::from_secs(60));
    let began = Instant::now();
    assert_eq!(here.claim(1).await, Claim::Unknown);
    assert_eq!(here.spend([1; 16], Duration::from_secs(9)).await, None);
    assert_eq!(here.take_ticket([1; 32]).await, Taken::Unknown);
    assert!(began.elapsed() >= 3 * PATIENCE);
    stand.be(false);
    assert_eq!(here.claim(2).await, Claim::Unknown);
    assert_eq!(here.metrics.commons_unanswered.get(), 3, "nobody was asked");
    let alone = Commons::alone();
    assert_eq!(alone.claim(1).await, Claim::Unknown);
    alone.bring(brought(1, "c"));
    assert_eq!((alone.backlog(), alone.is_shared()), (0, false));
}

#[tokio::test(start_paused = true)]
async fn what_acted_while_redis_was_away_is_brought_to_it() {
    let stand = Stand::new();
    let (here, there) = (stand.commons(), stand.commons());
    stand.be(false);
    kept(&[&here], async {
        for name in 0..TOGETHER as u64 + 2 {
            assert_eq!(here.claim(name).await, Claim::Unknown);
            here.bring(brought(name, "a"));
        }
        here.bring(Brought {
            what: What::Pass([9; 16]),
            ..brought(0, "1")
        });
        let over = Brought {
            until_ms: now_ms() - 1,
            ..brought(7_000, "a")
        };
        here.bring(over);
        sleep(LOOK).await;
        assert_eq!(here.backlog(), TOGETHER + 4);
        stand.be(true);
        stand.has(&What::Pass([9; 16]).tail()).await;
        assert_eq!(there.claim(0).await, Claim::Seen("a".into()));
        assert_eq!(there.claim(TOGETHER as u64 + 1).await, Claim::Seen("a".into()));
        assert_eq!(there.claim(7_000).await, Claim::Ours, "that was over");
        assert_eq!(there.spend([9; 16], Duration::from_secs(9)).await, Some(false));
        assert_eq!(here.backlog(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_redis_did_not_take_is_not_lost() {
    let stand = Stand::new();
    let here = stand.commons();
    kept(&[&here], async {
        stand.has("key").await;
        stand.refuse(true);
        here.bring(brought(1, "a"));
        sleep(LOOK).await;
        assert_eq!(here.backlog(), 1, "nobody said that it was taken");
        stand.refuse(false);
        assert_eq!(stand.has(&What::Seen(1).tail()).await, "a");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn passes_and_tickets_are_used_once_among_all() {
    let stand = Stand::new();
    let (here, there) = (stand.commons(), stand.commons());
    let left = Duration::from_secs(60);
    assert_eq!(here.spend([1; 16], left).await, Some(true));
    assert_eq!(there.spend([1; 16], left).await, Some(false));
    assert!(here.keep_ticket([2; 32], "{\"name\":\"alice\"}", left).await);
    assert_eq!(
        there.take_ticket([2; 32]).await,
        Taken::With("{\"name\":\"alice\"}".into())
    );
    assert_eq!(here.take_ticket([2; 32]).await, Taken::None);
    assert!(here.keep_ticket([3; 32], "x", left).await);
    stand.let_pass(left);
    assert_eq!(
        there.take_ticket([3; 32]).await,
        Taken::None,
        "its minute is over"
    );
}

#[tokio::test(start_paused = true)]
async fn all_hide_names_by_one_key_also_after_redis_was_emptied() {
    let stand = Stand::new();
    let adopted = Arc::<Mutex<Vec<[u8; KEY]>>>::default();
    let mut kept = tokio::task::JoinSet::new();
    for _ in 0..2 {
        let (commons, adopted) = (stand.commons(), adopted.clone());
        kept.spawn(async move { commons.keep(|key| lock(&adopted).push(key)).await });
    }
    let seen = async |count: usize| {
        while lock(&adopted).len() < count {
            sleep(LOOK).await;
        }
        let keys = lock(&adopted);
        assert!(keys.iter().all(|key| *key == keys[0]), "one for all");
    };
    seen(2).await;
    stand.be(false);
    stand.empty();
    sleep(LOOK).await;
    stand.be(true);
    seen(4).await;
}
