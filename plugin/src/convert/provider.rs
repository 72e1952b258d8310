//! The provider of a metric: converts a provider of an AnalysisTemplate to the spec of a MetricTemplate.

use serde_json::{Map, Value, json};

use super::{
    arguments::{Arguments, query},
    notes::Notes,
};

/// How to query a metric.
#[derive(Default)]
pub(super) struct Asked {
    /// The spec of a MetricTemplate. None: `query` goes to the operator's own Prometheus.
    pub(super) template: Option<Value>,
    pub(super) query: String,
    /// The window of the query.
    pub(super) window: Option<String>,
    pub(super) job: bool,
    /// Arguments in the query.
    pub(super) used: Vec<String>,
}

/// Reads texts with arguments, and knows their path.
struct Reader<'r, 'a> {
    args: &'r Arguments<'a>,
    at: String,
    used: Vec<String>,
}

impl Reader<'_, '_> {
    fn text(&mut self, value: &Value) -> String {
        query(value.as_str().unwrap_or_default(), &mut self.used)
    }

    /// Fills in the arguments of a field that is not a template in Serin.
    fn plain(&self, value: &Value, field: &str, notes: &mut Notes) -> Option<String> {
        let text = value.as_str().filter(|text| !text.is_empty())?;
        let filled = self.args.filled(text);
        if filled.is_none() {
            notes.refuse(
                format!("{}.{field}", self.at),
                format!("{text:?} has an argument whose value is not known here: write the value"),
            );
        }
        filled
    }

    fn headers(&self, list: &Value, notes: &mut Notes) -> Option<Value> {
        let mut all: Map<String, Value> = Map::new();
        for header in list.as_array().into_iter().flatten() {
            let key = header["key"].as_str().unwrap_or_default();
            let value = self.plain(&header["value"], "headers", notes)?;
            let values = all.entry(key).or_insert_with(|| json!([]));
            values.as_array_mut()?.push(json!(value));
        }
        (!all.is_empty()).then_some(Value::Object(all))
    }

    /// The fields that most providers share.
    fn spec(&self, type_: &str, provider: &Value, address: &str, notes: &mut Notes) -> Value {
        let mut spec = json!({"type": type_});
        if let Some(address) = self.plain(&provider[address], address, notes) {
            spec["address"] = json!(address);
        }
        if let Some(headers) = self.headers(&provider["headers"], notes) {
            spec["headers"] = headers;
        }
        if provider["insecure"] == true {
            spec["insecureSkipVerify"] = json!(true);
        }
        spec
    }
}

/// Converts a provider. `at` is its path. Refusals have been reported.
pub(super) fn convert(metric: &Value, at: &str, args: &Arguments<'_>, notes: &mut Notes) -> Option<Asked> {
    let (name, provider) = metric["provider"].as_object()?.iter().next()?;
    let at = format!("{at}.provider.{name}");
    let mut reader = Reader { args, at: at.clone(), used: vec![] };
    let mut asked = Asked::default();
    match name.as_str() {
        "prometheus" => {
            asked.query = reader.text(&provider["query"]);
            let spec = reader.spec("prometheus", provider, "address", notes);
            if spec["address"].is_null() {
                notes.differs(format!("{at}.address"), "without an address the Prometheus of the Canary, or the operator's --metrics-server, is asked");
            } else {
                asked.template = Some(json!({"provider": spec, "query": asked.query}));
            }
        }
        "graphite" => {
            asked.query = reader.text(&provider["query"]);
            let query = if asked.query.contains("target=") {
                asked.query.clone()
            } else {
                format!("target={}", asked.query)
            };
            let spec = reader.spec("graphite", provider, "address", notes);
            asked.template = Some(json!({"provider": spec, "query": query}));
        }
        "influxdb" => secret_of(&mut asked, "influxdb", &mut reader, provider, "influxdb", notes),
        "newRelic" => secret_of(&mut asked, "newrelic", &mut reader, provider, "newrelic", notes),
        "datadog" => datadog(&mut asked, &mut reader, provider, &at, notes),
        "cloudWatch" => cloudwatch(&mut asked, &mut reader, provider, &at, notes),
        "web" => web(&mut asked, &mut reader, provider, &at, notes)?,
        "job" => job(&mut asked, &mut reader, provider),
        // the table reports these as refused
        _ => return None,
    }
    asked.used = reader.used;
    Some(asked)
}

/// Providers with a profile for address and login: a Secret of Argo Rollouts' controller.
fn secret_of(
    asked: &mut Asked,
    type_: &str,
    reader: &mut Reader<'_, '_>,
    provider: &Value,
    usual: &str,
    notes: &mut Notes,
) {
    let secret = reader.plain(&provider["profile"], "profile", notes).unwrap_or_else(|| usual.into());
    let mut spec = json!({"type": type_, "secretRef": {"name": secret}});
    if type_ == "influxdb" {
        spec["address"] = json!("http://influxdb:8086");
        notes.differs(format!("{}.profile", reader.at), format!("the address stands in the MetricTemplate: correct it, and put token and org into the Secret {secret} beside it"));
    } else {
        notes.differs(format!("{}.profile", reader.at), format!("put newrelic_account_id and newrelic_query_key into the Secret {secret} beside the MetricTemplate; SINCE is put behind the query"));
    }
    asked.query = reader.text(&provider["query"]);
    asked.template = Some(json!({"provider": spec, "query": asked.query}));
}

fn datadog(asked: &mut Asked, reader: &mut Reader<'_, '_>, provider: &Value, at: &str, notes: &mut Notes) {
    if provider["apiVersion"] == "v2" {
        notes.differs(format!("{at}.apiVersion"), "version 1 of the API is asked");
    }
    let secret = provider["secretRef"]["name"].as_str().unwrap_or("datadog");
    notes.differs(format!("{at}.secretRef"), format!("put datadog_api_key and datadog_application_key into the Secret {secret} beside the MetricTemplate"));
    asked.window = reader.plain(&provider["interval"], "interval", notes);
    asked.query = reader.text(&provider["query"]);
    let spec = json!({"type": "datadog", "secretRef": {"name": secret}});
    asked.template = Some(json!({"provider": spec, "query": asked.query}));
}

fn cloudwatch(asked: &mut Asked, reader: &mut Reader<'_, '_>, provider: &Value, at: &str, notes: &mut Notes) {
    asked.window = reader.plain(&provider["interval"], "interval", notes);
    let queries = upper(&provider["metricDataQueries"]);
    let text = serde_json::to_string_pretty(&queries).unwrap_or_default();
    asked.query = reader.text(&json!(text));
    notes.differs(at, "the region stands in the MetricTemplate: correct spec.provider.region");
    let spec = json!({"type": "cloudwatch", "region": "us-east-1"});
    asked.template = Some(json!({"provider": spec, "query": asked.query}));
}

/// The keys as in the API itself: `metricStat` becomes `MetricStat`. Periods are numbers.
fn upper(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(upper).collect(),
        Value::Object(fields) => {
            let one = |(name, value): (&String, &Value)| {
                let mut letters = name.chars();
                let first = letters.next().map(|c| c.to_ascii_uppercase());
                let number =
                    value.as_str().filter(|_| name == "period").and_then(|text| text.parse::<i64>().ok());
                let value = number.map_or_else(|| upper(value), |number| json!(number));
                (first.into_iter().chain(letters).collect::<String>(), value)
            };
            Value::Object(fields.iter().map(one).collect())
        }
        other => other.clone(),
    }
}

fn web(
    asked: &mut Asked,
    reader: &mut Reader<'_, '_>,
    provider: &Value,
    at: &str,
    notes: &mut Notes,
) -> Option<()> {
    if let Some(method) = provider["method"].as_str().filter(|method| !method.eq_ignore_ascii_case("GET")) {
        notes.refuse(format!("{at}.method"), format!("{method}: questions are asked by GET"));
        return None;
    }
    let url = provider["url"].as_str().unwrap_or_default();
    // the host is not a template, but the rest of the URL is
    let host = url
        .find("://")
        .and_then(|from| url[from + 3..].find('/').map(|to| from + 3 + to))
        .unwrap_or(url.len());
    let address = reader.plain(&json!(url[..host]), "url", notes)?;
    let mut spec = reader.spec("web", provider, "", notes);
    spec["address"] = json!(address);
    if let Some(path) = reader.plain(&provider["jsonPath"], "jsonPath", notes) {
        spec["jsonPath"] = json!(path);
    }
    let rest = if host < url.len() { &url[host..] } else { "/" };
    asked.query = reader.text(&json!(rest));
    asked.template = Some(json!({"provider": spec, "query": asked.query}));
    Some(())
}

fn job(asked: &mut Asked, reader: &mut Reader<'_, '_>, provider: &Value) {
    asked.job = true;
    let mut job = json!({"spec": texts(&provider["spec"], reader)});
    if provider["metadata"].is_object() {
        job["metadata"] = texts(&provider["metadata"], reader);
    }
    asked.template = Some(json!({"provider": {"type": "job"}, "job": job}));
}

/// Converts all texts in a value, with their arguments.
fn texts(value: &Value, reader: &mut Reader<'_, '_>) -> Value {
    match value {
        Value::String(_) => json!(reader.text(value)),
        Value::Array(items) => items.iter().map(|item| texts(item, reader)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), texts(value, reader))).collect())
        }
        other => other.clone(),
    }
}
