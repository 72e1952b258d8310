//! CloudWatch and Google Cloud Monitoring: recorded forms of documented answers, and the identity of the queries.

use std::io;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::{FutureExt, future::BoxFuture};
use ring::{
    rsa,
    signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Asked, Play, http, server};
use crate::{
    net::{Lookup, Outbound, OutboundPolicy},
    source::{
        MetricSource, SourceError,
        cloudwatch::CloudWatch,
        http::TIMEOUT,
        stackdriver::{self, Stackdriver},
    },
};

pub(super) const KEYS: &[(&str, &str)] =
    &[("aws_access_key_id", "AKIDEXAMPLE"), ("aws_secret_access_key", "s3cret-key")];
const QUERY: &str = r#"[{"Id": "e1", "Expression": "m1 / m2", "Label": "ErrorRate"}]"#;
const PEM: &str = include_str!("account.pem");

/// No service issues an identity here.
pub(super) fn nobody() -> Outbound {
    struct Nowhere;
    impl Lookup for Nowhere {
        fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<std::net::IpAddr>>> {
            async { Err(io::Error::other("no such name")) }.boxed()
        }
    }
    Outbound::with_lookup(OutboundPolicy::default(), None, false, std::sync::Arc::new(Nowhere))
}

async fn watched(status: u16, body: &str) -> (Result<Vec<f64>, SourceError>, String) {
    let (address, seen) = server(Play::Say(status, "application/x-amz-json-1.0", body.to_owned())).await;
    let asked = Asked { region: Some("eu-west-1".into()), ..Asked::of(&address, QUERY).with(KEYS) };
    let said = CloudWatch::new(http(TIMEOUT), nobody()).query(&asked.ask()).await;
    let request = seen.lock().unwrap()[0].clone();
    (said, request)
}

#[tokio::test]
async fn cloudwatch_gives_the_newest_value_of_each_result() {
    let body = r#"{"MetricDataResults":[{"Id":"e1","Label":"ErrorRate","StatusCode":"Complete","Timestamps":[2,1],
        "Values":[0.5,9]},{"Id":"e2","StatusCode":"PartialData","Timestamps":[1],"Values":["NaN"]},
        {"Id":"e3","StatusCode":"Complete","Timestamps":[],"Values":[]}],"Messages":[]}"#;
    let (said, request) = watched(200, body).await;
    let found = said.unwrap();
    assert_eq!(found.len(), 3);
    assert!((found[0] - 0.5).abs() < f64::EPSILON && found[1].is_nan() && found[2].is_nan());
    assert!(watched(200, r#"{"MetricDataResults":[]}"#).await.0.unwrap().is_empty());

    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {head}")).to_owned()
    };
    assert!(head.starts_with("POST / HTTP/1.1"), "{head}");
    assert_eq!(header("x-amz-target"), "GraniteServiceVersion20100801.GetMetricData");
    assert_eq!(header("content-type"), "application/x-amz-json-1.0");
    let hash = format!("{:x}", Sha256::digest(sent));
    assert_eq!(header("x-amz-content-sha256"), hash);
    let signed = header("authorization");
    let day = &header("x-amz-date")[..8];
    let whose = format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{day}/eu-west-1/monitoring/aws4_request,");
    assert!(signed.starts_with(&whose), "{signed}");
    for name in ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-target"] {
        assert!(signed.contains(name), "{name} is not among {signed}");
    }
    let sent: Value = serde_json::from_str(sent).unwrap();
    assert_eq!(sent["MetricDataQueries"][0]["Expression"], "m1 / m2");
    assert_eq!(sent["MaxDatapoints"], 5000);
    assert_eq!(sent["EndTime"].as_i64().unwrap() - sent["StartTime"].as_i64().unwrap(), 600);
    assert!(!head.contains("s3cret"));
}

#[tokio::test]
async fn v3_half_an_answer_of_a_cloud_is_no_whole_one() {
    let result =
        r#"{"MetricDataResults":[{"Id":"e","StatusCode":"PartialData","Timestamps":[],"Values":[]}]}"#;
    let error = watched(200, result).await.0.unwrap_err();
    assert_eq!(error.reason(), "AnswerUndecodable");
    let series = r#""timeSeriesData":[{"pointData":[{"values":[{"doubleValue":0.5}]}]}]"#;
    let read = |more: &str| google(&format!("{{{series}{more}}}"));
    assert_eq!(read("").unwrap(), [0.5]);
    for (half, said) in [
        (r#","partialErrors":[{"code":4,"message":"a store did not answer"}]"#, "a store did not answer"),
        (r#","nextPageToken":"x""#, "the answer has further pages: aggregate the query to fewer series"),
    ] {
        let error = read(half).unwrap_err();
        assert_eq!(error.reason(), "AnswerWarned", "{half}");
        assert!(error.quoting().contains(said), "{}", error.quoting());
    }
    let whole = r#"{"MetricDataResults":[{"Id":"e","StatusCode":"Complete","Values":[1]}]"#;
    for (half, said) in [
        (
            r#","Messages":[{"Code":"MaxMetricsExceeded","Value":"The maximum number of metrics is exceeded"}]}"#,
            "The maximum number of metrics is exceeded",
        ),
        (r#","NextToken":"x"}"#, "the answer has further pages: aggregate the query to fewer series"),
    ] {
        let error = watched(200, &format!("{whole}{half}")).await.0.unwrap_err();
        assert_eq!(error.reason(), "AnswerWarned", "{half}");
        assert!(error.quoting().contains(said), "{}", error.quoting());
    }
    assert_eq!(watched(200, &format!(r#"{whole},"NextToken":"","Messages":null}}"#)).await.0.unwrap(), [1.0]);
}

fn google(body: &str) -> Result<Vec<f64>, SourceError> {
    let all = stackdriver::decode(&http(TIMEOUT).reply("Google Cloud", 200, body.into()))?;
    Ok(all.iter().map(|sample| sample.value).collect())
}

#[test]
fn l6_what_google_writes_as_a_text_is_a_value() {
    let of = |value: &str| {
        google(&format!(
            r#"{{"timeSeriesData":[{{"pointData":[{{"values":[{{"doubleValue":{value}}}]}}]}}]}}"#
        ))
    };
    assert_eq!(of("\"Infinity\"").unwrap(), [f64::INFINITY]);
    assert_eq!(of("\"-Infinity\"").unwrap(), [f64::NEG_INFINITY]);
    assert!(of("\"NaN\"").unwrap()[0].is_nan());
    assert_eq!(of("0.5").unwrap(), [0.5]);
    assert_eq!(of("\"x\"").unwrap_err().reason(), "AnswerUndecodable");
}

#[tokio::test]
async fn cloudwatch_tells_a_wrong_query_from_a_wrong_name() {
    let error = |kind: &str| format!(r#"{{"__type":"com.amazonaws.cloudwatch#{kind}","message":"why"}}"#);
    let wrong = watched(400, &error("InvalidParameterValueException")).await.0.unwrap_err();
    assert_eq!(wrong.reason(), "QueryRejected");
    assert!(wrong.quoting().ends_with("InvalidParameterValueException: why"), "{wrong}");
    for kind in ["ExpiredTokenException", "UnrecognizedClientException", "AccessDeniedException"] {
        assert_eq!(watched(400, &error(kind)).await.0.unwrap_err().reason(), "SourceUnavailable", "{kind}");
    }
    let throttled = watched(400, &error("ThrottlingException")).await.0.unwrap_err();
    assert_eq!(throttled.reason(), "SourceRateLimited");
    assert_eq!(watched(500, "").await.0.unwrap_err().reason(), "SourceUnavailable");
    let broken = r#"{"MetricDataResults":[{"Id":"a","StatusCode":"InternalError","Values":[1]}]}"#;
    assert_eq!(watched(200, broken).await.0.unwrap_err().reason(), "AnswerUndecodable");
    for (status, kind, there) in
        [(400, "InvalidParameterValueException", true), (400, "AccessDeniedException", false)]
    {
        let (address, _) = server(Play::Say(status, "application/json", error(kind))).await;
        let asked = Asked { region: Some("eu-west-1".into()), ..Asked::of(&address, "").with(KEYS) };
        assert_eq!(
            CloudWatch::new(http(TIMEOUT), nobody()).ping(&asked.ask()).await.is_ok(),
            there,
            "{kind}"
        );
    }
}

#[tokio::test]
async fn cloudwatch_signs_in_the_operators_name_for_amazon_alone() {
    let source = CloudWatch::new(http(TIMEOUT), nobody());
    let mut asked = Asked { region: Some("eu-west-1".into()), ..Asked::of("http://127.0.0.1:1", QUERY) };
    let error = source.query(&asked.ask()).await.unwrap_err();
    assert!(error.to_string().contains("without a spec.provider.secretRef"), "{error}");
    for region in ["", "evil.test/#", "eu west", "EU"] {
        asked.region = Some(region.into());
        let error = source.query(&asked.ask()).await.unwrap_err();
        assert!(error.to_string().starts_with("spec.provider.region is "), "{region}: {error}");
    }
    asked = Asked { region: Some("eu-west-1".into()), ..Asked::of("http://127.0.0.1:1", "{}").with(KEYS) };
    assert_eq!(source.query(&asked.ask()).await.unwrap_err().reason(), "TemplateUnusable");
    asked = Asked { query: QUERY.into(), ..asked }.with(&[("aws_access_key_id", "x")]);
    let error = source.query(&asked.ask()).await.unwrap_err();
    assert!(error.to_string().contains("key aws_secret_access_key"), "{error}");
}

fn account(tokens: &str) -> String {
    let account = json!({
        "type": "service_account", "client_email": "me@p.iam.test", "private_key": PEM, "token_uri": tokens,
    });
    account.to_string()
}

async fn tokens(status: u16) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let body = match status {
        200 => r#"{"access_token":"s3cret-token","expires_in":3600,"token_type":"Bearer"}"#,
        _ => r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
    };
    server(Play::Say(status, "application/json", body.into())).await
}

#[tokio::test]
async fn stackdriver_gives_the_newest_value_of_each_series() {
    let body = r#"{"timeSeriesDescriptor":{},"timeSeriesData":[
        {"labelValues":[],"pointData":[{"values":[{"doubleValue":1.5}],"timeInterval":{}},{"values":[{"doubleValue":9}]}]},
        {"pointData":[{"values":[{"int64Value":"7"}]}]},{"pointData":[]}]}"#;
    let (address, seen) = server(Play::Say(200, "application/json", body.into())).await;
    let (given, asked_for) = tokens(200).await;
    let key = account(&given);
    let source = Stackdriver::new(http(TIMEOUT), nobody());
    let asked = Asked::of(&address, "fetch x").with(&[("project", "shop"), ("serviceAccountKey", &key)]);
    for _ in 0..2 {
        let found = source.query(&asked.ask()).await.unwrap();
        assert_eq!(&found[..2], [1.5, 7.0]);
        assert!(found.len() == 3 && found[2].is_nan());
    }
    let request = seen.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /v3/projects/shop/timeSeries:query HTTP/1.1"), "{request}");
    assert!(request.contains("authorization: Bearer s3cret-token"), "{request}");
    assert!(request.ends_with(r#"{"query":"fetch x"}"#), "{request}");

    let asked_for = asked_for.lock().unwrap();
    assert_eq!(asked_for.len(), 1, "a token is kept");
    let form = asked_for[0].rsplit("\r\n\r\n").next().unwrap();
    let form: std::collections::BTreeMap<_, _> =
        reqwest::Url::parse(&format!("http://x/?{form}")).unwrap().query_pairs().into_owned().collect();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (said, signature) = form["assertion"].rsplit_once('.').unwrap();
    let key = PrivatePkcs8KeyDer::from_pem_slice(PEM.as_bytes()).unwrap();
    let key = rsa::KeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().as_ref());
    public.verify(said.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(said.split_once('.').unwrap().1).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("me@p.iam.test"), &json!(given)));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
}

#[tokio::test]
async fn stackdriver_tells_what_is_wrong() {
    let source = Stackdriver::new(http(TIMEOUT), nobody());
    let (given, _) = tokens(200).await;
    let key = account(&given);
    let secret = [("project", "shop"), ("serviceAccountKey", key.as_str())];
    let said = |status, body: &str| {
        let (body, source) = (body.to_owned(), source.clone());
        async move {
            let (address, _) = server(Play::Say(status, "application/json", body)).await;
            let asked = Asked::of(&address, "q").with(&secret);
            (source.query(&asked.ask()).await, source.ping(&asked.ask()).await.is_ok())
        }
    };
    assert!(said(200, "{}").await.0.unwrap().is_empty());
    let wrong = r#"{"error":{"code":400,"message":"bad MQL","status":"INVALID_ARGUMENT"}}"#;
    let (error, there) = said(400, wrong).await;
    assert!(there && error.unwrap_err().quoting().ends_with("with status 400: bad MQL"));
    let (error, there) = said(403, wrong).await;
    assert!(!there && error.unwrap_err().reason() == "SourceUnavailable");
    let odd = said(200, r#"{"timeSeriesData":[{"pointData":[{"values":[{"stringValue":"1"}]}]}]}"#).await.0;
    assert_eq!(odd.unwrap_err().reason(), "AnswerUndecodable");

    let (denied, _) = tokens(401).await;
    let key = account(&denied);
    for (secret, words) in [
        (vec![("serviceAccountKey", key.as_str())], "has no key project"),
        (vec![("project", "a/b"), ("serviceAccountKey", &key)], "key project that is the id of one"),
        (vec![("project", "a"), ("serviceAccountKey", "{}")], "usable key of a service account"),
        (vec![("project", "a"), ("serviceAccountKey", &key)], "answered with status 401"),
        (vec![("project", "a")], "spec.provider.address is given without"),
    ] {
        let asked = Asked::of("http://127.0.0.1:1", "q").with(&secret);
        let error = source.query(&asked.ask()).await.unwrap_err();
        let shown = asked.credentials.redact(&error.to_string());
        assert!(shown.contains(words), "{shown}");
        assert!(!shown.contains("PRIVATE KEY"), "{shown}");
    }
    let nothing = Asked::of("", "q");
    let error = source.query(&nothing.ask()).await.unwrap_err();
    assert_eq!(error.reason(), "CloudIdentity");
    assert!(error.to_string().starts_with("no credentials for Google Cloud: "), "{error}");
}

#[tokio::test]
async fn f13_the_operators_identity_is_lent_to_named_namespaces_only() {
    let asked = Asked { region: Some("eu-west-1".into()), ..Asked::of("", QUERY) };
    let sources: [Box<dyn MetricSource>; 2] = [
        Box::new(CloudWatch::new(http(TIMEOUT), nobody())),
        Box::new(Stackdriver::new(http(TIMEOUT), nobody())),
    ];
    for source in sources {
        let ask = crate::source::Ask { as_operator: false, ..asked.ask() };
        let error = source.query(&ask).await.unwrap_err();
        assert_eq!(error.reason(), "CloudIdentity", "{}", source.kind());
        let said = error.to_string();
        assert!(said.contains("namespace test") && said.contains("--cloud-identity-namespaces"), "{said}");
    }
    // with only a project in the Secret, Google is queried as the operator
    let project = Asked::of("", "q").with(&[("project", "shop")]);
    let ask = crate::source::Ask { as_operator: false, ..project.ask() };
    let error = Stackdriver::new(http(TIMEOUT), nobody()).query(&ask).await.unwrap_err();
    assert!(error.to_string().contains("--cloud-identity-namespaces"), "{error}");
}
