//! The API server's audit log as data: the user, the request, the time and the answer.
//!
//! A request is logged before its answer is sent, so anyone who has seen its effect finds it here.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
    fs,
};

use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{Bed, User};

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: String,
    /// API group. Empty for the core group. Also set for discovery requests, which have no resource.
    pub group: String,
    /// Plural name, with the subresource: `canaries/status`.
    pub resource: String,
    /// Empty for requests about all namespaces.
    pub namespace: String,
    /// Empty if the request is not about a single object.
    pub name: String,
    /// HTTP status of the answer.
    pub code: u16,
    /// When it arrived.
    pub began: Timestamp,
    /// When it was answered. For a watch, when the answer began.
    pub ended: Timestamp,
}

impl Request {
    /// A watch, whether new or reopened after its timeout.
    pub fn is_watch(&self) -> bool {
        self.verb == "watch"
    }

    /// `patch canaries/status`
    pub fn kind(&self) -> String {
        format!("{} {}", self.verb, self.resource)
    }
}

/// `2026-12-01T03:00:00.123Z 409 patch deployments/scale app (7 ms)`
impl Display for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let took = self.ended.duration_since(self.began).as_millis();
        write!(f, "{:.3} {} {} {} ({took} ms)", self.began, self.code, self.kind(), self.name)
    }
}

/// Requests, oldest first.
#[derive(Debug, Clone)]
pub struct Audit(Vec<Request>);

/// A line for each request.
impl Display for Audit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|request| writeln!(f, "{request}"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    stage: String,
    verb: String,
    user: Account,
    #[serde(default, rename = "requestURI")]
    request_uri: String,
    #[serde(default)]
    object_ref: Object,
    response_status: Option<Answer>,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct Account {
    username: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Object {
    resource: String,
    subresource: String,
    api_group: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    code: u16,
}

impl Audit {
    /// All requests of `user` so far.
    ///
    /// # Errors
    /// The log cannot be read, or is not in the API server's format.
    pub fn of(bed: &Bed, user: User) -> anyhow::Result<Self> {
        let text = fs::read_to_string(bed.audit_log()).context("reading the audit log")?;
        Self::parse(&text, user.name())
    }

    fn parse(text: &str, user: &str) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        // the last line may be incomplete
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n') && line.contains(user)) {
            let line: Line =
                serde_json::from_str(line).with_context(|| format!("in the audit log: {line}"))?;
            let stage = if line.verb == "watch" { "ResponseStarted" } else { "ResponseComplete" };
            if line.user.username == user && line.stage == stage {
                all.push(request(line));
            }
        }
        all.sort_by_key(|request| request.began);
        Ok(Self(all))
    }

    /// The requests that `keep` selects.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&Request) -> bool) -> Self {
        Self(self.0.iter().filter(|request| keep(request)).cloned().collect())
    }

    /// The requests that arrived from `from` until before `to`.
    #[must_use]
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Self {
        self.only(|request| (from..to).contains(&request.began))
    }

    /// The requests about objects of one namespace.
    #[must_use]
    pub fn within(&self, namespace: &str) -> Self {
        self.only(|request| request.namespace == namespace)
    }

    /// The requests that are not watches.
    #[must_use]
    pub fn beyond_watches(&self) -> Self {
        self.only(|request| !request.is_watch())
    }

    /// All requests.
    pub fn requests(&self) -> &[Request] {
        &self.0
    }

    /// The number of requests.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The number of requests per verb and resource, e.g. `patch canaries/status`.
    pub fn by_kind(&self) -> BTreeMap<String, usize> {
        let mut kinds = BTreeMap::new();
        for request in &self.0 {
            *kinds.entry(request.kind()).or_default() += 1;
        }
        kinds
    }
}

fn request(line: Line) -> Request {
    let object = line.object_ref;
    let discovered = || line.request_uri.strip_prefix("/apis/")?.split(['/', '?']).next();
    let group = if object.resource.is_empty() { discovered().unwrap_or_default() } else { &object.api_group };
    let group = group.to_owned();
    let resource = if object.subresource.is_empty() {
        object.resource
    } else {
        format!("{}/{}", object.resource, object.subresource)
    };
    Request {
        verb: line.verb,
        group,
        resource,
        namespace: object.namespace,
        name: object.name,
        code: line.response_status.map_or(0, |answer| answer.code),
        began: line.request_received_timestamp,
        ended: line.stage_timestamp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(user: &str, stage: &str, verb: &str, object: &str) -> String {
        format!(
            r#"{{"stage":"{stage}","verb":"{verb}","user":{{"username":"{user}"}},{object}"responseStatus":{{"code":200}},"requestReceivedTimestamp":"2026-01-02T03:04:05.000001Z","stageTimestamp":"2026-01-02T03:04:06Z"}}"#
        ) + "\n"
    }

    #[test]
    fn each_request_counts_once() {
        let status = r#""objectRef":{"resource":"canaries","subresource":"status","apiGroup":"flagger.app","namespace":"a","name":"x"},"#;
        let text = [
            line("serin", "ResponseStarted", "watch", ""),
            line("serin", "ResponseComplete", "watch", ""),
            line("serin", "ResponseComplete", "patch", status),
            line("admin", "ResponseComplete", "patch", status)
                .replace("\"code\"", "\"by\":\"serin\",\"code\""),
            r#"{"stage":"ResponseComplete","user":{"username":"serin"#.to_owned(),
        ]
        .concat();
        let audit = Audit::parse(&text, "serin").unwrap();
        assert_eq!(audit.count(), 2);
        assert_eq!(
            audit.beyond_watches().by_kind(),
            BTreeMap::from([("patch canaries/status".to_owned(), 1)])
        );
        assert_eq!(audit.within("a").count(), 1);

        let uri = r#""requestURI":"/apis/external.metrics.k8s.io/v1beta1","#;
        let audit = Audit::parse(&line("serin", "ResponseComplete", "get", uri), "serin").unwrap();
        assert_eq!(audit.requests()[0].group, "external.metrics.k8s.io");
    }
}
