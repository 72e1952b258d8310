//! Failures for users: the request, the answer, the remedy, and the exit code.

use kube::core::Status;
use serde_json::json;

/// Exit codes.
pub mod code {
    /// A run was rolled back, a request was refused, or the API server refused something.
    pub const FAILED: u8 = 1;
    /// The command line is invalid.
    pub const USAGE: u8 = 2;
    /// `--timeout` has passed.
    pub const TIMEOUT: u8 = 3;
    /// `--fail-on-gate`: the release waits for a person.
    pub const GATE: u8 = 4;
    /// The Canary, run or namespace does not exist.
    pub const NOT_FOUND: u8 = 5;
    /// Ctrl-C.
    pub const INTERRUPTED: u8 = 130;
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// The request, and the answer.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without a remedy of its own.
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// A failed operation.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(code::FAILED, message)
    }

    /// An invalid command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(code::USAGE, message)
    }

    /// Adds a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The text for standard error.
    pub fn text(&self) -> String {
        let hint = self.hint.as_ref().map(|hint| format!("\n  {hint}")).unwrap_or_default();
        format!("error: {}{hint}", self.message)
    }

    /// The text for standard error with `-o json`.
    pub fn json(&self) -> String {
        json!({"error": {"code": self.code, "message": self.message, "hint": self.hint}}).to_string()
    }
}

/// A request to the API server.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The verb as in RBAC rules, e.g. `list`.
    pub verb: &'static str,
    /// Plural and group, e.g. `canaries.flagger.app`.
    pub resource: &'a str,
    /// The namespace. None: all namespaces.
    pub namespace: Option<&'a str>,
    /// The name of the object.
    pub name: Option<&'a str>,
}

impl Asked<'_> {
    /// The right that the request needs.
    pub fn right(&self) -> String {
        let place =
            self.namespace.map_or_else(|| "in all namespaces".to_owned(), |n| format!("in namespace {n}"));
        format!("{} {} {place}", self.verb, self.resource)
    }

    /// Explains an error of kube.
    pub fn failure(&self, error: &kube::Error) -> Failure {
        match error {
            kube::Error::Api(status) => self.refused(status),
            kube::Error::Auth(error) => Failure::failed(format!("cannot log in: {error}"))
                .hint("look at the user of the context: \"kubectl config view --minify\""),
            other => Failure::failed(format!("cannot {}: {}", self.right(), chain(other)))
                .hint("is the API server of the context reachable? \"kubectl version\" asks the same one"),
        }
    }

    fn refused(&self, status: &Status) -> Failure {
        let name = self.name.map(|name| format!(" {name:?}")).unwrap_or_default();
        let said = &status.message;
        match status.code {
            401 => Failure::failed("the API server does not know who you are (401 Unauthorized)")
                .hint("log in again, or choose another --context or --user"),
            403 => Failure::failed(format!("may not {}{name}: {said}", self.verb))
                .hint(format!("missing right: {}", self.right())),
            404 if self.name.is_some() && !said.contains("could not find the requested resource") => {
                let place = self.namespace.map(|n| format!(" in namespace {n}")).unwrap_or_default();
                Failure::new(code::NOT_FOUND, format!("{}{name} not found{place}", self.resource))
            }
            404 => Failure::failed(format!("the cluster does not know {}", self.resource))
                .hint("its definition is missing: install Serin's definitions (kubectl apply -k crd), or look at --context"),
            409 => Failure::failed(format!("cannot {} {}{name}: it was changed at the same time: {said}", self.verb, self.resource))
                .hint("look at it again and repeat the command"),
            _ => Failure::failed(format!("cannot {} {}{name}: {said}", self.verb, self.resource)),
        }
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked<'static> {
        Asked { verb: "get", resource: "canaries.flagger.app", namespace: Some("shop"), name: Some("app") }
    }

    fn answer(code: u16, message: &str) -> Failure {
        let status = Status { code, message: message.into(), ..Status::default() };
        asked().failure(&kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn a_missing_right_is_named() {
        let failure = answer(403, "User \"ann\" cannot get resource \"canaries\"");
        assert_eq!(failure.code, 1);
        assert_eq!(
            failure.text(),
            "error: may not get \"app\": User \"ann\" cannot get resource \"canaries\"\n  \
             missing right: get canaries.flagger.app in namespace shop"
        );
    }

    #[test]
    fn exit_code_5_what_is_not_there() {
        let failure = answer(404, "canaries.flagger.app \"app\" not found");
        assert_eq!(
            (failure.code, failure.message.as_str()),
            (5, "canaries.flagger.app \"app\" not found in namespace shop")
        );
        let unknown = answer(404, "the server could not find the requested resource");
        assert_eq!(unknown.code, 1);
        assert!(unknown.text().contains("definition is missing"), "{}", unknown.text());
    }

    #[test]
    fn other_answers_say_what_to_do() {
        assert!(answer(401, "Unauthorized").text().contains("log in again"));
        assert!(answer(409, "conflict").text().contains("repeat the command"));
        let json: serde_json::Value = serde_json::from_str(&answer(500, "boom").json()).unwrap();
        assert_eq!(json["error"]["code"], 1);
    }
}
