//! Waits with a timeout. Every wait has a description, so that a failure reads as a sentence.
//!
//! Waits for Kubernetes objects use watches ([`object`], [`gone`]). All others poll ([`until`]).

use std::{fmt::Debug, time::Duration};

use anyhow::{Context, bail};
use futures::StreamExt;
use kube::{Api, Resource, runtime::watcher};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::{Instant, sleep, timeout_at};

/// First pause between two checks. It doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// Longest pause between two checks.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Repeats `check` (an `async ||` that borrows its context) until it returns a value.
///
/// Not `AsyncFnMut`: a future that contains one cannot be spawned.
pub async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    timeout: Duration,
    mut check: impl FnMut() -> F,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + timeout;
    let mut pause = FIRST_PAUSE;
    loop {
        match timeout_at(deadline, check()).await {
            Ok(Some(value)) => return Ok(value),
            Ok(None) if Instant::now() + pause < deadline => sleep(pause).await,
            _ => bail!("waited {timeout:?} in vain for {what}"),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Watches one object until it exists and `accept` accepts it. Returns it in that state.
///
/// The error shows the last seen state of the object.
pub async fn object<K>(
    api: Api<K>,
    name: &str,
    timeout: Duration,
    accept: impl Fn(&K) -> bool,
) -> anyhow::Result<K>
where
    K: Resource + Clone + DeserializeOwned + Serialize + Debug + Send + 'static,
{
    let mut last = None;
    let found = watch(api, name, timeout, |seen| {
        last = seen.cloned();
        seen.filter(|object| accept(object)).cloned()
    })
    .await?;
    found.with_context(|| {
        let state = last.as_ref().map_or("absent".to_owned(), summary);
        format!("waited {timeout:?} in vain for {name}; last seen: {state}")
    })
}

/// Watches one object until it no longer exists.
pub async fn gone<K>(api: Api<K>, name: &str, timeout: Duration) -> anyhow::Result<()>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let gone = watch(api, name, timeout, |seen| seen.is_none().then_some(())).await?;
    gone.with_context(|| format!("waited {timeout:?} in vain for {name} to be gone"))
}

/// Passes every state of the object to `look` until it returns a value (`None` after the timeout).
async fn watch<K, T>(
    api: Api<K>,
    name: &str,
    timeout: Duration,
    mut look: impl FnMut(Option<&K>) -> Option<T>,
) -> anyhow::Result<Option<T>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let deadline = Instant::now() + timeout;
    let mut states = watcher::watch_object(api, name).boxed();
    let mut last_error = None;
    loop {
        match timeout_at(deadline, states.next()).await {
            Ok(Some(Ok(state))) => {
                if let Some(value) = look(state.as_ref()) {
                    return Ok(Some(value));
                }
            }
            Ok(Some(Err(error))) => {
                last_error = Some(error);
                sleep(LONGEST_PAUSE).await;
            }
            Ok(None) | Err(_) => {
                return match last_error {
                    Some(error) => Err(error).with_context(|| format!("watching {name}")),
                    None => Ok(None),
                };
            }
        }
    }
}

/// The object's status (or the whole object, if it has none) as one line of JSON.
fn summary<K: Serialize>(object: &K) -> String {
    let value = serde_json::to_value(object).unwrap_or_default();
    value.get("status").filter(|status| !status.is_null()).unwrap_or(&value).to_string()
}
