use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::Request, http::StatusCode};
use kube::{Client, api::DynamicObject};

use super::*;
use crate::snapshot::ENDPOINTS;

/// What the API server does with the calls, in their order; with the last of these for ever.
#[derive(Clone, Copy)]
enum Does {
    Hangs,
    Lists(&'static str),
    Ends,
    Says(u16),
}

fn client(script: &'static [Does]) -> (Client, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let service = Router::new().fallback(move |_: Request| {
        let number = count.fetch_add(1, Ordering::SeqCst).min(script.len() - 1);
        async move {
            match script[number] {
                Does::Hangs => std::future::pending().await,
                Does::Ends => (StatusCode::OK, String::new()),
                Does::Lists(version) => (
                    StatusCode::OK,
                    format!(
                        r#"{{"apiVersion": "v1", "kind": "List", "metadata": {{"resourceVersion": "{version}"}},
                        "items": [{{"metadata": {{"name": "a", "resourceVersion": "1"}}}}]}}"#
                    ),
                ),
                Does::Says(code) => (
                    StatusCode::from_u16(code).unwrap(),
                    format!(r#"{{"kind": "Status", "status": "Failure", "message": "no", "code": {code}, "reason": "{}"}}"#,
                        if code == 403 { "Forbidden" } else { "x" }),
                ),
            }
        }
    });
    (Client::new(service, "n"), calls)
}

/// The first events, as words.
async fn seen(script: &'static [Does], most: usize) -> Vec<String> {
    let (client, _) = client(script);
    let api: Api<DynamicObject> = Api::all_with(client, &ENDPOINTS.resource());
    let mut events = watch(api, Selection::default());
    let mut words = Vec::new();
    while words.len() < most
        && let Some(event) = events.recv().await
    {
        words.push(match event {
            Seen::Begin(version) => format!("begin {version}"),
            Seen::Listed(object) => format!("listed {}", object.name_any()),
            Seen::Complete => "complete".into(),
            Seen::Changed(_) => "changed".into(),
            Seen::Gone(_) => "gone".into(),
            Seen::Alive => "alive".into(),
            Seen::Lost(loss) => format!("lost: {loss}"),
        });
    }
    words
}

#[tokio::test(start_paused = true)]
async fn c24_a_list_that_hangs_is_noticed_and_tried_again() {
    let begun = tokio::time::Instant::now();
    let words = seen(&[Does::Hangs, Does::Lists("7"), Does::Hangs], 5).await;
    assert_eq!(
        words,
        [
            "lost: the API server does not answer: no list within 20s",
            "begin 7",
            "listed a",
            "complete",
            "lost: the API server does not answer: no watch within 20s",
        ]
    );
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn c24_a_right_that_is_revoked_later_is_noticed() {
    let words = seen(&[Does::Lists("7"), Does::Ends, Does::Says(403)], 6).await;
    assert_eq!(words[..4], ["begin 7", "listed a", "complete", "alive"]);
    assert!(words[4..].iter().all(|word| word == "lost: no"), "{words:?}");
}

#[tokio::test(start_paused = true)]
async fn c25_a_version_that_is_not_served_says_so() {
    assert_eq!(seen(&[Does::Says(404)], 2).await, ["lost: no (404)", "lost: no (404)"]);
}

#[tokio::test(start_paused = true)]
async fn c38_a_watch_whose_version_is_unknown_lists_again() {
    let words = seen(&[Does::Lists("90"), Does::Says(504), Does::Lists("40"), Does::Hangs], 7).await;
    assert_eq!(
        words,
        ["begin 90", "listed a", "complete", "lost: no (504)", "begin 40", "listed a", "complete"]
    );
}
