//! Whether a pass goes on after one of its parts.

use std::ops::ControlFlow;

/// Why a pass goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Stop {
    /// Something has to happen first: time has to pass, pods have to become ready, an answer has to come.
    Wait,
    /// Something is written that has to be seen before the rest is decided.
    WriteFirst,
    /// The pass has decided what it was to decide.
    Handled,
}

impl Stop {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wait => "waiting",
            Self::WriteFirst => "writing first",
            Self::Handled => "handled",
        }
    }
}

/// Goes on, or stops; `?` passes a stop on.
pub(crate) type Flow = ControlFlow<Stop>;

pub(crate) const GO_ON: Flow = ControlFlow::Continue(());
pub(crate) const WAIT: Flow = ControlFlow::Break(Stop::Wait);
pub(crate) const WRITE_FIRST: Flow = ControlFlow::Break(Stop::WriteFirst);
pub(crate) const HANDLED: Flow = ControlFlow::Break(Stop::Handled);

/// Goes on if all of these parts do; they have all been carried out, whatever the others came to.
pub(crate) fn all<const N: usize>(parts: [Flow; N]) -> Flow {
    parts.into_iter().find(Flow::is_break).unwrap_or(GO_ON)
}

/// Goes on if the condition holds, and waits otherwise.
pub(crate) fn wait_unless(holds: bool) -> Flow {
    if holds { GO_ON } else { WAIT }
}

/// The pass is over once this part has been carried out, whatever it came to: the next pass finds what is left of it.
pub(crate) fn handled_after(_part: Flow) -> Flow {
    HANDLED
}

/// The part has been carried out; what it came to matters to nothing that follows.
pub(crate) fn ignore(_part: Flow) {}
