//! The cost of finding objects, counted in tests: it must not depend on how many others there are.

#[cfg(test)]
use std::cell::Cell;

/// Parsed objects and the bytes of their texts, derived values, and visited entries.
#[cfg(test)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) parsed: u64,
    pub(crate) bytes: u64,
    pub(crate) typed: u64,
    pub(crate) visited: u64,
}

#[cfg(test)]
thread_local! {
    static DONE: Cell<Work> = const { Cell::new(Work { parsed: 0, bytes: 0, typed: 0, visited: 0 }) };
}

/// An object with a text of this many bytes is parsed.
#[cfg_attr(not(test), expect(unused_variables, reason = "counted in tests"))]
pub(super) fn parsed(bytes: usize) {
    #[cfg(test)]
    DONE.with(|done| {
        let old = done.get();
        done.set(Work { parsed: old.parsed + 1, bytes: old.bytes + bytes as u64, ..old });
    });
}

/// A value is derived from an object.
pub(super) fn typed() {
    #[cfg(test)]
    DONE.with(|done| done.set(Work { typed: done.get().typed + 1, ..done.get() }));
}

/// An entry is visited.
pub(super) fn visited() {
    #[cfg(test)]
    DONE.with(|done| done.set(Work { visited: done.get().visited + 1, ..done.get() }));
}

/// The work that this takes.
#[cfg(test)]
pub(crate) fn of<T>(action: impl FnOnce() -> T) -> (T, Work) {
    DONE.with(|done| done.set(Work::default()));
    let result = action();
    (result, DONE.with(Cell::get))
}
