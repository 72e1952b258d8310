//! PURE. One message of a stream of server-sent events.

use axum::response::sse::Event;
use serde_json::json;

use crate::failure::Failure;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) event: &'static str,
    pub(super) id: Option<String>,
    /// JSON in one line.
    pub(super) data: String,
}

impl Message {
    pub(super) fn new(event: &'static str, data: String) -> Self {
        Self { event, id: None, data }
    }

    /// Whether what came before is all there is, and what keeps it from being up to date.
    pub(super) fn state(trouble: Option<&Failure>, complete: bool) -> Self {
        let trouble = trouble.map(|failure| json!({"message": failure.message, "hint": failure.hint}));
        Self::new("state", json!({"complete": complete, "trouble": trouble}).to_string())
    }

    /// Whoever names this id when they come back gets what came after this message.
    #[must_use]
    pub(super) fn id(mut self, id: String) -> Self {
        self.id = Some(id);
        self
    }

    pub(super) fn event(self) -> Event {
        let event = Event::default().event(self.event).data(self.data);
        match self.id {
            Some(id) => event.id(id),
            None => event,
        }
    }
}

/// What keeps a watch from being up to date, in words.
pub(super) fn unreachable(why: &str) -> Failure {
    Failure::failed(format!("the API server does not answer: {why}"))
        .hint("it is asked again; what is shown is as it was")
}
