//! Answers of metrics servers, each through its whole source: status, headers and body.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{
    Asked,
    conformance::{Case, cases},
    http,
};
use crate::{
    source::{MetricSource, http::TIMEOUT},
    tests::fuzz::{Target, fuzz, is_short, literals},
};

/// What the server says to whatever it is asked.
type Said = Arc<Mutex<Vec<u8>>>;

/// A server, and what asks it, on one thread, with connections that stay open.
struct Bench {
    runtime: tokio::runtime::Runtime,
    source: Box<dyn MetricSource>,
    asked: Asked,
    said: Said,
}

impl Bench {
    /// Of a source that is made for the address of the server.
    fn new(source: impl FnOnce(&str) -> Box<dyn MetricSource>, asked: impl FnOnce(&str) -> Asked) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let said = Said::default();
        let log = said.clone();
        let address = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, log.clone()));
                }
            });
            address
        });
        let source = runtime.block_on(async { source(&address) });
        Self { runtime, source, asked: asked(&address), said }
    }

    fn told(&self, answer: Vec<u8>) -> Result<String, String> {
        *self.said.lock().unwrap() = answer;
        match self.runtime.block_on(self.source.query(&self.asked.ask())) {
            Ok(values) => Ok(format!("{} values", "I".repeat(values.len().min(30)))),
            Err(error) => {
                let said = error.quoting();
                is_short("an answer", &said)?;
                is_short("an answer", &error.to_string())?;
                Ok(format!("{} {error}", error.reason()))
            }
        }
    }
}

/// Answers each request on a connection, until the client goes.
async fn serve(mut stream: TcpStream, said: Said) {
    let mut read = Vec::new();
    loop {
        let head = loop {
            if let Some(at) = read.windows(4).position(|end| end == b"\r\n\r\n") {
                break String::from_utf8_lossy(&read[..at + 4]).to_lowercase();
            }
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let whole = head.len() + length.unwrap_or(0_usize);
        while read.len() < whole {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        }
        read.drain(..whole);
        let answer = said.lock().unwrap().clone();
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// The bytes of a text, in which the characters from U+F700 on stand for one byte each.
fn bytes(text: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for c in text.chars() {
        match u32::from(c) {
            code @ 0xf700..0xf800 => all.push((code - 0xf700) as u8),
            _ => all.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    all
}

/// Status, `Retry-After` and body, as an answer. A length that is wrong is another matter.
fn answer(input: &[String]) -> Vec<u8> {
    let status = input[0].trim().parse().ok().filter(|status| (200..600).contains(status)).unwrap_or(200_u16);
    let later: String = input[1].chars().filter(|c| (' '..='~').contains(c)).take(200).collect();
    let body = if matches!(status, 204 | 304) { vec![] } else { bytes(&input[2]) };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nretry-after: {later}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}

const WORDS: &[&str] = &[
    "200",
    "400",
    "422",
    "429",
    "503",
    "120",
    "Wed, 21 Oct 2099 07:28:00 GMT",
    "\"status\"",
    "\"success\"",
    "\"error\"",
    "\"data\"",
    "\"result\"",
    "\"resultType\"",
    "\"vector\"",
    "\"matrix\"",
    "\"scalar\"",
    "\"value\"",
    "\"values\"",
    "\"metric\"",
    "\"series\"",
    "\"pointlist\"",
    "\"datapoints\"",
    "\"target\"",
    "\"results\"",
    "\"items\"",
    "\"errors\"",
    "\"message\"",
    "\"warnings\"",
    "\"infos\"",
    "\"timeSeriesData\"",
    "\"pointData\"",
    "\"StatusCode\"",
    "\"Values\"",
    "\"Timestamps\"",
    "event: data\ndata: ",
    "event: error\ndata: ",
    "event: control-message\ndata: ",
    "\n\n",
    "#datatype,string,long,double\r\n",
    ",_value\r\n",
    "null",
    "NaN",
    "1e400",
    "Infinity",
    "\"+Inf\"",
    "\"1\"",
    "1.5",
    "true",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\u{f780}",
    "\u{f7ff}",
    "\u{f700}",
    "\\ud800",
    "all",
    "rate",
    "value",
    "values",
    "data",
    "result",
];

fn target(case: &Case, texts: &[String]) -> Target {
    let with = |status: &str, body: String| vec![status.to_owned(), String::new(), body];
    let mut seeds: Vec<_> = [&["1"][..], &["1", "2.5", "-3"], &[], &["NaN"], &["null"]]
        .iter()
        .flat_map(|values| [with("200", (case.answer)(values)), with("400", (case.answer)(values))])
        .collect();
    seeds.extend(texts.iter().flat_map(|text| [with("200", text.clone()), with("500", text.clone())]));
    Target { seeds, words: WORDS, longest: 64 * 1024, held: (2 << 20, 100), made: (20_000, 40) }
}

thread_local! {
    static BENCHES: RefCell<BTreeMap<String, Bench>> = const { RefCell::new(BTreeMap::new()) };
}

/// What its source makes of an answer; the server is there once for each thread.
fn asked(name: &str, bench: impl FnOnce() -> Bench, input: &[String]) -> Result<String, String> {
    BENCHES.with_borrow_mut(|benches| {
        // what was in the middle of a call that panicked is not used again
        let bench = benches.remove(name).unwrap_or_else(bench);
        let said = bench.told(answer(input));
        benches.insert(name.to_owned(), bench);
        said
    })
}

#[test]
fn fuzz_answers() {
    let texts: Vec<String> = [
        include_str!("prometheus.rs"),
        include_str!("cloud.rs"),
        include_str!("bad_answers.rs"),
        include_str!("counts.rs"),
        include_str!("graphite.rs"),
        include_str!("influxdb.rs"),
        include_str!("identity.rs"),
        include_str!("externalmetrics.rs"),
    ]
    .into_iter()
    .flat_map(literals)
    .filter(|text| text.contains(['{', '[', ',']) && text.len() > 8)
    .collect();
    // some are made for a runtime
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _context = runtime.enter();
    for case in cases() {
        let name = format!("answers-{}", (case.source)(TIMEOUT).kind());
        let bench = || Bench::new(|_| (case.source)(TIMEOUT), |address| case.asked(address));
        fuzz(&name, || target(&case, &texts), &|input| asked(&name, bench, input));
    }
}

#[test]
fn fuzz_answers_of_google() {
    let target = || {
        let texts = literals(include_str!("identity.rs"));
        let seeds = texts.into_iter().filter(|text| text.contains('{'));
        let seeds = seeds.map(|text| vec!["200".into(), String::new(), text]).collect();
        Target { seeds, words: WORDS, longest: 64 * 1024, held: (2 << 20, 100), made: (20_000, 40) }
    };
    fuzz("answers-google", target, &|input| {
        let reply = http(TIMEOUT).reply("google", 200, bytes(&input[2]));
        match crate::source::stackdriver::decode(&reply) {
            Ok(samples) => Ok(format!("{} values", "I".repeat(samples.len().min(30)))),
            Err(error) => is_short("an answer", &error.quoting()).map(|()| error.to_string()),
        }
    });
}

/// A Keptn metric, as the API server hands it on.
#[test]
fn fuzz_answers_of_the_cluster() {
    let target = || {
        let texts = literals(include_str!("../keptn.rs"));
        let seeds = texts.into_iter().map(|text| {
            let status = serde_json::json!({"value": text, "lastUpdated": "2026-01-01T00:00:00Z", "errMsg": ""});
            vec!["200".into(), String::new(), serde_json::json!({"apiVersion": "metrics.keptn.sh/v1beta1", "kind": "KeptnMetric", "metadata": {"name": "x"}, "status": status}).to_string()]
        });
        let words = &[
            "metadata",
            "status",
            "value",
            "errMsg",
            "lastUpdated",
            "name",
            "null",
            "NaN",
            "1e400",
            "404",
            "429",
            "\u{f7ff}",
        ];
        Target { seeds: seeds.collect(), words, longest: 64 * 1024, held: (2 << 20, 100), made: (20_000, 40) }
    };
    let bench = || Bench::new(keptn, |address| Asked::of(address, "keptnmetric/app/errors"));
    fuzz("answers-keptn", target, &|input| asked("keptn", bench, input));
}

fn keptn(address: &str) -> Box<dyn MetricSource> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = kube::Client::try_from(kube::Config::new(address.parse().unwrap())).unwrap();
    Box::new(crate::source::keptn::Keptn::new(client))
}
