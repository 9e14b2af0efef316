//! Waiting for something to become true, instead of sleeping.

use std::{future::Future, panic::Location, time::Duration};

/// How long to wait between two looks at a condition.
const STEP: Duration = Duration::from_millis(10);

/// Waits until `condition` holds, looking every 10 ms.
///
/// # Panics
/// When it still does not hold after `within`; the message names the caller's line.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let mut looks = 0;
/// testkit::eventually(std::time::Duration::from_secs(5), async || {
///     looks += 1;
///     looks == 3
/// })
/// .await;
/// # });
/// ```
#[track_caller]
pub fn eventually(within: Duration, mut condition: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let waited = tokio::time::timeout(within, async {
            while !condition().await {
                tokio::time::sleep(STEP).await;
            }
        });
        assert!(waited.await.is_ok(), "{caller}: the condition did not hold within {within:?}");
    }
}
