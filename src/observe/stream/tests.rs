use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::StatusCode,
    response::IntoResponse as _,
};
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
    /// A watch that is open for this many seconds, and silent.
    EndsAfter(u64),
    Says(u16),
    /// Status and body of an answer.
    Refuses(u16, &'static str),
}

fn client(script: &'static [Does]) -> (Client, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let service = Router::new().fallback(move |request: Request| {
        let number = count.fetch_add(1, Ordering::SeqCst).min(script.len() - 1);
        async move {
            let (code, body) = match script[number] {
                Does::EndsAfter(seconds) => {
                    let end = async move {
                        tokio::time::sleep(Duration::from_secs(seconds)).await;
                        Ok::<_, std::io::Error>(Bytes::new())
                    };
                    return Body::from_stream(futures::stream::once(end)).into_response();
                }
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
                Does::Refuses(code, body) => (StatusCode::from_u16(code).unwrap(), body.to_owned()),
                Does::Says(code) => (
                    StatusCode::from_u16(code).unwrap(),
                    format!(r#"{{"kind": "Status", "status": "Failure", "message": "no", "code": {code}, "reason": "{}"}}"#,
                        if code == 403 { "Forbidden" } else { "x" }),
                ),
            };
            (code, body).into_response()
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
            Seen::Ended => continue,
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

const OF_THE_FUTURE: &str = r#"{"kind": "Status", "status": "Failure", "reason": "Timeout", "code": 504,
    "message": "Timeout: Too large resource version: 90, current: 40",
    "details": {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], "retryAfterSeconds": 1}}"#;

#[tokio::test(start_paused = true)]
async fn c38_a_watch_whose_version_is_unknown_lists_again() {
    let unknown = Does::Refuses(504, OF_THE_FUTURE);
    for (refusal, why) in [
        (unknown, "Timeout: Too large resource version: 90, current: 40 (504)"),
        (Does::Says(410), "no (410)"),
        (Does::Says(400), "no (400)"),
    ] {
        let script = vec![Does::Lists("90"), refusal, Does::Lists("40"), Does::Hangs];
        let words = seen(script.leak(), 7).await;
        let lost = format!("lost: {why}");
        assert_eq!(words, ["begin 90", "listed a", "complete", &lost, "begin 40", "listed a", "complete"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_a_busy_server_refuses_is_opened_again_where_it_ended() {
    for code in [429, 500, 503, 504] {
        let script = vec![Does::Lists("7"), Does::Says(code), Does::Says(code), Does::Ends, Does::Hangs];
        let words = seen(script.leak(), 6).await;
        let lost = format!("lost: no ({code})");
        assert_eq!(words, ["begin 7", "listed a", "complete", &lost, &lost, "alive"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_time_gets_it_but_not_for_ever() {
    const WAIT: &str = r#"{"kind": "Status", "status": "Failure", "message": "busy", "code": 429,
        "reason": "TooManyRequests", "details": {"retryAfterSeconds": 3600}}"#;
    let begun = Instant::now();
    let words = seen(&[Does::Lists("7"), Does::Refuses(429, WAIT), Does::Ends, Does::Hangs], 5).await;
    assert_eq!(words[3..], ["lost: busy (429)", "alive"]);
    assert!((29..32).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_for_long_may_fail_on_the_version() {
    let mut script = vec![Does::Lists("7")];
    script.extend([Does::Says(500); FAILURES as usize]);
    script.extend([Does::Lists("9"), Does::Hangs]);
    let words = seen(script.leak(), 3 + FAILURES as usize + 1).await;
    assert!(words[3..].iter().rev().skip(1).all(|word| word == "lost: no (500)"), "{words:?}");
    assert_eq!(words.last().unwrap(), "begin 9");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_expires_within_a_watch_is_listed_after_a_pause() {
    const EXPIRED: &str = concat!(
        r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410}}"#,
        "\n"
    );
    let mut script = vec![];
    for _ in 0..100 {
        script.extend([Does::Lists("7"), Does::Sends(EXPIRED)]);
    }
    let (client, calls) = client(script.leak());
    let mut events = watch::<Value>(Collection::of(&client, ENDPOINTS, None), Selection::default());
    let reading = async {
        while let Some(event) = events.recv().await {
            assert!(!matches!(event, Seen::Lost(_)), "{event:?}");
        }
    };
    timeout(Duration::from_secs(1), reading).await.unwrap_err();
    let calls = calls.load(Ordering::SeqCst);
    assert!((4..=8).contains(&calls), "{calls}");
}

/// As behind a proxy that ends idle connections.
#[tokio::test(start_paused = true)]
async fn a_watch_that_is_ended_again_and_again_is_open_nearly_all_the_time() {
    let mut script = vec![Does::Lists("7")];
    script.extend([Does::EndsAfter(20); 12]);
    let (client, _) = client(script.leak());
    let mut events = watch::<Value>(Collection::of(&client, ENDPOINTS, None), Selection::default());
    let (mut ended, mut opened) = (None, 0);
    while opened < 12 {
        match events.recv().await.unwrap() {
            Seen::Alive => {
                let blind = ended.take().map_or(Duration::ZERO, |at: Instant| at.elapsed());
                assert!(blind < Duration::from_secs(2), "{blind:?} after {opened}");
                opened += 1;
            }
            Seen::Ended => ended = Some(Instant::now()),
            Seen::Begin(_) | Seen::Listed(_) | Seen::Complete => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_watch_is_said_whatever_follows() {
    const EXPIRED: &str = concat!(
        r#"{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410}}"#,
        "\n"
    );
    for script in [
        vec![Does::Lists("7"), Does::Ends, Does::Hangs],
        vec![Does::Lists("7"), Does::Sends(EXPIRED), Does::Hangs],
    ] {
        let (client, _) = client(script.leak());
        let mut events = watch::<Value>(Collection::of(&client, ENDPOINTS, None), Selection::default());
        for _ in 0..3 {
            events.recv().await.unwrap();
        }
        assert!(matches!(events.recv().await, Some(Seen::Alive)));
        assert!(matches!(events.recv().await, Some(Seen::Ended)));
    }
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
