#![allow(clippy::disallowed_methods, reason = "servers to ask run beside the tests")]

use std::{io, net::IpAddr, sync::atomic::AtomicUsize, sync::atomic::Ordering};

use futures::{FutureExt, future::BoxFuture};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A server on loopback that sends `head` and then hangs up, its port, and how many connections it saw.
async fn server(answer: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    server_at("127.0.0.1:0", answer).await
}

async fn server_at(address: &str, answer: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let listener = TcpListener::bind(address).await.unwrap();
    let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let count = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let asked = stream.read(&mut [0; 4096]).await;
                stream.write_all(asked.map_or(b"", |_| answer)).await.ok();
            });
        }
    });
    (port, seen)
}

/// Ways to spell addresses that requests may not go to; the API server is 10.96.0.1.
#[rustfmt::skip]
const INNER: [&str; 47] = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.0.0.1",
    "127.0.0.1.", "127.9.9.9", "0.0.0.0", "0", "0.1.2.3", "localhost",
    "LOCALHOST.", "good.test@127.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "%31%32%37.0.0.1", "[::1]",
    "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "[fe80::1]", "[ff02::1]", "169.254.169.254", "169.254.170.2", "[::ffff:169.254.169.254]", "[fd00:ec2::254]",
    "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255", "kubernetes", "kubernetes.default",
    "192.0.0.192", "[fd00:c1::a9fe:a9fe]", "[fd00:42::42]", "[64:ff9b:1::7f00:1]", "[64:ff9b:1:ffff::1]", "[2001:0:4136:e378::1]",
    "kubernetes.default.svc", "Kubernetes.Default.svc.cluster.local.", "10.96.0.1", "0x0a600001", "[::ffff:10.96.0.1]",
];

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";

/// Answers each lookup of a name from a list, and repeats the last one.
struct Script(Vec<&'static str>, AtomicUsize);

impl Lookup for Script {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
        let found = self.0[turn].split_whitespace().map(|ip| ip.parse().unwrap()).collect();
        async move { Ok(found) }.boxed()
    }
}

fn scripted(outbound: OutboundPolicy, answers: &[&'static str]) -> (Outbound, Arc<Script>) {
    let script = Arc::new(Script(answers.to_vec(), AtomicUsize::new(0)));
    (Outbound::with_lookup(outbound, None, true, script.clone()), script)
}

fn open(network: &str) -> OutboundPolicy {
    OutboundPolicy { networks: vec![network.parse().unwrap()], ..OutboundPolicy::default() }
}

async fn get(out: &Outbound, url: &str) -> Result<Answer, NetError> {
    out.send(Request::get(address(url)?, TIMEOUT, 1024)).await
}

#[tokio::test]
async fn x1_inner_addresses_are_refused_before_anything_connects() {
    let (port, seen) = server(OK).await;
    let out = Outbound::new(OutboundPolicy::default(), Some("https://10.96.0.1:443/"), true);
    for host in INNER {
        let error = get(&out, &format!("http://{host}:{port}/x")).await.unwrap_err();
        assert!(matches!(error, NetError::Refused(_)), "{host}: {error:?}");
        assert!(error.to_string().starts_with("host not allowed: "), "{host}: {error}");
    }
    for text in ["", "host", "ftp://host", "file:///etc/passwd", "http://", "gopher://a", "http://[::1"] {
        assert!(matches!(address(text), Err(NetError::Address)), "{text}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
    // others may still use the same server
    assert_eq!(
        get(&Outbound::new(open("127.0.0.0/8"), None, true), &format!("http://127.0.0.1:{port}"))
            .await
            .unwrap()
            .body,
        b"ok"
    );
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn x1_hosts_that_are_not_listed_are_not_looked_up() {
    let outbound = OutboundPolicy { hosts: vec!["*.good.test".into()], ..open("127.0.0.0/8") };
    let (port, _) = server(OK).await;
    let (out, script) = scripted(outbound, &["127.0.0.1"]);
    let error = get(&out, &format!("http://bad.test:{port}")).await.unwrap_err();
    assert_eq!(error.to_string(), "host not allowed: bad.test is not in --allowed-hosts of the operator");
    assert_eq!(script.1.load(Ordering::SeqCst), 0);
    assert!(get(&out, &format!("http://a.good.test:{port}")).await.is_ok());
}

#[tokio::test]
async fn x2_each_connection_goes_to_an_address_that_was_checked() {
    let (port, seen) = server(OK).await;
    // Only one of the loopback addresses is open, as a public one is; then the name is bound again.
    let (out, script) = scripted(open("127.0.0.1/32"), &["127.0.0.1", "127.0.0.2", "127.0.0.2 127.0.0.1"]);
    let url = format!("http://rebound.test:{port}");
    assert!(get(&out, &url).await.is_ok());
    assert_eq!(script.1.load(Ordering::SeqCst), 1, "a name is resolved once for a connection");
    let error = get(&out, &url).await.unwrap_err().to_string();
    assert!(
        error.starts_with("host not allowed: rebound.test resolves to 127.0.0.2, which is a loopback"),
        "{error}"
    );
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    assert!(get(&out, &url).await.is_ok(), "the good one of two is taken");
}

#[tokio::test]
async fn f62_each_request_goes_where_its_name_leads_then() {
    const OTHER: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nother";
    let (port, one) = server(OK).await;
    let (_, two) = server_at(&format!("127.0.0.2:{port}"), OTHER).await;
    let (out, script) = scripted(open("127.0.0.0/8"), &["127.0.0.1", "127.0.0.2", "127.0.0.1"]);
    let url = format!("http://flips.test:{port}");
    for body in [&b"ok"[..], b"other", b"ok"] {
        assert_eq!(get(&out, &url).await.unwrap().body, body);
    }
    assert_eq!(script.1.load(Ordering::SeqCst), 3, "looked up once for each");
    assert_eq!((one.load(Ordering::SeqCst), two.load(Ordering::SeqCst)), (2, 1));
}

#[tokio::test]
async fn f62_a_name_that_cannot_be_looked_up_is_a_server_that_cannot_be_reached() {
    struct Broken;
    impl Lookup for Broken {
        fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            async { Err(io::Error::other("no resolver")) }.boxed()
        }
    }
    let out = Outbound::with_lookup(open("127.0.0.0/8"), None, true, Arc::new(Broken));
    let error = get(&out, "http://lost.test:9090").await.unwrap_err();
    assert!(matches!(error, NetError::Unreachable(_)), "{error:?}");
    assert!(error.to_string().contains("no resolver"), "{error}");
    // an answer without any address is refused as well
    let (out, _) = scripted(open("127.0.0.0/8"), &[""]);
    assert!(matches!(get(&out, "http://empty.test:9090").await.unwrap_err(), NetError::Unreachable(_)));
}

#[tokio::test]
async fn the_api_server_is_not_asked_under_another_name() {
    let (port, seen) = server(OK).await;
    let script = Arc::new(Script(vec!["10.0.0.9"], AtomicUsize::new(0)));
    let out =
        Outbound::with_lookup(OutboundPolicy::default(), Some("https://api.cloud.test:6443"), true, script);
    for host in ["api.cloud.test", "alias.test", "10.0.0.9"] {
        let error = get(&out, &format!("http://{host}:{port}")).await.unwrap_err().to_string();
        assert!(error.ends_with("is the API server"), "{host}: {error}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn x3_a_redirect_is_an_answer_like_any_other() {
    let (forbidden, seen) = server(OK).await;
    let head =
        format!("HTTP/1.1 302 F\r\nlocation: http://127.0.0.2:{forbidden}/\r\nconnection: close\r\n\r\n");
    let (port, _) = server(Vec::leak(head.into_bytes())).await;
    let out = Outbound::new(open("127.0.0.0/8"), None, true);
    assert_eq!(get(&out, &format!("http://127.0.0.1:{port}")).await.unwrap().status, 302);
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn answers_are_cut_and_silence_ends() {
    let (port, _) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nabcdefgh").await;
    let out = Outbound::new(open("127.0.0.0/8"), None, true);
    let url = address(&format!("http://127.0.0.1:{port}")).unwrap();
    let answer = out.send(Request::get(url, TIMEOUT, 4)).await.unwrap();
    assert_eq!((answer.body.as_slice(), answer.cut), (b"abcd".as_slice(), true));
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = address(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
    let error = out.send(Request::get(url, Duration::from_millis(50), 4)).await.unwrap_err();
    assert_eq!(error.to_string(), "no answer within 0.05 s");
}

#[test]
fn x4_what_is_quoted_is_short_and_can_be_left_out() {
    let of =
        |quotable| Answer { status: 200, body: vec![], cut: false, retry_after: None, quotable, held: None };
    assert_eq!(of(false).quote(b"marker"), "");
    assert_eq!(of(true).quote(b" a\r\n\x1b[31m b\xff "), "a [31m b\u{fffd}");
    let long = of(true).quote("é".repeat(4000).as_bytes());
    assert_eq!(long.len(), 1024);
    assert_eq!(of(true).quote(format!("x{}", "é".repeat(4000)).as_bytes()).len(), 1023);
}

#[test]
fn secrets_stay_out_of_what_is_shown() {
    let url = address("https://me:pw@host:8443/a/?token=t").unwrap();
    assert_eq!(shown(&url), "https://host:8443/a");
    let request = Request::get(url, TIMEOUT, 1).header("authorization", "Bearer secret").header("bad\n", "x");
    assert!(!format!("{:?}", request.headers).contains("secret"));
    assert_eq!(request.headers.len(), 1);
}

#[tokio::test]
async fn f6_what_a_server_says_is_repeated_where_it_may_be() {
    let (port, _) = server(OK).await;
    let url = format!("http://127.0.0.1:{port}");
    let quotable = async |out: Outbound, request: fn(Request) -> Request| {
        let request = request(Request::get(address(&url).unwrap(), TIMEOUT, 1024));
        out.send(request).await.unwrap().quotable
    };
    let loose = Outbound::new(open("127.0.0.0/8"), None, true);
    assert!(quotable(loose.clone(), |plain| plain).await);
    // an echo may contain a secret in a form that no check looks for
    assert!(!quotable(loose.clone(), |plain| Request { confidential: true, ..plain }).await);
    let login = |plain| Request { login: Some(("me".into(), "pw".into())), ..plain };
    assert!(!quotable(loose.clone(), login).await);
    let in_url = |mut plain: Request| {
        plain.url.set_password(Some("pw")).unwrap();
        plain
    };
    assert!(!quotable(loose, in_url).await);
    assert!(!quotable(Outbound::new(open("127.0.0.0/8"), None, false), |plain| plain).await);
    let mut strict = OutboundPolicy { strict: true, ..open("127.0.0.0/8") };
    assert!(!quotable(Outbound::new(strict.clone(), None, true), |plain| plain).await);
    strict.name(&url);
    assert!(quotable(Outbound::new(strict, None, true), |plain| plain).await);
}

#[tokio::test]
async fn f6_how_a_connection_fails_is_not_told_where_nothing_may_be() {
    for (quotes, strict, told) in [(true, false, true), (false, false, false), (true, true, false)] {
        let policy = OutboundPolicy { strict, ..open("127.0.0.0/8") };
        let error = get(&Outbound::new(policy, None, quotes), "http://127.0.0.1:1").await.unwrap_err();
        assert!(error.may_pass());
        assert_eq!(error.to_string() != "no connection, or one that broke", told, "{error}");
    }
}

#[tokio::test]
async fn f21_the_api_server_is_not_asked_at_its_endpoints() {
    let (port, seen) = server(OK).await;
    let (out, _) = scripted(OutboundPolicy::default(), &["172.18.0.2"]);
    let out = out.never_to(Arc::new(|| ["172.18.0.2".parse().unwrap()].into()));
    for host in ["alias.test", "172.18.0.2", "[::ffff:172.18.0.2]"] {
        let error = get(&out, &format!("http://{host}:{port}")).await.unwrap_err().to_string();
        assert!(error.ends_with("is the API server"), "{host}: {error}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn f21_while_the_api_server_cannot_be_looked_up_no_server_is_asked() {
    struct Half;
    impl Lookup for Half {
        fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let found = match name.as_str() {
                "prom.test" => Ok(vec!["10.0.0.9".parse().unwrap()]),
                "empty.test" => Ok(vec![]),
                _ => Err(io::Error::other("no resolver")),
            };
            async move { found }.boxed()
        }
    }
    for api in ["https://lost.test:6443", "https://empty.test:6443"] {
        let out = Outbound::with_lookup(OutboundPolicy::default(), Some(api), true, Arc::new(Half));
        for host in ["prom.test", "10.0.0.9"] {
            let error = get(&out, &format!("http://{host}")).await.unwrap_err();
            assert!(matches!(error, NetError::Refused(_)), "{error:?}");
            assert!(error.to_string().contains("cannot be distinguished from the API server"), "{error}");
        }
    }
}

fn through(port: u16) -> Proxies {
    Proxies::read(&|name| (name == "HTTP_PROXY").then(|| format!("http://localhost:{port}")))
}

#[tokio::test]
async fn r19_a_proxy_of_the_environment_is_asked_wherever_it_is() {
    let (port, seen) = server(OK).await;
    // only the proxy knows public names
    let (out, _) = scripted(OutboundPolicy::default(), &[""]);
    assert_eq!(get(&out.by(through(port)), "http://api.example.com/x").await.unwrap().body, b"ok");
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn r19_a_proxy_is_not_asked_for_what_may_not_be_asked() {
    let (port, seen) = server(OK).await;
    let api = Some("https://10.96.0.1:443/");
    for host in INNER {
        let out = Outbound::new(OutboundPolicy::default(), api, true).by(through(port));
        let error = get(&out, &format!("http://{host}/x")).await.unwrap_err();
        assert!(matches!(error, NetError::Refused(_)), "{host}: {error:?}");
    }
    for found in ["169.254.169.254", "10.1.2.3 127.0.0.1", "10.96.0.1"] {
        let script = Arc::new(Script(vec![found], AtomicUsize::new(0)));
        let out = Outbound::with_lookup(OutboundPolicy::default(), api, true, script).by(through(port));
        let error = get(&out, "http://alias.test").await.unwrap_err();
        assert!(matches!(error, NetError::Refused(_)), "{found}: {error:?}");
    }
    let listed = OutboundPolicy { hosts: vec!["good.test".into()], ..OutboundPolicy::default() };
    let (out, _) = scripted(listed, &["10.1.2.3"]);
    assert!(get(&out.by(through(port)), "http://bad.test").await.is_err());
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[test]
fn f28_a_request_is_shown_without_credentials() {
    let url = address("https://user:pass-in-url@prom.test/api?token=pass-in-query").unwrap();
    let request = Request {
        login: Some(("user".into(), "pass-in-login".into())),
        body: Some(b"pass-in-body".to_vec()),
        tls: Tls { any_certificate: false, ca: Some(b"pass-in-ca".to_vec()) },
        proxy: Some(address("http://user:pass-in-proxy@proxy.test").unwrap()),
        ..Request::get(url, TIMEOUT, 1024).header("authorization", "Bearer pass-in-header")
    };
    let shown = format!("{request:?}");
    assert!(shown.contains("https://prom.test/api") && !shown.contains("pass-in"), "{shown}");
}

/// Sends the beginning of a large answer, and the rest unless the path is `/hang`.
async fn large() -> u16 {
    rustls::crypto::ring::default_provider().install_default().ok();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 4096];
                let read = stream.read(&mut asked).await.unwrap_or(0);
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 200000\r\n\r\n";
                stream.write_all(head.as_bytes()).await.ok();
                stream.write_all(&vec![b'x'; 100_000]).await.ok();
                if String::from_utf8_lossy(&asked[..read]).contains("/hang") {
                    std::future::pending::<()>().await;
                }
                stream.write_all(&vec![b'x'; 100_000]).await.ok();
            });
        }
    });
    port
}

#[tokio::test]
async fn f9_large_answers_of_one_namespace_keep_no_other_from_theirs() {
    let (port, out) = (large().await, Outbound::new(open("127.0.0.0/8"), None, true));
    let ask = |tenant: &str, path: &str, timeout: Duration| {
        let url = address(&format!("http://127.0.0.1:{port}{path}")).unwrap();
        let (out, request) = (out.clone(), Request::get(url, timeout, 1 << 20).of(tenant));
        async move { out.send(request).await }
    };
    let hanging: Vec<_> =
        (0..LARGE_OF_ONE).map(|_| tokio::spawn(ask("busy", "/hang", TIMEOUT * 60))).collect();
    // once its share is used up, there is no permit for another one
    let late = loop {
        match ask("busy", "/all", Duration::from_millis(500)).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert!(matches!(late, NetError::TimedOut(_)), "{late:?}");
    assert_eq!(ask("quiet", "/all", TIMEOUT).await.unwrap().body.len(), 200_000);
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(ask("busy", "/all", TIMEOUT).await.unwrap().body.len(), 200_000, "it comes back");
}

/// Never answers for most names; counts the look-ups.
#[derive(Default)]
struct Silent(AtomicUsize);

impl Lookup for Silent {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        if name == "known.test" {
            return async { Ok(vec!["10.0.0.9".parse().unwrap()]) }.boxed();
        }
        std::future::pending().boxed()
    }
}

#[tokio::test]
async fn a_resolver_that_does_not_answer_keeps_no_request_from_a_proxy() {
    let (port, seen) = server(OK).await;
    let api = Some("https://api.test:6443");
    let silent = || Arc::new(Silent::default());
    let out = Outbound::with_lookup(OutboundPolicy::default(), api, true, silent()).by(through(port));
    let begun = tokio::time::Instant::now();
    let asked = timeout(TIMEOUT, get(&out, "http://public.test/x")).await;
    assert_eq!(asked.expect("it ends").unwrap().body, b"ok");
    assert!(begun.elapsed() < TIMEOUT / 2, "{:?}", begun.elapsed());
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn looking_up_the_api_server_takes_no_longer_than_a_request_may() {
    let (port, seen) = server(OK).await;
    let api = Some("https://api.test:6443");
    let out = Outbound::with_lookup(OutboundPolicy::default(), api, true, Arc::new(Silent::default()));
    for (out, host) in [(out.clone(), "10.0.0.9"), (out.by(through(port)), "known.test")] {
        let url = address(&format!("http://{host}/x")).unwrap();
        let asked = out.send(Request::get(url, Duration::from_millis(100), 4));
        let error = timeout(TIMEOUT, asked).await.expect("it ends").unwrap_err();
        assert!(matches!(error, NetError::TimedOut(_)), "{host}: {error:?}");
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn look_ups_that_are_given_up_take_no_more_threads_than_their_namespace_may_have() {
    let silent = Arc::new(Silent::default());
    let out = Outbound::with_lookup(OutboundPolicy::default(), None, true, silent.clone());
    rustls::crypto::ring::default_provider().install_default().ok();
    let (port, _) = server(OK).await;
    // looked up by the client, and for a proxy
    for (out, share) in [(out.clone(), LOOKUPS_OF_ONE), (out.by(through(port)), 0)] {
        for (tenant, more) in [("busy", share), ("quiet", 1)] {
            let before = silent.0.load(Ordering::SeqCst);
            let asked = (0..if more == 1 { 1 } else { LOOKUPS_OF_ONE + 8 }).map(|n| {
                let url = address(&format!("http://{tenant}{n}.test/x")).unwrap();
                out.send(Request::get(url, Duration::from_millis(200), 4).of(tenant))
            });
            for answer in futures::future::join_all(asked).await {
                assert!(matches!(answer, Err(NetError::TimedOut(_))), "{answer:?}");
            }
            assert_eq!(silent.0.load(Ordering::SeqCst) - before, more, "{tenant}");
        }
    }
}
