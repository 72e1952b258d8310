//! Values of templates: results of functions, and literals. Sizes and steps are counted, so that no
//! template takes too much memory or time.

use std::{collections::BTreeMap, rc::Rc};

/// Longest text, and longest result, in bytes: more than any server accepts in a URL.
pub(super) const LONGEST: usize = 32 * 1024;
/// Most bytes of all texts in one rendering.
const MOST_BYTES: usize = 512 * 1024;
/// Most commands, texts and loop rounds in one rendering.
const MOST_STEPS: u32 = 20_000;

/// Whether a text contains a placeholder for the value of a Secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Secrecy {
    #[default]
    Open,
    /// An unchanged placeholder: the value is put in unchanged.
    Marked,
    /// A placeholder that was encoded for a URL: so is the value.
    Encoded,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    /// A byte of a text, which Go prints as a number.
    Byte(u8),
    Float(f64),
    Text(Rc<str>, Secrecy),
    Map(Rc<BTreeMap<String, Self>>),
}

impl Value {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(text.into(), Secrecy::Open)
    }

    /// Go's name of the type; none of nil.
    pub(super) fn kind(&self) -> Option<&'static str> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Byte(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Text(..) => "string",
            Self::Map(_) => "map[string]string",
        })
    }

    /// For people.
    pub(super) fn named(&self) -> &'static str {
        match self {
            Self::Nil => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Byte(_) | Self::Float(_) => "a number",
            Self::Text(..) => "a text",
            Self::Map(_) => "a map",
        }
    }

    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(yes) => *yes,
            Self::Int(n) => *n != 0,
            Self::Byte(n) => *n != 0,
            Self::Float(n) => *n != 0.0,
            Self::Text(text, _) => !text.is_empty(),
            Self::Map(map) => !map.is_empty(),
        }
    }

    /// What is secret in it, including nested values.
    pub(super) fn secrecy(&self) -> Secrecy {
        match self {
            Self::Text(_, secrecy) => *secrecy,
            Self::Map(map) => {
                map.values().map(Self::secrecy).find(|s| *s != Secrecy::Open).unwrap_or_default()
            }
            _ => Secrecy::Open,
        }
    }
}

/// What a rendering may still use.
pub(super) struct Budget {
    steps: u32,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { steps: MOST_STEPS, bytes: MOST_BYTES }
    }

    /// One more step.
    pub(super) fn step(&mut self) -> Result<(), String> {
        self.steps =
            self.steps.checked_sub(1).ok_or_else(|| format!("takes more than {MOST_STEPS} steps"))?;
        Ok(())
    }

    /// Reserves a text of this many bytes.
    pub(super) fn bytes(&mut self, length: usize) -> Result<(), String> {
        if length > LONGEST {
            return Err(format!("makes a text of more than {LONGEST} bytes"));
        }
        self.bytes = self
            .bytes
            .checked_sub(length)
            .ok_or_else(|| format!("makes more than {MOST_BYTES} bytes of text"))?;
        Ok(())
    }
}
