//! The page's server over an API server of the test's own: who is let in, what is read, and that what it writes is what the
//! commands write.
#![allow(clippy::disallowed_types, reason = "the client of an API server that is made up")]
#![allow(clippy::case_sensitive_file_extension_comparisons, reason = "the files are ours")]

use std::{convert::Infallible, sync::Mutex};

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, Response},
};
use futures::StreamExt as _;
use kube::Client;
use serde_json::{Value, json};
use serin::names;
use tower::Service as _;

use super::{assets::ASSETS, *};
use crate::{
    cluster::Cluster,
    command::{
        args::Cli,
        out::Out,
        request::{PATIENCE, Verb},
    },
    screen::Term,
    view::{FIXTURES, Facts, canary as view_of, fixture, fixture_time},
};

const VERBS: [&str; 8] = ["approve", "promote", "abort", "advance", "finish", "pause", "resume", "retry"];

/// One Canary of a fixture, what was written, and who answers.
struct Server {
    canary: Mutex<Value>,
    patches: Mutex<Vec<Value>>,
    /// Every question is answered with this.
    refuses: Option<(u16, &'static str)>,
}

impl Server {
    fn of(name: &str) -> Arc<Self> {
        let mut canary = serde_json::to_value(fixture(name).canary).unwrap();
        canary["apiVersion"] = "flagger.app/v1beta1".into();
        canary["kind"] = "Canary".into();
        Arc::new(Self { canary: Mutex::new(canary), patches: Mutex::default(), refuses: None })
    }

    fn refusing(code: u16, message: &'static str) -> Arc<Self> {
        Arc::new(Self { canary: Mutex::default(), patches: Mutex::default(), refuses: Some((code, message)) })
    }

    fn cluster(self: &Arc<Self>) -> Cluster {
        let server = self.clone();
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let server = server.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let (code, answer) = server.answer(&head, &body);
                let response = Response::builder().status(code);
                Ok::<_, Infallible>(response.body(kube::client::Body::from(answer)).unwrap())
            }
        });
        Cluster {
            client: Client::new(service, "shop"),
            namespace: "shop".into(),
            user: "ann".into(),
            context: "test".into(),
            server: "https://api.example".into(),
        }
    }

    fn answer(&self, head: &http::request::Parts, body: &[u8]) -> (u16, Vec<u8>) {
        if let Some((code, message)) = self.refuses {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                "message": message, "reason": "Forbidden"});
            return (code, status.to_string().into_bytes());
        }
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        let mut canary = self.canary.lock().unwrap();
        if path.ends_with("/canaries/app") {
            if head.method == Method::PATCH {
                let asked_for: Value = serde_json::from_slice(body).unwrap();
                let text = asked_for["metadata"]["annotations"][names::ANNOTATION_REQUEST].as_str().unwrap();
                let asked: Value = serde_json::from_str(text).unwrap();
                // the operator answers at once
                canary["status"]["request"] = json!({"id": asked["id"], "verb": asked["verb"],
                    "answer": "Accepted", "message": "asked for by ann", "at": "2026-11-21T18:53:08.000000Z"});
                self.patches.lock().unwrap().push(asked_for);
            }
            return (200, canary.to_string().into_bytes());
        }
        if query.contains("watch=true") {
            return (200, vec![]);
        }
        let items = if path.ends_with("/canaries") { json!([*canary]) } else { json!([]) };
        let list =
            json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": items});
        (200, list.to_string().into_bytes())
    }

    /// What was written last, without the id, which nobody has used before.
    fn written(&self) -> Option<Value> {
        let mut patch = self.patches.lock().unwrap().last()?.clone();
        let place = &mut patch["metadata"]["annotations"][names::ANNOTATION_REQUEST];
        let mut request: Value = serde_json::from_str(place.as_str().unwrap()).unwrap();
        let id = request["id"].take();
        let (verb, digits) = id.as_str().unwrap().split_once('-').unwrap();
        assert_eq!((verb, digits.len()), (request["verb"].as_str().unwrap(), 8), "{id}");
        *place = request;
        Some(patch)
    }
}

/// A browser that has come in.
struct Browser {
    router: Router,
    cookie: String,
    key: String,
}

impl Browser {
    async fn of(server: &Arc<Server>, change: impl FnOnce(&mut Page)) -> Self {
        let guard = Guard::new(4000, Instant::now()).unwrap();
        let address = guard.address();
        let mut page = Page::new(guard, server.cluster(), quiet(), "board");
        change(&mut page);
        let mut browser = Self { router: router(Arc::new(page)), cookie: String::new(), key: String::new() };
        let path = address.strip_prefix("http://127.0.0.1:4000").unwrap().to_owned();
        let answer = browser.send(Request::get(path)).await;
        assert_eq!(answer.status(), 303);
        let header = |name| answer.headers()[name].to_str().unwrap().to_owned();
        browser.cookie = header("set-cookie").split(';').next().unwrap().to_owned();
        browser.key = header("location").strip_prefix("/#key=").unwrap().to_owned();
        browser
    }

    async fn send(&self, request: http::request::Builder) -> Response<Body> {
        self.send_body(request, Body::empty()).await
    }

    async fn send_body(&self, request: http::request::Builder, body: Body) -> Response<Body> {
        let mut request = request.body(body).unwrap();
        let own = [("host", "127.0.0.1:4000"), ("cookie", &self.cookie), (guard::KEY, &self.key)];
        for (name, value) in own {
            if !request.headers().contains_key(name) {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        self.router.clone().call(request).await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.send(Request::get(path)).await).await
    }

    async fn post(&self, body: &Value) -> (u16, Value) {
        self.post_text(body.to_string()).await
    }

    async fn post_text(&self, body: String) -> (u16, Value) {
        let request = Request::post("/api/v1/canaries/shop/app/requests")
            .header("origin", "http://127.0.0.1:4000")
            .header("content-type", "application/json");
        read(self.send_body(request, Body::from(body)).await).await
    }
}

async fn read(answer: Response<Body>) -> (u16, Value) {
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// A press on a button of the page as it is shown.
fn pressed(name: &str, verb: &str) -> Value {
    let view = view_of(&fixture(name), fixture_time());
    let shown = json!({
        "uid": view.uid, "state": view.state, "run": view.run.as_ref().map(|run| run.number),
        "step": view.progress.as_ref().map(|progress| progress.at),
        "gate": view.waiting_for.as_ref().and_then(|waits| waits.name.clone()),
        "revision": view.revision,
    });
    json!({"verb": verb, "key": "0123abcd", "shown": shown, "reason": "it is late"})
}

async fn commanded(server: &Arc<Server>, words: &[&str]) -> Result<(), Failure> {
    let argv: Vec<String> = ["kubectl-canary"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    let Cli { command, .. } = crate::command::parse(&argv).unwrap();
    crate::command::run(Context { cluster: server.cluster(), out: quiet() }, command).await
}

fn quiet() -> Out {
    let term = Term { width: 80, colour: false, ascii: true };
    Out { term, terminal: false, quiet: true }
}

#[tokio::test]
async fn what_a_button_writes_is_what_its_command_writes() {
    let mut written = 0;
    for name in FIXTURES {
        for verb in VERBS {
            let (by_command, by_page) = (Server::of(name), Server::of(name));
            let mut words = vec![verb, "app", "-n", "shop", "--by", "ann", "--reason", "it is late"];
            words.extend((verb == "finish").then_some("--yes"));
            let done = commanded(&by_command, &words).await;
            let browser = Browser::of(&by_page, |page| page.patience = PATIENCE).await;
            let (status, answer) = browser.post(&pressed(name, verb)).await;
            // people say "promote" at any gate on the command line, and press another button on the page
            if verb == "promote"
                && by_command.written().is_some_and(|patch| patch.to_string().contains("approve"))
            {
                continue;
            }
            assert_eq!(by_page.written(), by_command.written(), "{name}: {verb}");
            let Some(_) = by_page.written() else {
                assert_eq!(status, 409, "{name}: {verb}: {answer}");
                let said = answer["error"]["message"].as_str().unwrap();
                if let Err(failure) = done {
                    assert_eq!(said, failure.message, "{name}: {verb}");
                }
                continue;
            };
            written += 1;
            assert_eq!(
                (status, answer["answer"].as_str()),
                (200, Some("Accepted")),
                "{name}: {verb}: {answer}"
            );
            assert_eq!(answer["kind"], "RequestResult");
        }
    }
    assert!(written > 20, "{written} requests were written");
}

#[tokio::test]
async fn the_same_press_is_one_request() {
    let server = Server::of("gate");
    let browser = Browser::of(&server, |_| {}).await;
    for _ in 0..2 {
        let (status, answer) = browser.post(&pressed("gate", "approve")).await;
        assert_eq!((status, answer["answer"].as_str()), (200, Some("Accepted")), "{answer}");
    }
    assert_eq!(server.patches.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_has_moved_since_it_was_shown_is_not_asked_about() {
    for (field, value, said) in [
        ("uid", json!("another"), "made again since"),
        ("run", json!(6), "has begun with run 7 since"),
        ("step", json!(1), "has gone on since: it is at step 2"),
        ("state", json!("progressing"), "stands in another way since"),
        ("gate", json!("prod"), "stands in another way since"),
    ] {
        let server = Server::of("gate");
        let browser = Browser::of(&server, |_| {}).await;
        let mut press = pressed("gate", "abort");
        press["shown"][field] = value;
        let (status, answer) = browser.post(&press).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 409 && message.contains(said), "{field}: {status} {answer}");
        assert!(server.written().is_none(), "{field}");
    }
}

#[tokio::test]
async fn another_revision_than_the_one_that_was_shown_is_not_decided_about() {
    for (name, verb) in
        [("start-gate", "approve"), ("start-gate", "abort"), ("failed", "retry"), ("gate", "approve")]
    {
        let server = Server::of(name);
        let browser = Browser::of(&server, |_| {}).await;
        let mut press = pressed(name, verb);
        press["shown"]["revision"] = json!("c8082b03".repeat(8));
        let (status, answer) = browser.post(&press).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(
            status == 409 && message.contains("another revision since: 3fa4c1d2"),
            "{name}: {status} {answer}"
        );
        assert!(server.written().is_none(), "{name}: {verb}");
    }
}

#[tokio::test]
async fn a_press_that_a_policy_has_completed_is_the_same_press() {
    let server = Server::of("gate");
    let text = r#"{"id":"approve-0123abcd","verb":"approve","by":"system:serviceaccount:shop:ann"}"#;
    server.canary.lock().unwrap()["metadata"]["annotations"] = json!({names::ANNOTATION_REQUEST: text});
    let browser = Browser::of(&server, |page| page.patience = std::time::Duration::ZERO).await;
    let (status, answer) = browser.post(&pressed("gate", "approve")).await;
    assert_eq!(status, 202, "{answer}");
    assert!(server.patches.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_meant_is_not_written() {
    let server = Server::of("gate");
    let browser = Browser::of(&server, |_| {}).await;
    let press = |field: &str, value: Value| {
        let mut press = pressed("gate", "abort");
        press[field] = value;
        press
    };
    for (body, wanted) in [
        (press("verb", json!("delete")), 400),
        (press("key", json!("1")), 400),
        (press("key", json!("\"}  {\"x")), 400),
        (press("for", json!("soon")), 400),
        (press("more", json!(1)), 400),
        (press("reason", json!("x".repeat(300))), 400),
        (press("reason", json!("x".repeat(5000))), 413),
    ] {
        assert_eq!(browser.post(&body).await.0, wanted, "{body}");
    }
    assert_eq!(browser.post_text("{".into()).await.0, 400);
    let form = Request::post("/api/v1/canaries/shop/app/requests").header("origin", "http://127.0.0.1:4000");
    assert_eq!(browser.send(form).await.status(), 415);
    for path in ["/api/v1/canaries/shop/a%2Fb", "/api/v1/canaries/..%2Fx/app", "/api/v1/canaries/shop/%2E%2E"]
    {
        assert_eq!(browser.get(path).await.0, 400, "{path}");
    }
    assert!(server.written().is_none());
}

#[tokio::test]
async fn read_only_is_a_server_that_cannot_write() {
    let server = Server::of("gate");
    let browser = Browser::of(&server, |page| page.read_only = true).await;
    assert_eq!(browser.post(&pressed("gate", "abort")).await.0, 405);
    assert!(server.written().is_none());
    assert_eq!(browser.get("/api/v1/me").await.1["readOnly"], true);
}

const PATHS: [&str; 8] = [
    "/api/v1/me",
    "/api/v1/canaries",
    "/api/v1/canaries/shop/app",
    "/api/v1/canaries/shop/app/runs",
    "/api/v1/canaries/shop/app/diff",
    "/api/v1/canaries/shop/app/diff/3fa4c1d2",
    "/api/v1/events",
    "/api/v1/events/shop/app",
];

#[tokio::test]
async fn nobody_reads_or_writes_who_was_not_let_in() {
    let server = Server::of("gate");
    let browser = Browser::of(&server, |_| {}).await;
    let strange: [(&str, &str, u16); 5] = [
        ("cookie", "serin-dashboard-4000=0", 401),
        (guard::KEY, "0", 401),
        ("host", "evil.example:4000", 403),
        ("origin", "http://127.0.0.1:4001", 403),
        ("sec-fetch-site", "same-site", 403),
    ];
    for (name, value, wanted) in strange {
        for path in PATHS {
            let (status, answer) = read(browser.send(Request::get(path).header(name, value)).await).await;
            assert_eq!(status, wanted, "{path} with {name}: {value}");
            assert!(answer["error"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{answer}");
        }
        let post =
            Request::post("/api/v1/canaries/shop/app/requests").header("content-type", "application/json");
        let post = if name == "origin" { post } else { post.header("origin", "http://127.0.0.1:4000") };
        let body = Body::from(pressed("gate", "abort").to_string());
        assert_eq!(
            browser.send_body(post.header(name, value), body).await.status(),
            wanted,
            "POST with {name}"
        );
    }
    assert!(server.written().is_none());
    assert_eq!(browser.post(&pressed("gate", "abort")).await.0, 200, "with what it was given");
}

#[tokio::test]
async fn every_answer_is_sealed() {
    let server = Server::of("gate");
    let browser = Browser::of(&server, |_| {}).await;
    let stranger = Request::get("/").header("host", "evil.example");
    let unknown = Request::get("/").header("cookie", "x=1");
    for (request, status) in [
        (Request::get("/"), 200),
        (Request::get("/app.css"), 200),
        (Request::get("/api/v1/me"), 200),
        (Request::get("/.git/config"), 404),
        (Request::get("/../Cargo.toml"), 404),
        (Request::delete("/").header("origin", "http://127.0.0.1:4000"), 405),
        (unknown, 401),
        (stranger, 403),
    ] {
        let answer = browser.send(request).await;
        assert_eq!(answer.status(), status);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        for part in
            ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "trusted-types 'none'"]
        {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(
            ["x-content-type-options", "referrer-policy", "cache-control"].map(header),
            ["nosniff", "no-referrer", "no-store"]
        );
    }
}

#[tokio::test]
async fn what_the_api_server_says_is_said_in_the_words_of_the_command_line() {
    let server = Server::refusing(403, "User \"ann\" cannot list resource \"canaries\"");
    let browser = Browser::of(&server, |_| {}).await;
    let (status, answer) = browser.get("/api/v1/canaries").await;
    let failure = commanded(&server, &["list", "-n", "shop"]).await.unwrap_err();
    assert_eq!((status, answer.to_string()), (502, failure.json()));
    assert_eq!(answer["error"]["hint"], "missing right: list canaries.flagger.app in namespace shop");
    let (status, answer) = browser.post(&pressed("gate", "abort")).await;
    let failure = commanded(&server, &["abort", "app", "-n", "shop", "--by", "ann"]).await.unwrap_err();
    assert_eq!((status, answer.to_string()), (502, failure.json()));
}

/// The events of a stream, until its state has been told.
async fn told(answer: Response<Body>) -> Vec<(String, Value)> {
    let mut stream = answer.into_body().into_data_stream();
    let mut text = String::new();
    while !text.contains("event: state") {
        let part = stream.next().await.expect("the stream has ended").unwrap();
        text.push_str(std::str::from_utf8(&part).unwrap());
    }
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    let events = text.split("\n\n").filter_map(|block| {
        Some((field(block, "event:")?, serde_json::from_str(&field(block, "data:")?).unwrap()))
    });
    events.collect()
}

#[tokio::test]
async fn a_stream_of_one_canary_begins_with_all_of_it_and_goes_on_where_it_broke() {
    let server = Server::of("gate");
    let browser = Browser::of(&server, |_| {}).await;
    let path = "/api/v1/events/shop/app";
    let answer = browser.send(Request::get(path)).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let events = told(answer).await;
    let names: Vec<_> = events.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(names, ["put", "state"]);
    assert_eq!(events[0].1["canary"]["name"], "app");
    assert_eq!(events[1].1, json!({"complete": true, "trouble": null}));

    let facts = Facts::of(serde_json::from_value(server.canary.lock().unwrap().clone()).unwrap());
    let seen = detail::fingerprint(&facts, "");
    let again = told(browser.send(Request::get(path).header("last-event-id", seen)).await).await;
    assert_eq!(again.len(), 1, "only its state: {again:?}");
    let other = told(browser.send(Request::get(path).header("last-event-id", "0")).await).await;
    assert_eq!(other.len(), 2);
}

#[tokio::test]
async fn a_stream_of_a_canary_that_may_not_be_read_says_why() {
    let server = Server::refusing(401, "Unauthorized");
    let browser = Browser::of(&server, |_| {}).await;
    let events = told(browser.send(Request::get("/api/v1/events/shop/app")).await).await;
    let message = events[0].1["trouble"]["message"].as_str().unwrap();
    assert!(message.contains("does not know who you are"), "{message}");
}

/// What the list has come to once its watch has said something.
async fn followed(server: &Arc<Server>) -> Vec<message::Message> {
    let page = Page::new(Guard::new(4000, Instant::now()).unwrap(), server.cluster(), quiet(), "board");
    let mut moved = page.moved.subscribe();
    tokio::select! {
        () = live::follow(&page) => {}
        done = moved.changed() => done.unwrap(),
    }
    let (messages, _) = page.board.lock().unwrap().since(None);
    messages
}

#[tokio::test]
async fn the_list_is_followed_and_says_why_it_cannot_be() {
    let messages = followed(&Server::of("gate")).await;
    assert_eq!(messages.iter().map(|m| m.event).collect::<Vec<_>>(), ["reset", "put", "state"]);
    let rows: Value = serde_json::from_str(&messages[1].data).unwrap();
    assert_eq!((rows[0]["name"].as_str(), rows[0]["word"].as_str()), (Some("app"), Some("Waiting")));
    for (code, message, hint) in [
        (401, "the API server does not know who you are", "log in again"),
        (403, "may not watch", "missing right: list and watch canaries.flagger.app"),
    ] {
        let messages = followed(&Server::refusing(code, "no")).await;
        let state: Value = serde_json::from_str(&messages[0].data).unwrap();
        let said = |field: &str| state["trouble"][field].as_str().unwrap_or_default().to_owned();
        assert!(said("message").contains(message) && said("hint").contains(hint), "{code}: {state}");
    }
}

#[test]
fn commands_on_the_page_are_commands() {
    for name in FIXTURES {
        let view = view_of(&fixture(name), fixture_time());
        let verbs = detail::verbs(&view, " --context test");
        let all: Vec<_> = verbs.as_array().unwrap().iter().map(|one| one["verb"].as_str().unwrap()).collect();
        for one in verbs.as_array().unwrap() {
            let command = one["command"].as_str().unwrap();
            let argv: Vec<String> = command.split(' ').skip(1).map(str::to_owned).collect();
            assert!(crate::command::parse(&argv).is_ok(), "{command}");
            assert!(!one["effect"].as_str().unwrap().is_empty());
        }
        assert!(VERBS.iter().all(|verb| all.contains(verb) && Verb::named(verb).is_some()), "{all:?}");
    }
}

#[test]
fn the_json_of_every_state() {
    let rows: Vec<Value> =
        FIXTURES.iter().map(|name| row::row(&view_of(&fixture(name), fixture_time()))).collect();
    insta::assert_json_snapshot!("rows", rows);
    for name in ["gate", "progressing", "failed"] {
        let document = detail::document(&fixture(name), " --context test", fixture_time());
        insta::assert_json_snapshot!(format!("document-{name}"), document);
        assert_eq!(crate::schema::violations(&document["canary"]), Vec::<String>::new());
        for run in document["runs"].as_array().unwrap() {
            assert_eq!(crate::schema::violations(run), Vec::<String>::new());
        }
    }
}

#[test]
fn a_fingerprint_changes_with_the_release_and_not_with_the_time() {
    let facts = fixture("progressing");
    assert_eq!(detail::fingerprint(&facts, ""), detail::fingerprint(&facts, ""));
    let mut moved = facts.clone();
    moved.canary.status.as_mut().unwrap().canary_weight += 1;
    assert_ne!(detail::fingerprint(&facts, ""), detail::fingerprint(&moved, ""));
}

/// Most bytes of all files of the page.
const ROOM: usize = 100 * 1024;

#[test]
fn the_page_is_small_and_asks_for_nothing_from_outside() {
    let size: usize = ASSETS.iter().map(|(_, _, content)| content.len()).sum();
    assert!(size < ROOM, "{size} bytes");
    for (path, _, content) in ASSETS {
        let outside = content.replace("http://www.w3.org/2000/svg", "");
        assert!(!outside.contains("http://") && !outside.contains("https://"), "{path}");
        for named in content.split(['"', '\'']).filter(|text| text.starts_with("./") && text.ends_with(".js"))
        {
            assert!(ASSETS.iter().any(|(own, _, _)| *own == &named[1..]), "{path} imports {named}");
        }
    }
}

#[test]
fn texts_are_never_read_as_markup() {
    let ways = [
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
        "DOMParser",
        "srcdoc",
        "setAttribute('on",
        "setHTML",
        "createContextualFragment",
        "javascript:",
        "'style'",
        "style:",
    ];
    for (path, _, content) in ASSETS {
        for way in ways.iter().filter(|_| path.ends_with(".js")) {
            assert!(!content.contains(way), "{path} has {way}");
        }
    }
    let html = ASSETS[0].2;
    for way in [" style=", "<style", "onclick", "<script>"] {
        assert!(!html.contains(way), "the policy forbids {way}");
    }
    let dom = ASSETS.iter().find(|(path, _, _)| *path == "/dom.js").unwrap().2;
    assert!(dom.contains("document.createTextNode(plain(child))"));
}
