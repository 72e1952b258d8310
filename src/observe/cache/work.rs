//! What looking for objects costs, counted in tests: it must not depend on how many others there are.

#[cfg(test)]
use std::cell::Cell;

/// Objects that were parsed, and entries that were looked at.
#[cfg(test)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) parsed: u64,
    pub(crate) visited: u64,
}

#[cfg(test)]
thread_local! {
    static DONE: Cell<Work> = const { Cell::new(Work { parsed: 0, visited: 0 }) };
}

/// An object is parsed.
pub(super) fn parsed() {
    #[cfg(test)]
    DONE.with(|done| done.set(Work { parsed: done.get().parsed + 1, ..done.get() }));
}

/// An entry is looked at.
pub(super) fn visited() {
    #[cfg(test)]
    DONE.with(|done| done.set(Work { visited: done.get().visited + 1, ..done.get() }));
}

/// What this takes.
#[cfg(test)]
pub(crate) fn of<T>(action: impl FnOnce() -> T) -> (T, Work) {
    DONE.with(|done| done.set(Work::default()));
    let result = action();
    (result, DONE.with(Cell::get))
}
