//! Waiting, always with a deadline that names what did not come.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// For what a healthy program on this machine does within milliseconds; long, since two cores may be
/// busy with other stories.
pub const SOON: Duration = Duration::from_secs(20);

/// How often [`until`] looks.
const LOOK: Duration = Duration::from_millis(15);

/// What `work` gives, if it does within `limit`; else the story fails, naming `what`.
pub async fn within<T>(limit: Duration, what: &str, work: impl Future<Output = T>) -> T {
    match timeout(limit, work).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: did not come within {limit:?}"),
    }
}

/// What `look` gives as soon as it gives something: for a state that can only be asked for (a GET), never
/// for what announces itself.
pub async fn until<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = within(limit, what, look()).await {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: was not so within {limit:?}");
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_is_given() {
        assert_eq!(within(SOON, "a value", async { 7 }).await, 7);
        let mut looks = 0;
        let seen = until(SOON, "a third look", async || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(seen.await, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "the bus: did not come within 5ms")]
    async fn what_does_not_come_is_named() {
        within(Duration::from_millis(5), "the bus", std::future::pending::<()>()).await;
    }

    #[tokio::test]
    #[should_panic(expected = "blue moon: was not so within 5ms")]
    async fn what_never_is_so_is_named() {
        until(Duration::from_millis(5), "blue moon", async || None::<()>).await;
    }
}
