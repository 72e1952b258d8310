//! Whether a pass continues after one of its parts.

use std::ops::ControlFlow;

/// Why a pass stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Stop {
    /// Something has to happen first: time has to pass, pods have to become ready, an answer has to arrive.
    Wait,
    /// A write has to be seen before the rest is decided.
    WriteFirst,
    /// The pass has made its decision.
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

/// Continues, or stops; `?` passes a stop on.
pub(crate) type Flow = ControlFlow<Stop>;

pub(crate) const GO_ON: Flow = ControlFlow::Continue(());
pub(crate) const WAIT: Flow = ControlFlow::Break(Stop::Wait);
pub(crate) const WRITE_FIRST: Flow = ControlFlow::Break(Stop::WriteFirst);
pub(crate) const HANDLED: Flow = ControlFlow::Break(Stop::Handled);

/// Continues if all of these parts do; all of them have been carried out in any case.
pub(crate) fn all<const N: usize>(parts: [Flow; N]) -> Flow {
    parts.into_iter().find(Flow::is_break).unwrap_or(GO_ON)
}

/// Continues if the condition holds, and waits otherwise.
pub(crate) fn wait_unless(holds: bool) -> Flow {
    if holds { GO_ON } else { WAIT }
}

/// The pass ends after this part, whatever its result: the next pass continues from there.
pub(crate) fn handled_after(_part: Flow) -> Flow {
    HANDLED
}

/// The part has been carried out; nothing afterwards depends on its result.
pub(crate) fn ignore(_part: Flow) {}
