//! Requirements for every source over HTTP, whatever its server answers. A new source adds a case.

use std::time::Duration;

use super::{Asked, Play, http, server};
use crate::source::{
    Ask, Credentials, MetricSource, SourceError, Sources, externalmetrics::ExternalMetrics,
    graphite::Graphite, http::TIMEOUT, influxdb::InfluxDb, prometheus::Prometheus, web::Web,
};

/// One source with its server's answers.
pub(super) struct Case {
    pub(super) source: fn(Duration) -> Box<dyn MetricSource>,
    pub(super) query: &'static str,
    pub(super) json_path: Option<&'static str>,
    /// The answer with a series for each of these values.
    pub(super) answer: fn(&[&str]) -> String,
    /// A Secret with everything it needs, with `s3cret` in values that must never be shown.
    pub(super) secret: &'static [(&'static str, &'static str)],
    /// The header with the credentials.
    pub(super) header: &'static str,
}

pub(super) fn joined(values: &[&str], one: impl Fn(usize, &str) -> String, by: &str) -> String {
    values.iter().enumerate().map(|(i, value)| one(i, value)).collect::<Vec<_>>().join(by)
}

pub(super) fn cases() -> Vec<Case> {
    own().into_iter().chain([web()]).chain(super::cloud::cases()).collect()
}

/// Any server that speaks JSON.
fn web() -> Case {
    Case {
        source: |limit| Box::new(Web::new(http(limit))),
        query: "/stats?app=podinfo",
        json_path: Some("{$.all[*].rate}"),
        answer: |values| {
            format!(r#"{{"all":[{}]}}"#, joined(values, |_, v| format!(r#"{{"rate":"{v}"}}"#), ","))
        },
        secret: &[("token", "s3cret-token")],
        header: "authorization",
    }
}

/// Servers that people run themselves.
fn own() -> Vec<Case> {
    vec![
        Case {
            source: |limit| Box::new(Prometheus::new(http(limit))),
            query: "up",
            json_path: None,
            answer: |values| {
                let all = joined(values, |_, v| format!(r#"{{"metric":{{}},"value":[1.5,"{v}"]}}"#), ",");
                format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{all}]}}}}"#)
            },
            secret: &[("token", "s3cret-token")],
            header: "authorization",
        },
        Case {
            source: |limit| Box::new(Graphite::new(http(limit))),
            query: "target=app.errors&from=-2min",
            json_path: None,
            answer: |values| {
                let series = |i: usize, v: &str| {
                    format!(
                        r#"{{"target":"a{i}","tags":{{"name":"a"}},"datapoints":[[7.0,1000],[{v},1060],[null,1120]]}}"#
                    )
                };
                format!("[{}]", joined(values, series, ","))
            },
            secret: &[("username", "me"), ("password", "s3cret-word")],
            header: "authorization",
        },
        Case {
            source: |limit| Box::new(InfluxDb::new(http(limit))),
            query: r#"from(bucket: "app") |> range(start: -1m) |> last()"#,
            json_path: None,
            answer: |values| {
                let rows = joined(values, |i, v| format!(",_result,{i},{v},errors\r\n"), "");
                if rows.is_empty() {
                    "\r\n".into()
                } else {
                    format!(",result,table,_value,_field\r\n{rows}\r\n")
                }
            },
            secret: &[("token", "s3cret-token"), ("org", "acme")],
            header: "authorization",
        },
        Case {
            source: |limit| Box::new(ExternalMetrics::new(http(limit), super::nobody())),
            query: "test/queue-length?labelSelector=app%3Dpodinfo",
            json_path: None,
            answer: |values| {
                let item = |_, v: &str| format!(r#"{{"metricName":"queue-length","value":"{v}"}}"#);
                format!(r#"{{"kind":"ExternalMetricValueList","items":[{}]}}"#, joined(values, item, ","))
            },
            secret: &[("token", "s3cret-token")],
            header: "authorization",
        },
    ]
}

impl Case {
    pub(super) fn asked(&self, address: &str) -> Asked {
        let asked = Asked::of(address, self.query).with(self.secret);
        let region = Some("eu-west-1".to_owned());
        Asked { json_path: self.json_path.map(str::to_owned), region, ..asked }
    }

    async fn told(&self, play: Play) -> Result<Vec<f64>, SourceError> {
        let (address, _) = server(play).await;
        (self.source)(TIMEOUT).query(&self.asked(&address).ask()).await
    }

    async fn says(&self, body: String) -> Result<Vec<f64>, SourceError> {
        self.told(Play::Say(200, "application/json", body)).await
    }
}

#[tokio::test]
async fn values_are_read_one_for_each_series() {
    for case in cases() {
        let kind = (case.source)(TIMEOUT).kind();
        for values in [&["99.5"][..], &["0"], &["1", "2.5", "-3"], &[]] {
            let wanted: Vec<f64> = values.iter().map(|v| v.parse().unwrap()).collect();
            assert_eq!(case.says((case.answer)(values)).await.unwrap(), wanted, "{kind}");
        }
    }
}

#[tokio::test]
async fn f54_no_answer_is_made_a_number() {
    let deep = "[".repeat(100_000);
    for case in cases() {
        let kind = (case.source)(TIMEOUT).kind();
        for value in ["NaN", "+Inf", "-Inf", "1e400", "", "x", "{}", "\u{feff}1"] {
            let said = case.says((case.answer)(&[value])).await;
            assert!(
                said.as_ref().is_ok_and(|v| v.iter().all(|v| !v.is_finite())) || said.is_err(),
                "{kind} {value:?}"
            );
        }
        let whole = (case.answer)(&["1", "2"]);
        let bodies = [
            "",
            "null",
            "{}",
            "[]",
            "[1",
            "\u{0}",
            "\u{feff}",
            "\"1\"",
            &deep,
            "<html><body>Sign in</body></html>",
            &whole[..whole.len() - 12],
        ];
        for body in bodies {
            let said = case.says(body.to_owned()).await;
            // cut within the last value, the values before it may be valid
            let harmless =
                said.as_ref().is_ok_and(|v| v.iter().all(|v| !v.is_finite() || kind == "influxdb"));
            assert!(harmless || said.is_err(), "{kind} {body:.40}: {said:?}");
        }
        let html = case.says("<html><body>Sign in</body></html>".into()).await.unwrap_err();
        assert_eq!(html.reason(), "AnswerUndecodable", "{kind}");
    }
}

#[tokio::test]
async fn f53_a_server_that_does_not_answer_is_an_error_in_time() {
    for case in cases() {
        let kind = (case.source)(TIMEOUT).kind();
        assert_eq!(case.told(Play::Flood).await.unwrap_err().reason(), "AnswerTooLarge", "{kind}");
        assert_eq!(case.told(Play::Close).await.unwrap_err().reason(), "SourceUnreachable", "{kind}");
        for play in [Play::Hang, Play::Drip] {
            let (address, _) = server(play).await;
            let quick = (case.source)(Duration::from_millis(100));
            let error = quick.query(&case.asked(&address).ask()).await.unwrap_err();
            assert_eq!(error.reason(), "SourceTimedOut", "{kind}");
        }
        let down = (case.source)(TIMEOUT).ping(&case.asked("http://127.0.0.1:1").ask()).await;
        assert_eq!(down.unwrap_err().reason(), "SourceUnreachable", "{kind}");
        for bad in ["ftp://me:s3cret@host", "file:///etc/passwd"] {
            let error = (case.source)(TIMEOUT).query(&case.asked(bad).ask()).await.unwrap_err();
            assert_eq!(error.reason(), "BadAddress", "{kind}");
            assert!(!format!("{error} {error:?}").contains("s3cret"));
        }
    }
}

#[tokio::test]
async fn a_wrong_query_is_told_from_a_broken_server_and_no_redirect_is_followed() {
    for case in cases() {
        let kind = (case.source)(TIMEOUT).kind();
        let good = (case.answer)(&["1"]);
        for status in [400, 422] {
            let refused = case.told(Play::Say(status, "text/plain", good.clone())).await.unwrap_err();
            assert_eq!(refused.reason(), "QueryRejected", "{kind} {status}");
        }
        for status in [301, 302, 307, 401, 403, 404, 500, 503] {
            let down = case.told(Play::Say(status, "text/plain", good.clone())).await.unwrap_err();
            assert_eq!(down.reason(), "SourceUnavailable", "{kind} {status}");
            let elsewhere = down.to_string().contains("redirects are not followed");
            assert_eq!(elsewhere, (300..400).contains(&status), "{kind} {status}: {down}");
        }
    }
}

#[tokio::test]
async fn c30_a_server_that_asks_for_fewer_questions_is_understood() {
    for case in cases() {
        let kind = (case.source)(TIMEOUT).kind();
        let good = (case.answer)(&["1"]);
        let when = "text/plain\r\nretry-after: 300";
        for (status, header, wanted) in
            [(429, when, Some(300)), (503, when, Some(300)), (429, "text/plain", None)]
        {
            let limited = case.told(Play::Say(status, header, good.clone())).await.unwrap_err();
            let SourceError::RateLimited { retry_after, .. } = limited else { panic!("{kind}: {limited:?}") };
            assert_eq!(retry_after, wanted.map(Duration::from_secs), "{kind} {status}");
        }
    }
}

#[tokio::test]
async fn x5_credentials_are_sent_and_never_shown() {
    for case in cases() {
        let said = case.secret.iter().map(|(_, value)| *value).collect::<Vec<_>>().join(" ");
        let (address, seen) = server(Play::Say(500, "text/plain", said)).await;
        let source = (case.source)(TIMEOUT);
        let asked = case.asked(&address);
        let error = source.query(&asked.ask()).await.unwrap_err();
        let shown = asked.credentials.redact(&error.quoting());
        assert!(!format!("{shown} {:?}", asked.ask()).contains("s3cret"), "{} {shown}", source.kind());
        let header = format!("\r\n{}: ", case.header);
        assert!(seen.lock().unwrap()[0].to_lowercase().contains(&header), "{}", source.kind());

        let empty = case.asked(&address).with(&[("other", "x")]);
        let error = source.query(&empty.ask()).await.unwrap_err();
        assert_eq!(error.reason(), "SecretKeyMissing", "{}", source.kind());
        assert!(error.to_string().contains("Secret test/login, which MetricTemplate test/errors"), "{error}");
        let bad = [case.secret, &[("ca.crt", "no certificate")]].concat();
        let bad = case.asked(&address).with(&bad);
        let error = source.query(&bad.ask()).await.unwrap_err();
        assert!(error.to_string().contains("PEM certificates under ca.crt"), "{error}");
    }
}

#[tokio::test]
async fn headers_of_the_template_are_sent() {
    for case in cases() {
        let (address, seen) = server(Play::Say(500, "text/plain", String::new())).await;
        let mut asked = case.asked(&address);
        asked.headers = [("X-Scope-OrgID".to_owned(), vec!["one".to_owned(), "two".to_owned()])].into();
        let source = (case.source)(TIMEOUT);
        source.query(&asked.ask()).await.unwrap_err();
        let sent = seen.lock().unwrap()[0].to_lowercase();
        assert!(sent.contains("x-scope-orgid: one\r\nx-scope-orgid: two"), "{} {sent}", source.kind());
        asked.headers = [("bad header".to_owned(), vec!["x".to_owned()])].into();
        let error = source.query(&asked.ask()).await.unwrap_err();
        assert!(error.to_string().starts_with("spec.provider.headers: \"bad header\""), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_answers_is_there() {
    for case in cases() {
        let (address, _) = server(Play::Say(200, "application/json", (case.answer)(&["1"]))).await;
        let asked = case.asked(&address);
        let ask: Ask<'_> = asked.ask();
        assert!((case.source)(TIMEOUT).ping(&ask).await.is_ok(), "{}", (case.source)(TIMEOUT).kind());
    }
}

#[tokio::test]
async fn x4_what_servers_say_is_not_repeated_where_it_may_not_be() {
    const MARKER: &str = "m4rker";
    let [quiet, loud] =
        [super::silent(TIMEOUT), http(TIMEOUT)].map(|http| Sources::new(&http, &super::nobody()));
    for case in cases() {
        let kind = (case.source)(TIMEOUT).kind();
        let told = format!("\"{MARKER}\"");
        let bodies =
            [(400, told.clone()), (500, told.clone()), (200, told.clone()), (200, (case.answer)(&[&told]))];
        for (status, body) in bodies {
            let (address, _) = server(Play::Say(status, "application/json", body.clone())).await;
            let asked = case.asked(&address);
            let Err(error) = quiet.of(kind).unwrap().query(&asked.ask()).await else { continue };
            assert!(!format!("{error} {error:?}").contains(MARKER), "{kind} {body}: {error}");
            // text that may be repeated is for Events: the text for status and logs is the same
            let loud = loud.of(kind).unwrap().query(&asked.ask()).await.unwrap_err();
            assert_eq!(loud.to_string(), error.to_string(), "{kind} {body}");
            assert!(status == 200 || loud.quoting().contains(MARKER), "{kind} {body}: {}", loud.quoting());
            assert!(loud.quoting().len() < 1200, "{kind} {body}");
        }
    }
}

#[tokio::test]
async fn f22_a_server_that_a_secret_was_sent_to_is_not_repeated_in_any_form() {
    let careful = Sources::new(&super::careful(TIMEOUT), &super::nobody());
    for case in cases() {
        let kind = (case.source)(TIMEOUT).kind();
        for status in [400, 403, 429, 500] {
            // an echo may contain user and password of the login in Base64
            let (address, _) = server(Play::Say(status, "text/plain", "bWU6czNjcmV0LXdvcmQ=".into())).await;
            let asked = case.asked(&address);
            let error = careful.of(kind).unwrap().query(&asked.ask()).await.unwrap_err();
            assert_eq!(error.quoting(), error.to_string(), "{kind} {status}");
        }
    }
}

#[tokio::test]
async fn f22_headers_and_arguments_may_be_secrets_and_certificates_are_none() {
    let careful = Sources::new(&super::careful(TIMEOUT), &super::nobody());
    let prometheus = careful.of("prometheus").unwrap();
    let said = async |change: fn(Asked) -> Asked| {
        let (address, _) = server(Play::Say(400, "text/plain", "parse error".into())).await;
        let asked = change(Asked::of(&address, "up"));
        prometheus.query(&asked.ask()).await.unwrap_err().quoting()
    };
    assert!(said(|asked| asked).await.ends_with("parse error"));
    let header = |asked| Asked { headers: [("X-Key".to_owned(), vec!["s3cret".to_owned()])].into(), ..asked };
    assert!(!said(header).await.contains("parse error"));
    let argument =
        |asked: Asked| Asked { credentials: Credentials::default().beside(vec!["s3cret".into()]), ..asked };
    assert!(!said(argument).await.contains("parse error"));
    let token = |asked: Asked| asked.with(&[("token", "s3cret-token")]);
    assert!(!said(token).await.contains("parse error"));
}

#[tokio::test]
async fn f20_headers_that_steer_the_connection_are_not_sent() {
    for case in cases() {
        let (address, seen) = server(Play::Say(500, "text/plain", String::new())).await;
        for name in ["Host", "content-length", "Transfer-Encoding", "Connection", "Proxy-Authorization"] {
            let mut asked = case.asked(&address);
            asked.headers = [(name.to_owned(), vec!["inner.test".to_owned()])].into();
            let source = (case.source)(TIMEOUT);
            let error = source.query(&asked.ask()).await.unwrap_err();
            assert_eq!(error.reason(), "TemplateUnusable", "{} {name}", source.kind());
            assert!(error.to_string().contains(name), "{error}");
        }
        // a token may have been requested from the same server
        assert!(!seen.lock().unwrap().iter().any(|sent| sent.contains("inner.test")));
    }
}
