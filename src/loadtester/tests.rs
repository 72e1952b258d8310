//! The endpoints over a real socket, with gates in memory.
#![allow(clippy::disallowed_methods, reason = "the server under test runs beside the test")]

use std::{net::Ipv4Addr, sync::Mutex, time::Duration};

use regex::Regex;
use serde_json::{Value, json};

use super::*;
use crate::server::listen::Ends;

struct Server {
    address: String,
    client: reqwest::Client,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start(namespaces: &str, any: bool, limit: Duration) -> Self {
        Self::kept_by(Keepers::Local, namespaces, any, limit).await
    }

    async fn kept_by(keepers: Keepers, namespaces: &str, any: bool, limit: Duration) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let tasks = Arc::new(Tasks::new(limit, 2, stop.clone()));
        let tester = Tester {
            namespaces: Regex::new(namespaces).unwrap(),
            policy: Policy {
                any,
                listed: ["echo", "grep", "sleep", "false"].map(String::from).into(),
                any_argument: BTreeSet::new(),
            },
            gates: Gates::Memory(Mutex::default()),
            keepers,
            tasks: tasks.clone(),
        };
        let stopped = stop.clone();
        let limits = Limits { whole: LONG, ..Limits::default() };
        let served = tokio::spawn(async move {
            listen::serve(listener, http::router(Arc::new(tester)), limits, stopped).await;
            tasks.ended().await;
        });
        // a second provider is refused, harmlessly
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { address, client, stop, served }
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let sent = self.client.post(format!("{}{path}", self.address)).body(body).send().await.unwrap();
        (sent.status().as_u16(), sent.text().await.unwrap())
    }

    async fn task(&self, metadata: Value) -> (u16, String) {
        let body =
            json!({"name": "podinfo", "namespace": "test", "phase": "Progressing", "metadata": metadata});
        self.post("/", body.to_string()).await
    }

    async fn metric(&self, line: &str) {
        let has = async || self.post("/metrics", "").await.1.lines().any(|l| l == line);
        while !has().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn answered(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}

const LONG: Duration = Duration::from_secs(60);
const PODINFO: &str = r#"{"name":"podinfo","namespace":"test"}"#;

#[tokio::test]
async fn gates_are_closed_until_they_are_opened() {
    let server = Server::start("", false, LONG).await;
    assert_eq!(server.post("/healthz", "").await, answered(200, "OK"));
    assert_eq!(server.post("/gate/approve", "").await, answered(200, "OK"));
    assert_eq!(server.post("/gate/halt", "").await, answered(403, "Forbidden"));
    for (kind, other) in [("gate", "rollback"), ("rollback", "gate")] {
        let check = format!("/{kind}/check");
        assert_eq!(server.post(&check, PODINFO).await, answered(403, "Forbidden"));
        assert_eq!(server.post(&format!("/{kind}/open"), PODINFO).await, answered(202, ""));
        assert_eq!(server.post(&check, PODINFO).await, answered(200, "Approved"));
        assert_eq!(server.post(&format!("/{other}/check"), PODINFO).await, answered(403, "Forbidden"));
        let elsewhere = PODINFO.replace("test", "prod");
        assert_eq!(server.post(&check, elsewhere).await, answered(403, "Forbidden"));
        assert_eq!(server.post(&format!("/{kind}/close"), PODINFO).await, answered(202, ""));
        assert_eq!(server.post(&check, PODINFO).await, answered(403, "Forbidden"));
    }
    for bad in ["", "{", "[]", "{}", r#"{"name":"a b","namespace":"test"}"#, r#"{"name":1}"#] {
        assert_eq!(server.post("/gate/open", bad).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn other_namespaces_are_forbidden() {
    let server = Server::start("^prod$", false, LONG).await;
    for path in ["/gate/check", "/gate/open", "/rollback/close", "/"] {
        assert_eq!(server.post(path, PODINFO).await, answered(403, "Forbidden"), "{path}");
    }
}

#[tokio::test]
async fn checks_are_waited_for_and_fail_with_their_output() {
    let server = Server::start("", false, LONG).await;
    let bash = |cmd: &str| json!({"type": "bash", "cmd": cmd});
    assert_eq!(server.task(bash("echo token | grep token")).await, answered(200, ""));
    let returned = json!({"type": "bash", "cmd": "echo 'a  b'", "returnCmdOutput": "true"});
    assert_eq!(server.task(returned).await, answered(200, "a  b\n"));
    assert_eq!(
        server.task(bash("grep -c x /dev/null")).await,
        answered(500, "command grep -c x /dev/null failed: 0\n: exit status 1")
    );
    let (status, why) = server.task(bash("cat /etc/passwd")).await;
    assert!(status == 403 && why.contains("cat") && why.contains("--allow-commands"), "{why}");
    server.metric("serin_loadtester_commands_total{kind=\"bash\",outcome=\"failed\"} 1").await;
    let shell = Server::start("", true, LONG).await;
    let returned = json!({"type": "bash", "cmd": "echo $((6 * 7))", "returnCmdOutput": "1"});
    assert_eq!(shell.task(returned).await, answered(200, "42\n"));
}

#[tokio::test]
async fn the_same_load_runs_once_at_a_time_and_ends_with_the_program() {
    let server = Server::start("", false, LONG).await;
    for _ in 0..5 {
        assert_eq!(server.task(json!({"cmd": "sleep 1000"})).await, answered(202, ""));
    }
    assert_eq!(server.task(json!({"cmd": "echo done", "type": "cmd"})).await, answered(202, ""));
    server.metric("serin_loadtester_commands_total{kind=\"cmd\",outcome=\"succeeded\"} 1").await;
    server.metric("serin_loadtester_commands_running 1").await;
    // a second one would have delayed the other load until both timed out
    assert!(!server.post("/metrics", "").await.1.contains("failed"));
    server.stop.cancel();
    tokio::time::timeout(LONG, server.served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_command_past_its_time_is_ended() {
    let server = Server::start("", false, Duration::from_millis(200)).await;
    let (status, why) = server.task(json!({"type": "bash", "cmd": "sleep 1000"})).await;
    assert!(status == 500 && why.contains("longer than 0.2 s"), "{why}");
}

#[tokio::test]
async fn what_is_no_task_is_refused() {
    let server = Server::start("", false, LONG).await;
    assert_eq!(server.post("/", PODINFO).await, answered(400, "metadata not found in payload"));
    assert_eq!(server.task(json!({})).await, answered(400, "metadata not found in payload"));
    assert_eq!(server.task(json!({"type": "cmd"})).await, answered(400, "cmd not found in metadata"));
    assert_eq!(server.task(json!({"type": "dance"})).await, answered(400, "unknown task type dance"));
    assert_eq!(server.task(json!({"type": 1})).await.0, 400);
    for kind in ["concord", "ngrinder"] {
        let (status, why) = server.task(json!({"type": kind, "cmd": "test x"})).await;
        assert!(status == 501 && why.contains(kind), "{why}");
    }
    for kind in ["helm", "helmv3", "kubectl"] {
        assert_eq!(server.task(json!({"type": kind})).await, answered(400, "cmd not found in metadata"));
        let (status, why) = server.task(json!({"type": kind, "cmd": "test x"})).await;
        assert!(status == 403 && why.contains("--allow-commands"), "{why}");
    }
    assert_eq!(server.post("/", "x".repeat(1 << 20)).await.0, 413);
}

#[tokio::test]
async fn a_caller_that_hangs_up_ends_its_check() {
    let server = Arc::new(Server::start("", false, LONG).await);
    let waiting = {
        let server = server.clone();
        tokio::spawn(async move { server.task(json!({"type": "bash", "cmd": "sleep 1000"})).await })
    };
    server.metric("serin_loadtester_commands_running 1").await;
    waiting.abort();
    server.metric("serin_loadtester_commands_running 0").await;
}

/// A payload posted by the shell alone.
fn posts(server: &Server, path: &str) -> String {
    let port = server.address.rsplit(':').next().unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\\r\\nhost: a\\r\\ncontent-length: {}\\r\\n\\r\\n{}",
        PODINFO.len(),
        PODINFO.replace('"', "\\\"")
    );
    format!("exec 3<>/dev/tcp/127.0.0.1/{port}; printf \"{request}\" >&3; cat <&3")
}

#[tokio::test]
async fn f11_gates_are_changed_from_within_the_pod_and_by_no_command_of_a_canary() {
    let server = Server::start("", true, LONG).await;
    let bash = json!({"type": "bash", "cmd": posts(&server, "/gate/open"), "returnCmdOutput": "true"});
    let (status, answer) = server.task(bash).await;
    assert!(status == 200 && answer.starts_with("HTTP/1.1 403"), "{answer}");
    let bash = json!({"type": "bash", "cmd": posts(&server, "/gate/check"), "returnCmdOutput": "true"});
    let (_, answer) = server.task(bash).await;
    assert!(answer.contains("Forbidden"), "it asked as others do, and the gate is closed: {answer}");
    // this program is the load tester itself, and not one of its commands
    assert_eq!(server.post("/gate/open", PODINFO).await, answered(202, ""));
}

#[tokio::test]
async fn f11_what_reaches_the_port_from_elsewhere_changes_no_gates() {
    let local = "10.0.0.7:8080".parse().unwrap();
    let ends = Ends { local, peer: "10.0.0.9:40000".parse().unwrap() };
    let none = ::http::HeaderMap::new();
    let why = Keepers::Local.admit(ends, &none).unwrap_err();
    assert!(why.contains("kubectl exec") && why.contains("--gate-token-file"), "{why}");
    // behind a sidecar all connections come from a loopback address, but go to the Pod's address
    let sidecar = Ends { local, peer: "127.0.0.6:40000".parse().unwrap() };
    assert!(Keepers::Local.admit(sidecar, &none).is_err());
    assert!(Keepers::Anyone.admit(ends, &none).is_ok());
}

#[tokio::test]
async fn f11_a_token_opens_gates_from_anywhere() {
    let keepers = Keepers::of_token("secret\n").unwrap();
    assert!(Keepers::of_token(" \n").is_err());
    let server = Server::kept_by(keepers, "", false, LONG).await;
    let open = |token: Option<&'static str>| {
        let request = server.client.post(format!("{}/gate/open", server.address)).body(PODINFO);
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!((open(None).await, open(Some("other")).await), (403, 403));
    assert_eq!(server.post("/gate/check", PODINFO).await, answered(403, "Forbidden"));
    assert_eq!(open(Some("secret")).await, 202);
    assert_eq!(server.post("/gate/check", PODINFO).await, answered(200, "Approved"));
}

#[tokio::test]
async fn f11_checks_that_wait_are_bounded() {
    let server = Arc::new(Server::start("", false, LONG).await);
    let checks = (0..5).map(|_| {
        let server = server.clone();
        Box::pin(async move { server.task(json!({"type": "bash", "cmd": "sleep 1000"})).await })
    });
    // two run and two wait; the fifth is refused at once
    let ((status, why), ..) = futures::future::select_all(checks).await;
    assert!(status == 503 && why.contains("--max-commands"), "{why}");
}
