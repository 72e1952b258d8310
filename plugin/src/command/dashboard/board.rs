//! PURE. What the list of Canaries has come to, each row with the number of the change that made it: who says which number they
//! have seen is told what came after it, deletions as well. A reader that is slow costs nothing, and gets the latest state.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::message::Message;
use crate::failure::Failure;

/// Rows of one message.
const PART: usize = 200;
/// Deletions that are remembered. Who has missed one that is not gets everything again.
const KEPT: usize = 1000;

/// A row as it was last made.
struct Row {
    changed: u64,
    version: String,
    json: Arc<str>,
}

/// All rows.
pub(super) struct Board {
    /// Tells this board's numbers from those of another one, as of the program before it was started again.
    mark: String,
    number: u64,
    rows: BTreeMap<String, Row>,
    gone: BTreeMap<String, u64>,
    /// Up to here deletions are forgotten.
    forgotten: u64,
    complete: bool,
    trouble: Option<Failure>,
}

impl Board {
    pub(super) fn new(mark: &str) -> Self {
        Self {
            mark: mark.to_owned(),
            number: 0,
            rows: BTreeMap::new(),
            gone: BTreeMap::new(),
            forgotten: 0,
            complete: false,
            trouble: None,
        }
    }

    /// Takes over what there is now: key, version, and how its row is made if the version is another one.
    pub(super) fn take<T>(&mut self, all: Vec<(String, String, T)>, row: impl Fn(T) -> String) {
        self.complete = true;
        let mut left: BTreeSet<String> = self.rows.keys().cloned().collect();
        for (key, version, value) in all {
            left.remove(&key);
            if self.rows.get(&key).is_some_and(|known| known.version == version) {
                continue;
            }
            self.number += 1;
            self.gone.remove(&key);
            self.rows.insert(key, Row { changed: self.number, version, json: row(value).into() });
        }
        for key in left {
            self.number += 1;
            self.rows.remove(&key);
            self.gone.insert(key, self.number);
        }
        while self.gone.len() > KEPT {
            let Some((number, key)) = self.gone.iter().map(|(key, number)| (*number, key.clone())).min()
            else {
                break;
            };
            self.gone.remove(&key);
            self.forgotten = number;
        }
    }

    /// What keeps it from being up to date.
    pub(super) fn trouble(&mut self, trouble: Option<Failure>) {
        self.trouble = trouble;
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.trouble.is_some()
    }

    /// The number of an id that this board has given.
    pub(super) fn number_of(&self, id: &str) -> Option<u64> {
        let (mark, number) = id.split_once('-')?;
        number.parse().ok().filter(|number| mark == self.mark && *number <= self.number)
    }

    /// What came after a number, and the number of the last change. Without one, or where it is too old: everything.
    pub(super) fn since(&self, seen: Option<u64>) -> (Vec<Message>, Option<u64>) {
        let mut messages = Vec::new();
        if !self.complete {
            messages.push(Message::state(self.trouble.as_ref(), false));
            return (messages, None);
        }
        let known = seen.filter(|seen| *seen >= self.forgotten);
        if known.is_none() {
            messages.push(Message::new("reset", "{}".into()));
        }
        let after = known.unwrap_or(0);
        let new: Vec<_> =
            self.rows.values().filter(|row| row.changed > after).map(|row| &*row.json).collect();
        messages.extend(new.chunks(PART).map(|part| Message::new("put", format!("[{}]", part.join(",")))));
        let gone = self.gone.iter().filter(|(_, number)| known.is_some_and(|seen| **number > seen));
        messages.extend(gone.map(|(key, _)| Message::new("delete", serde_json::json!(key).to_string())));
        let state = Message::state(self.trouble.as_ref(), true);
        messages.push(state.id(format!("{}-{}", self.mark, self.number)));
        (messages, Some(self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(board: &mut Board, all: &[(&str, &str)]) {
        let all = all.iter().map(|(key, version)| ((*key).to_owned(), (*version).to_owned(), *version));
        board.take(all.collect(), |version| format!("\"{version}\""));
    }

    /// Events and data, of the state only whether it is complete.
    fn said(board: &Board, seen: Option<&str>) -> (Vec<String>, String) {
        let (messages, _) = board.since(seen.and_then(|id| board.number_of(id)));
        let id = messages.last().unwrap().id.clone().unwrap_or_default();
        let words = messages.iter().map(|m| match m.event {
            "put" | "delete" => format!("{} {}", m.event, m.data),
            other => other.to_owned(),
        });
        (words.collect(), id)
    }

    #[test]
    fn who_comes_back_gets_what_they_have_missed() {
        let mut board = Board::new("m");
        assert_eq!(said(&board, None), (vec!["state".to_owned()], String::new()), "nothing is known yet");
        taken(&mut board, &[("a", "a1"), ("b", "b1")]);
        let (all, first) = said(&board, None);
        assert_eq!(all, ["reset", r#"put ["a1","b1"]"#, "state"]);
        taken(&mut board, &[("a", "a1"), ("b", "b2"), ("c", "c1")]);
        let (news, second) = said(&board, Some(&first));
        assert_eq!(news, [r#"put ["b2","c1"]"#, "state"]);
        taken(&mut board, &[("a", "a1"), ("c", "c1")]);
        assert_eq!(said(&board, Some(&second)).0, [r#"delete "b""#, "state"]);
        assert_eq!(said(&board, Some(&first)).0, [r#"put ["c1"]"#, r#"delete "b""#, "state"]);
        taken(&mut board, &[("a", "a1"), ("b", "b2"), ("c", "c1")]);
        assert_eq!(said(&board, Some(&second)).0, [r#"put ["b2"]"#, "state"], "it has come back");
        let (_, last) = said(&board, None);
        assert_eq!(said(&board, Some(&last)).0, ["state"]);
        for foreign in ["x-1", "m-99", "1", ""] {
            assert_eq!(said(&board, Some(foreign)).0[0], "reset", "{foreign}");
        }
    }

    #[test]
    fn deletions_that_are_forgotten_are_made_up_for() {
        let mut board = Board::new("m");
        let all: Vec<_> = (0..KEPT + 50).map(|n| (format!("k{n:04}"), "1".to_owned(), "1")).collect();
        let json = |text: &str| format!("\"{text}\"");
        board.take(all, json);
        let seen = said(&board, None).1;
        board.take(vec![("last".to_owned(), "1".to_owned(), "1")], json);
        assert_eq!(board.gone.len(), KEPT);
        let (messages, id) = said(&board, Some(&seen));
        assert_eq!(messages, ["reset", r#"put ["1"]"#, "state"]);
        assert_eq!(said(&board, Some(&id)).0, ["state"]);
    }

    #[test]
    fn many_rows_come_in_parts_and_trouble_is_told() {
        let mut board = Board::new("m");
        board.take((0..450).map(|n| (format!("{n}"), "1".to_owned(), "1")).collect(), |_| "1".to_owned());
        let (messages, _) = board.since(None);
        let parts = messages.iter().filter(|m| m.event == "put").map(|m| m.data.matches('1').count());
        assert_eq!(parts.collect::<Vec<_>>(), [200, 200, 50]);
        board.trouble(Some(Failure::failed("no answer").hint("wait")));
        let (messages, _) = board.since(Some(450));
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].data, r#"{"complete":true,"trouble":{"hint":"wait","message":"no answer"}}"#);
    }
}
