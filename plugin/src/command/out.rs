//! Output: data goes to standard output, messages to standard error. A closed pipe is not a failure.

use std::io::{self, Write as _};

use serde::Serialize;

use super::values::Output;
use crate::{
    failure::Failure,
    screen::{Line, Term, render},
};

/// Standard output and error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    pub(super) term: Term,
    pub(super) terminal: bool,
    pub(super) quiet: bool,
}

/// Standard output is closed. The remaining output is dropped on purpose.
const GONE: u8 = 0;

impl Out {
    /// Prints a text unchanged.
    #[allow(clippy::unused_self, reason = "all printing goes through here")]
    pub(super) fn text(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::new(GONE, ""),
            _ => Failure::failed(format!("cannot write to standard output: {error}")),
        })
    }

    pub(super) fn lines(self, lines: &[Line]) -> Result<(), Failure> {
        self.text(&render(lines, &self.term))
    }

    /// Prints a message that accompanies the data.
    pub(super) fn say(self, text: &str) {
        if !self.quiet {
            // if standard error is closed, nobody can read the message
            writeln!(io::stderr(), "{}", crate::text::clean(text)).ok();
        }
    }

    /// Prints a value as JSON.
    pub(super) fn json<T: Serialize>(self, value: &T) -> Result<(), Failure> {
        self.data(value, Output::Json)
    }

    /// Prints data in one of the machine-readable formats.
    pub(super) fn data<T: Serialize>(self, value: &T, form: Output) -> Result<(), Failure> {
        let failed = |error: String| Failure::failed(format!("cannot write the view: {error}"));
        let text = match form {
            Output::Yaml => serde_saphyr::to_string(value).map_err(|error| failed(error.to_string()))?,
            _ => serde_json::to_string_pretty(value).map_err(|error| failed(error.to_string()))? + "\n",
        };
        self.text(&text)
    }
}
