use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, extract::Request, http::StatusCode};
use kube::Client;
use serde_json::json;

use super::*;
use crate::snapshot::ENDPOINTS;

/// The API server's reactions to the calls, in order; the last one is repeated.
#[derive(Clone, Copy)]
enum Does {
    Hangs,
    Lists(&'static str),
    /// An answer to a list, or the lines of a watch, with `DEEP` for a value of 9000 levels.
    Sends(&'static str),
    /// This many bytes for each requested object, of 250 existing ones.
    SendsLarge(usize),
    Ends,
    Says(u16),
}

fn client(script: &'static [Does]) -> (Client, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let service = Router::new().fallback(move |request: Request| {
        let number = count.fetch_add(1, Ordering::SeqCst).min(script.len() - 1);
        async move {
            match script[number] {
                Does::Hangs => std::future::pending().await,
                Does::Ends => (StatusCode::OK, String::new()),
                Does::Sends(text) => {
                    let deep = format!("{}{}", "[".repeat(9000), "]".repeat(9000));
                    (StatusCode::OK, text.replace("DEEP", &deep))
                }
                Does::SendsLarge(bytes) => (StatusCode::OK, large(request.uri().query().unwrap_or_default(), bytes)),
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

/// The requested number of objects, from the position in the query.
fn large(query: &str, bytes: usize) -> String {
    let number = |name: &str| {
        let mut all = query.split('&').filter_map(|pair| pair.split_once('='));
        all.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse::<usize>().ok())
    };
    let from = number("continue").unwrap_or(0);
    let to = (from + number("limit").unwrap()).min(250);
    let one = |index| json!({"metadata": {"name": format!("o{index}")}, "data": "x".repeat(bytes)});
    let next = if to < 250 { to.to_string() } else { String::new() };
    json!({"metadata": {"resourceVersion": "7", "continue": next}, "items": (from..to).map(one).collect::<Vec<_>>()}).to_string()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// The first events, as words.
async fn seen(script: &'static [Does], most: usize) -> Vec<String> {
    let (client, _) = client(script);
    let mut events = watch::<Value>(Collection::of(&client, ENDPOINTS, None), Selection::default());
    let mut words = Vec::new();
    while words.len() < most
        && let Some(event) = events.recv().await
    {
        words.push(match event {
            Seen::Begin(version) => format!("begin {version}"),
            Seen::Listed(object) => format!("listed {}", name(&object)),
            Seen::Complete => "complete".into(),
            Seen::Changed(object) => format!("changed {}", name(&object)),
            Seen::Gone(object) => format!("gone {}", name(&object)),
            Seen::Undecodable(object) => {
                let word = if object.listed { "listed" } else { "changed" };
                format!("{word} undecodable {}/{} {}", object.key.0, object.key.1, object.version)
            }
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

const WITH_ONE_TOO_DEEP: &str = r#"{"metadata": {"resourceVersion": "7"}, "items": [
    {"metadata": {"name": "a"}},
    {"spec": {"job": DEEP}, "metadata": {"namespace": "n", "name": "deep", "resourceVersion": "3"}},
    {"metadata": {"name": "b"}}
]}"#;

#[tokio::test(start_paused = true)]
async fn f1_an_object_that_is_nested_too_deeply_does_not_keep_a_list_from_being_seen() {
    let words = seen(&[Does::Sends(WITH_ONE_TOO_DEEP), Does::Hangs], 5).await;
    assert_eq!(words, ["begin 7", "listed a", "listed undecodable n/deep 3", "listed b", "complete"]);
}

#[tokio::test(start_paused = true)]
async fn f1_an_object_that_becomes_too_deep_does_not_keep_a_watch_from_going_on() {
    const LINES: &str = concat!(
        r#"{"type":"MODIFIED","object":{"metadata":{"namespace":"n","name":"deep","resourceVersion":"8"},"spec":DEEP}}"#,
        "\n",
        r#"{"type":"ADDED","object":{"metadata":{"name":"b","resourceVersion":"9"}}}"#,
        "\n",
        r#"{"type":"DELETED","object":{"metadata":{"namespace":"n","name":"deep","resourceVersion":"10"},"spec":DEEP}}"#,
        "\n",
        r#"{"type":"ADDED","obj"#,
    );
    let words = seen(&[Does::Lists("7"), Does::Sends(LINES), Does::Hangs], 8).await;
    assert_eq!(
        words[3..],
        [
            "alive",
            "changed undecodable n/deep 8",
            "changed b",
            "gone deep",
            // the line that broke off is not lost: the watch is reopened, which hangs here
            "lost: the API server does not answer: no watch within 20s",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn f1_what_is_no_list_is_tried_again() {
    let words = seen(&[Does::Sends("<html>"), Does::Lists("7")], 2).await;
    assert_eq!(words, ["lost: the API server does not answer: what it sends is no list", "begin 7"]);
}

#[tokio::test(start_paused = true)]
async fn f1_of_large_objects_fewer_are_listed_at_a_time() {
    let words = seen(&[Does::SendsLarge(140_000)], 252).await;
    assert_eq!(
        (words[0].as_str(), words[1].as_str(), words[251].as_str()),
        ("begin 7", "listed o0", "complete")
    );
    assert!(words[1..251].iter().enumerate().all(|(index, word)| *word == format!("listed o{index}")));
}
