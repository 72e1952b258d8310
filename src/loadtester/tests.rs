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

/// What the documentation of Flagger's load tester has, in other words, under the flags that this one starts with.
#[test]
fn commands_of_flaggers_documentation_are_run_or_it_is_said_which_flag_lets_them() {
    let policy = Policy {
        any: false,
        listed: COMMANDS.into_iter().map(String::from).collect(),
        any_argument: BTreeSet::new(),
    };
    let admit = |kind: &str, cmd: &str| http::admitted(&policy, kind, cmd).unwrap();
    for (kind, cmd) in [
        ("cmd", "hey -z 2m -q 8 -c 2 http://orders-canary.test:8080/"),
        ("cmd", "hey -z 2m -q 8 -c 2 -m POST -d '{test: 3}' http://orders-canary.test:8080/echo"),
        ("cmd", "hey -z 2m -q 8 -c 2 -h2 https://orders.example.com/"),
        ("cmd", "hey -z 9m -q 8 -c 2 -host orders.example.com http://proxy.ingress"),
        ("cmd", "hey -z 2m -q 8 -c 2 -H 'Cookie: group=early' http://orders.test:8080/"),
        (
            "cmd",
            "hey -z 2m -q 4 -c 4 -H 'X-Canary: early' -host orders.example.com http://envoy.projectcontour\n",
        ),
        ("cmd", "ghz -z 2m -r 8 -c 2 --insecure orders.test:8080"),
        ("cmd", "wrk -t 8 -c 200 -d 20s http://orders-canary.test:8080/"),
        ("bash", "curl -sd 'guest' http://orders-canary.test:8080/token | grep token"),
        ("bash", "curl -s http://orders-canary.test:8080/version | jq -r .version | grep 2"),
        ("bash", "grpc_health_probe -connect-timeout=2s -addr=orders-canary.test:8080"),
    ] {
        assert!(admit(kind, cmd).is_ok(), "{cmd}: {:?}", admit(kind, cmd));
    }
    for (kind, cmd, flag) in [
        (
            "cmd",
            "ghz --insecure --proto=/tmp/ghz/health.proto --call=grpc.health.v1.Health/Check orders.test:8080",
            "--allow-commands=ghz",
        ),
        // in Flagger's image ghz is older
        ("cmd", "ghz -z 2m -q 8 -c 2 --insecure orders.test:8080", "-r by now"),
        ("cmd", "ghz -z 2m --qps=8 -c 2 --insecure orders.test:8080", "--rps by now"),
        ("bash", "bats /tests/acceptance.bats", "--allow-commands"),
        ("bash", "curl -s http://orders.test/ && curl -s http://orders-canary.test/", "--allow-any-command"),
        ("cmd", "my-cli run", "--allow-commands"),
        ("helm", "test orders --cleanup", "--allow-commands"),
        ("helmv3", "test orders --timeout 2m -n test", "--allow-commands"),
        ("kubectl", "get canaries -n test", "--allow-commands"),
    ] {
        let why = admit(kind, cmd).unwrap_err();
        assert!(why.contains(flag), "{cmd}: {why}");
    }
}

/// Bodies as Flagger and Serin post them.
#[tokio::test]
async fn payloads_of_flagger_are_read_whatever_else_is_in_them() {
    let server = Server::start("", false, LONG).await;
    let posted = |metadata: Value| {
        json!({
            "name": "orders", "namespace": "test", "phase": "Progressing", "checksum": "85d557f47b",
            "buildId": "later", "failedChecks": 0, "metadata": metadata,
        })
        .to_string()
    };
    assert_eq!(server.post("/", posted(json!({"cmd": "echo", "other": "x"}))).await, answered(202, ""));
    // what an event is told by has no command in it, and the load tester is no receiver of events
    let event = json!({
        "eventMessage": "New revision detected! Scaling up orders.test", "eventType": "Normal",
        "timestamp": "1760000000000",
    });
    assert_eq!(server.post("/", posted(event)).await, answered(400, "cmd not found in metadata"));
    assert_eq!(server.post("/", posted(Value::Null)).await, answered(400, "metadata not found in payload"));
    assert_eq!(server.post("/gate/check", posted(Value::Null)).await, answered(403, "Forbidden"));
    assert_eq!(server.post("/gate/open", posted(json!({"a": "b"}))).await, answered(202, ""));
    assert_eq!(
        server.post("/gate/check", PODINFO.replace("podinfo", "orders")).await,
        answered(200, "Approved")
    );
    for flag in ["true", "True", "1", "t"] {
        let body = posted(json!({"type": "bash", "cmd": "echo yes", "returnCmdOutput": flag}));
        assert_eq!(server.post("/", body).await, answered(200, "yes\n"), "{flag}");
    }
    let body = posted(json!({"type": "bash", "cmd": "echo yes", "returnCmdOutput": "yes"}));
    assert_eq!(server.post("/", body).await, answered(200, ""), "no value of a flag in Go");
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
