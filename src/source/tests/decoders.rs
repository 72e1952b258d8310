//! Each source's decoder gets many damaged answers: none panics, and time and memory are limited. `fuzz.rs` sends fewer of
//! them through whole sources.

use std::cell::RefCell;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Asked,
    conformance::{Case, cases},
    http,
};
use crate::{
    clock,
    source::{
        Ask, SourceError, cloudwatch, datadog, dynatrace, externalmetrics, graphite,
        http::{Reply, TIMEOUT},
        influxdb, keptn, newrelic, prometheus, splunk, stackdriver, web,
    },
    tests::bounds::within,
    text::first_bytes,
};

/// Most bytes that a decoder uses at a time, for an answer of at most 8 KiB.
const BYTES: u64 = 2 << 20;

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "NaN",
    "1e400",
    "1e9999",
    "-1",
    "1.5",
    "\"+Inf\"",
    "\"1\"",
    "true",
    "\r\n",
    "\n\n",
    "\\ud800",
    "\u{0}",
    "é",
    "event: data\ndata: ",
    ",_value\r\n",
    "\"value\":",
    "\"error\"",
    "\"isPartial\":true",
    "\"warnings\":[\"a\"]",
    "#",
];

/// Damage to an answer: at this place so many characters are replaced with pieces, so many times.
#[derive(Clone, Debug)]
struct Damage {
    place: u16,
    gone: usize,
    pieces: Vec<&'static str>,
    times: usize,
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let pieces = proptest::collection::vec(prop::sample::select(PIECES), 0..4);
    let times = prop_oneof![9 => Just(1_usize), 1 => 2..80_usize];
    let one = (any::<u16>(), 0..12_usize, pieces, times).prop_map(|(place, gone, pieces, times)| Damage {
        place,
        gone,
        pieces,
        times,
    });
    proptest::collection::vec(one, 1..3)
}

fn damaged(whole: &str, all: &[Damage]) -> String {
    let mut text = whole.to_owned();
    for Damage { place, gone, pieces, times } in all {
        let from = first_bytes(&text, usize::from(*place) % (text.len() + 1)).len();
        let to = first_bytes(&text, from + gone).len();
        text.replace_range(from..to, &pieces.concat().repeat(*times));
    }
    first_bytes(&text, 8 << 10).to_owned()
}

/// The number of values that the decoder of this kind finds in an answer.
fn decoded(kind: &str, reply: Reply, ask: &Ask<'_>) -> Result<usize, SourceError> {
    let undated = |values: Vec<f64>| values.len();
    match kind {
        "prometheus" => {
            drop(prometheus::counted(&reply));
            prometheus::decode(&reply, ask.window).map(undated)
        }
        "graphite" => graphite::decode(reply, ask).map(|all| all.len()),
        "influxdb" => influxdb::decode(&reply).map(|all| all.len()),
        "externalmetrics" => externalmetrics::decode(&reply).map(|all| all.len()),
        "web" => web::decode(&reply, ask.json_path.unwrap_or("$")).map(undated),
        "datadog" => datadog::decode(&reply, clock::now(), ask.window).map(|all| all.len()),
        "dynatrace" => dynatrace::decode(&reply).map(undated),
        "newrelic" => newrelic::decode(&reply).map(undated),
        "splunk" => splunk::decode(&reply, ask.window).map(|all| all.len()),
        "cloudwatch" => cloudwatch::decode(&reply, ask, 60.0).map(|all| all.len()),
        "stackdriver" => stackdriver::decode(&reply).map(|all| all.len()),
        "keptn" => {
            let status = reply.json::<Value>()?;
            keptn::dated(&status, "KeptnMetric a/b").map(|all| all.len())
        }
        other => panic!("the decoder of {other} gets no damaged answers: add it"),
    }
}

/// The kind of a source, a query to it, and a whole answer with two values.
fn answers() -> Vec<(String, Asked, String)> {
    // some sources are made for a runtime
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _context = runtime.enter();
    let of = |case: &Case| {
        let kind = (case.source)(TIMEOUT).kind().to_owned();
        (kind, case.asked("http://127.0.0.1:1"), (case.answer)(&["1", "2.5"]))
    };
    let point =
        |value: Value| json!({"values": [value], "timeInterval": {"endTime": "2026-01-01T00:00:00Z"}});
    let series = [point(json!({"doubleValue": 1.5})), point(json!({"int64Value": "7"}))]
        .map(|point| json!({"pointData": [point]}));
    let of_google = json!({"timeSeriesData": series});
    let of_keptn = json!({"value": "1.5", "lastUpdated": "2026-01-01T00:00:00Z", "errMsg": ""});
    let beside = [("stackdriver", of_google), ("keptn", of_keptn)]
        .map(|(kind, answer)| (kind.to_owned(), Asked::of("http://127.0.0.1:1", "q"), answer.to_string()));
    cases().iter().map(of).chain(beside).collect()
}

#[test]
fn every_served_kind_has_an_answer_that_its_decoder_reads() {
    let mut kinds = Vec::new();
    for (kind, asked, answer) in answers() {
        let found = decoded(&kind, http(TIMEOUT).reply(&kind, 200, answer.into()), &asked.ask());
        assert_eq!(found.unwrap(), if kind == "keptn" { 1 } else { 2 }, "{kind}");
        kinds.push(kind);
    }
    kinds.sort();
    let served: Vec<&str> = crate::analysis::provider_kinds::KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(kinds, served);
}

thread_local! {
    static ANSWERS: RefCell<Vec<(String, Asked, String)>> = RefCell::new(answers());
    static CLIENTS: crate::source::Http = http(TIMEOUT);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_damaged_answer_makes_a_decoder_panic_or_grow(damage in damage()) {
        ANSWERS.with_borrow(|all| {
            for (kind, asked, answer) in all {
                let text = damaged(answer, &damage);
                let reply = CLIENTS.with(|clients| clients.reply(kind, 200, text.clone().into()));
                within(BYTES, &text, || {
                    let found = decoded(kind, reply, &asked.ask());
                    assert!(found.map_or_else(|error| error.to_string().len() < 1200, |count| count <= 8192));
                });
            }
        });
    }
}
