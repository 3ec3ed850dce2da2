//! Tickets that are made at one relay and shown at another.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::access::tokens::{Made, file};
use crate::access::{Access, Role};
use crate::audit::Audit;
use crate::broker::commons::Commons;
use crate::broker::commons::tests_support::Stand;
use crate::limits::{Budget, Limits};
use crate::metrics::Metrics;

/// A tokens file with one user in it, whose token is given with it.
fn tokens(name: &str) -> (PathBuf, String) {
    let path = std::env::temp_dir().join(format!("partyline-shared-{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let made = Made::draw("alice", Role::User, UtcTime::from_unix_ms(0)).unwrap();
    file::add(&path, &made.token).unwrap();
    (path, made.expose().to_owned())
}

/// Who stands at the doors of a relay with these tokens.
fn relay(tokens: Option<&Path>, commons: Arc<Commons>) -> Doorman {
    let (access, metrics) = (Access::new(tokens, None).unwrap(), Arc::<Metrics>::default());
    let limits = Limits::new(false, Budget::of_this_process(10), metrics.clone());
    Doorman::new(access, Arc::new(Audit::off()), Arc::new(limits), metrics, commons)
}

async fn bearer(doorman: &Doorman, token: &str) -> Grant {
    doorman.access.bearer(token, Now::take().wall).await.unwrap()
}

#[tokio::test]
async fn a_ticket_made_at_one_relay_opens_one_connection_at_any() {
    let (path, token) = tokens("any");
    let stand = Stand::new();
    let [here, there, stranger] = [Some(&*path), Some(&*path), None].map(|of| relay(of, stand.commons()));
    let alice = bearer(&here, &token).await;
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(here.ticket(&alice).await.unwrap().ticket);
    }
    for (key, value) in stand.all() {
        for ticket in &all {
            let secret = ticket.trim_start_matches("plt_");
            assert!(!key.contains(secret) && !value.contains(secret), "{key} {value}");
        }
        assert!(!value.contains(&token));
    }
    assert_eq!(there.redeem(&all[0], false).await, Some(alice.clone()));
    assert_eq!(there.redeem(&all[0], false).await, None);
    assert_eq!(
        here.redeem(&all[0], false).await,
        None,
        "it was used at the other"
    );
    assert_eq!(here.redeem(&all[1], false).await, Some(alice.clone()));
    assert_eq!(
        there.redeem(&all[1], false).await,
        None,
        "it was used where it was made"
    );
    assert_eq!(
        stranger.redeem(&all[2], true).await,
        None,
        "its bearer is not known there"
    );
    file::remove(&path, |_| true).unwrap();
    there.access.apply(there.access.read(Some(&path)).unwrap());
    assert_eq!(there.redeem(&all[3], false).await, None, "revoked");
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn without_redis_a_ticket_opens_where_it_was_made_and_nothing_afterwards() {
    let (path, token) = tokens("away");
    let stand = Stand::new();
    let commons = stand.commons();
    let [here, there] = [commons.clone(), stand.commons()].map(|commons| relay(Some(&path), commons));
    let kept = tokio::spawn(async move { commons.keep(|_| {}).await });
    let alice = bearer(&here, &token).await;
    let before = here.ticket(&alice).await.unwrap().ticket;
    stand.be(false);
    let without = here.ticket(&alice).await.unwrap().ticket;
    assert_eq!(there.redeem(&without, false).await, None);
    assert_eq!(here.redeem(&before, false).await, Some(alice.clone()));
    stand.be(true);
    // What was used meanwhile is brought there.
    let key = What::Ticket(digest(&before).unwrap()).tail();
    while stand.all().get(&key).is_none_or(|value| value != USED) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(there.redeem(&before, false).await, None);
    assert_eq!(here.redeem(&before, false).await, None);
    assert_eq!(here.redeem(&without, false).await, Some(alice));
    kept.abort();
    std::fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn who_was_let_in_without_a_token_is_so_only_where_that_is_the_rule() {
    let stand = Stand::new();
    let [here, there] = [(), ()].map(|()| relay(None, stand.commons()));
    for (insecure, grant) in [(false, None), (true, Some(Grant::insecure()))] {
        let ticket = here.ticket(&Grant::insecure()).await.unwrap().ticket;
        assert_eq!(there.redeem(&ticket, insecure).await, grant);
    }
}
