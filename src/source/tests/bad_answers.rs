//! F54: answers of a Prometheus with status 200. Only finite numbers are read as such, and each oddity has
//! its own text, also if nothing of the answer may be repeated.

use super::{Asked, Play, server, silent};
use crate::source::{MetricSource, SourceError, http::TIMEOUT, prometheus::Prometheus};

async fn told(play: Play) -> Result<Vec<f64>, SourceError> {
    let (address, _) = server(play).await;
    Prometheus::new(silent(TIMEOUT)).query(&Asked::of(&address, "up").ask()).await
}

fn json(text: String) -> Play {
    Play::Say(200, "application/json", text)
}

fn data(data: &str) -> Play {
    json(format!(r#"{{"status":"success","data":{data}}}"#))
}

fn vector(series: &str) -> Play {
    data(&format!(r#"{{"resultType":"vector","result":[{series}]}}"#))
}

fn sample(value: &str) -> Play {
    vector(&format!(r#"{{"metric":{{}},"value":{value}}}"#))
}

/// A number written this way.
fn number(text: &str) -> Play {
    sample(&format!(r#"[1.5,"{text}"]"#))
}

/// Twenty times as much as is read, compressed to a fraction of it: one block that repeats a blank over and over.
fn bomb() -> Vec<u8> {
    let mut bits = vec![true, true, false];
    bits.extend([false, true, false, true, false, false, false, false]);
    for _ in 0..80_000 {
        // 258 times what was before
        bits.extend([true, true, false, false, false, true, false, true]);
        bits.extend([false; 5]);
    }
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let byte = |bits: &[bool]| bits.iter().enumerate().map(|(at, bit)| u8::from(*bit) << at).sum::<u8>();
    head.into_iter().chain(bits.chunks(8).map(byte)).collect()
}

#[tokio::test]
async fn f54_what_a_prometheus_may_well_say_is_read() {
    assert!(told(vector("")).await.unwrap().is_empty());
    assert!(told(number("NaN")).await.unwrap()[0].is_nan());
    assert!(told(number("+Inf")).await.unwrap()[0].is_infinite());
    assert!(told(number("-Inf")).await.unwrap()[0].is_infinite());
    assert_eq!(told(data(r#"{"resultType":"scalar","result":[1,"3"]}"#)).await.unwrap(), [3.0]);
    let two = r#"{"metric":{"a":"1"},"value":[1,"1"]},{"metric":{"a":"2"},"value":[1,"2"]}"#;
    assert_eq!(told(vector(two)).await.unwrap(), [1.0, 2.0]);
    // remarks that older servers put among the warnings
    let remark = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"3"]},"warnings":["PromQL info: metric might not be a counter"],"infos":["x"]}"#;
    assert_eq!(told(json(remark.into())).await.unwrap(), [3.0]);
}

const MARKER: &str = "m4rker";

/// Answers, the reason of their error, and words that occur only in its text.
#[rustfmt::skip]
fn oddities() -> Vec<(Play, &'static str, &'static str)> {
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("{}".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let warned = format!(
        r#"{{"status":"success","data":{{"resultType":"scalar","result":[1,"3"]}},"warnings":["{MARKER}"]}}"#
    );
    vec![
        (number(""), "AnswerUndecodable", "a value is an empty text"),
        (number("1e400"), "AnswerUndecodable", "a value is beyond what a number can be"),
        (number(MARKER), "AnswerUndecodable", "a value is no number"),
        (sample("[]"), "AnswerUndecodable", "a value is an empty list"),
        (sample("[1]"), "AnswerUndecodable", "a value is a time without a number"),
        (sample("[1,2]"), "AnswerUndecodable", "a value is not made of a time and a text"),
        (vector(r#"{"metric":{},"histogram":[1,{"count":"1"}]}"#), "AnswerUndecodable", "a series is a native histogram"),
        (data("null"), "AnswerUndecodable", "it has no data"),
        (data(r#"{"result":[]}"#), "AnswerUndecodable", "its data have no resultType"),
        (data(r#"{"resultType":"m4rker","result":[]}"#), "AnswerUndecodable", "its resultType is not known"),
        (data(r#"{"resultType":"vector"}"#), "AnswerUndecodable", "its data have no result"),
        (data(r#"{"resultType":"string","result":[1,"m4rker"]}"#), "AnswerUndecodable", "it is a text, where"),
        (data(r#"{"resultType":"matrix","result":[]}"#), "QueryNotInstant", "a range vector"),
        (json(format!(r#"{{"status":"error","error":"{MARKER}"}}"#)), "AnswerUndecodable", "it calls itself an error"),
        (json(warned), "AnswerWarned", "comes with warnings"),
        (json(format!(r#"{{"status":"success","data":{}"#, "[".repeat(100_000))), "AnswerUndecodable", "it is nested too deeply"),
        (json(String::new()), "AnswerUndecodable", "it is empty"),
        (json(MARKER.into()), "AnswerUndecodable", "it is no JSON"),
        (json(format!(r#"{{"{MARKER}":1}}"#)), "AnswerUndecodable", "it is JSON of another form"),
        (json(format!(r#"{{"{MARKER}"#)), "AnswerUndecodable", "it breaks off"),
        (json(format!("\u{feff}{{\"{MARKER}\":1}}")), "AnswerUndecodable", "it begins with a byte order mark"),
        (Play::Say(200, "text/html", format!("<html>{MARKER}")), "AnswerUndecodable", "it is a web page"),
        (Play::Bytes("content-type: application/json; charset=utf-16\r\n", utf16), "AnswerUndecodable", "it is not in UTF-8"),
        (Play::Bytes("content-encoding: gzip\r\n", bomb()), "AnswerUndecodable", "it is compressed"),
        (Play::Flood, "AnswerTooLarge", "is larger than"),
    ]
}

#[tokio::test]
async fn f54_each_oddity_is_an_error_with_words_of_its_own() {
    let mut said = Vec::new();
    for (play, reason, words) in oddities() {
        let error = told(play).await.expect_err(words);
        assert_eq!(error.reason(), reason, "{words}");
        assert!(error.to_string().contains(words), "{error} lacks {words}");
        assert!(!format!("{error} {error:?}").contains(MARKER), "{error:?}");
        assert_eq!(error.quoting(), error.to_string(), "nothing may be repeated");
        let own = error.to_string().replace(|c: char| c.is_ascii_digit(), "");
        assert!(!said.contains(&own), "said twice: {own}");
        said.push(own);
    }
}
