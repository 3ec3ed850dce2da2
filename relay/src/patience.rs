//! How long an answer is waited for by a process that may itself stand still: a machine that is moved, a disk or a
//! neighbour that takes all. Time in which this process did not run is no fault of whoever is to answer.

use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

/// A time-out that comes so much later than it should was this process's own doing.
const OVERSLEPT: Duration = Duration::from_millis(300);

/// What `future` comes to within this time, or within as long again where this process did not run meanwhile: its answer
/// may have come, and was not read.
///
/// # Errors
/// [`Elapsed`].
pub(crate) async fn within<F: Future>(patience: Duration, future: F) -> Result<F::Output, Elapsed> {
    let began = Instant::now();
    tokio::pin!(future);
    match timeout(patience, &mut future).await {
        Err(_) if began.elapsed() > patience + OVERSLEPT => timeout(patience, future).await,
        answered => answered,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(500);

    #[tokio::test(start_paused = true)]
    async fn what_did_not_come_in_time_is_late() {
        let began = Instant::now();
        assert!(within(PATIENCE, sleep(PATIENCE * 2)).await.is_err());
        assert!(began.elapsed() < PATIENCE + OVERSLEPT);
    }

    #[tokio::test(start_paused = true)]
    async fn who_overslept_waits_once_more() {
        // As long as the answer takes from when it is looked at.
        let answer = async {
            advance(PATIENCE * 4).await;
            sleep(PATIENCE / 2).await;
        };
        assert!(within(PATIENCE, answer).await.is_ok());
        let silent = async {
            advance(PATIENCE * 4).await;
            std::future::pending::<()>().await;
        };
        assert!(within(PATIENCE, silent).await.is_err());
    }
}
