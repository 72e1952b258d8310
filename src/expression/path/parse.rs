//! From text to steps. Forms that RFC 9535 and kubectl read differently are refused, with the form to use.

use serde_json::Value;

use super::step::{COMPARISONS, Filter, Key, Selector, Step};

/// Longest text, in bytes.
const LONGEST: usize = 512;
/// Highest number of selectors in one pair of brackets.
const MOST_SELECTORS: usize = 20;

/// The steps of a path.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, String> {
    if text.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} characters"));
    }
    let plain = text.trim();
    let inner = plain.strip_prefix('{').map(|rest| rest.strip_suffix('}').ok_or("{ is not closed by }"));
    let braced = inner.is_some();
    let path = inner.transpose()?.unwrap_or(plain).trim();
    let rest = path.strip_prefix('$').unwrap_or(path);
    if path.is_empty() || rest.len() == path.len() && !path.starts_with(['.', '[']) {
        return Err("it must begin with $ or a point, as in $.data.value".into());
    }
    let mut reader = Reader { rest, braced };
    let mut steps = Vec::new();
    while !reader.rest.is_empty() {
        reader.step(&mut steps)?;
    }
    check(&steps)?;
    Ok(steps)
}

/// Checks for expensive forms, and for forms that kubectl reads differently.
fn check(steps: &[Step]) -> Result<(), String> {
    if steps.iter().filter(|step| **step == Step::Descend).count() > 1 {
        return Err("there can be one .. only: name what lies between".into());
    }
    let many = |step: &Step| match step {
        Step::Descend => true,
        Step::Select(all) => {
            all.len() > 1
                || matches!(all[..], [Selector::All { .. } | Selector::Filter(_) | Selector::Slice { .. }])
        }
    };
    let sliced = |step: &Step| matches!(step, Step::Select(all) if all.iter().any(|s| matches!(s, Selector::Slice { .. })));
    if steps.iter().enumerate().any(|(n, step)| sliced(step) && steps[..n].iter().any(many)) {
        return Err("a slice of each of several lists is not served: name the list".into());
    }
    let all = |step: &Step| matches!(step, Step::Select(all) if all.iter().any(|s| matches!(s, Selector::All { .. })));
    if steps.windows(2).any(|pair| pair[0] == Step::Descend && all(&pair[1])) {
        return Err("..* leads to everything: name what is wanted".into());
    }
    Ok(())
}

struct Reader<'t> {
    rest: &'t str,
    /// In braces, as in kubectl.
    braced: bool,
}

impl Reader<'_> {
    fn takes(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn unexpected<T>(&self) -> Result<T, String> {
        let what: String = self.rest.chars().take(20).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if what.is_empty() {
            return Err("it ends too early".into());
        }
        Err(format!("{what:?} cannot stand there: write names as .name or ['name'], places as [0]"))
    }

    fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        if self.takes("..") {
            steps.push(Step::Descend);
            if !self.rest.starts_with('[') {
                steps.push(Step::Select(vec![self.name()?]));
            }
        } else if self.takes(".") {
            steps.push(Step::Select(vec![self.name()?]));
        } else if self.takes("[") {
            steps.push(Step::Select(self.brackets()?));
        } else {
            return self.unexpected();
        }
        Ok(())
    }

    fn name(&mut self) -> Result<Selector, String> {
        if self.takes("*") {
            return Ok(Selector::All { bracketed: false });
        }
        self.bare_name().map(Selector::Name)
    }

    /// Letters, digits, `_`, `-`, `/`, `:` and escaped characters.
    fn bare_name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        loop {
            let mut chars = self.rest.chars();
            match chars.next() {
                Some('\\') => name.push(escaped(chars.next())?),
                Some(c) if c.is_alphanumeric() || "_-/:".contains(c) => name.push(c),
                _ if name.is_empty() => return self.unexpected(),
                _ => return Ok(name),
            }
            self.rest = chars.as_str();
        }
    }

    fn brackets(&mut self) -> Result<Vec<Selector>, String> {
        let mut all = Vec::new();
        loop {
            self.blanks();
            all.push(self.selector()?);
            self.blanks();
            if self.takes("]") {
                break;
            }
            if !self.takes(",") {
                return self.unexpected();
            }
        }
        if all.len() > MOST_SELECTORS {
            return Err(format!("there can be {MOST_SELECTORS} selectors at most in [ ]"));
        }
        let mixed = all
            .iter()
            .any(|s| matches!(s, Selector::Filter(_) | Selector::All { .. } | Selector::Slice { .. }));
        if mixed && all.len() > 1 {
            return Err("*, slices and filters stand alone in [ ]".into());
        }
        Ok(all)
    }

    fn selector(&mut self) -> Result<Selector, String> {
        if self.takes("*") {
            return Ok(Selector::All { bracketed: true });
        }
        if self.takes("?") {
            return self.filter().map(Selector::Filter);
        }
        if self.rest.starts_with(['\'', '"']) {
            return self.quoted().map(Selector::Name);
        }
        let from = self.integer()?;
        self.blanks();
        if !self.takes(":") {
            return from.map_or_else(|| self.unexpected(), |at| Ok(Selector::Place(at)));
        }
        self.blanks();
        let to = self.integer()?;
        self.blanks();
        let by = if self.takes(":") { self.integer()?.unwrap_or(1) } else { 1 };
        let by = usize::try_from(by).ok().filter(|by| *by > 0);
        let by = by.ok_or("a slice goes forward: give it a step of at least 1")?;
        if from.unwrap_or(0) == to.unwrap_or(i64::MAX) {
            return Err("the slice is empty".into());
        }
        Ok(Selector::Slice { from, to, by })
    }

    fn integer(&mut self) -> Result<Option<i64>, String> {
        let sign = usize::from(self.rest.starts_with('-'));
        let digits = self.rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(sign + digits);
        if number.is_empty() {
            return Ok(None);
        }
        let plain = number == "0" || number[sign..].bytes().next().is_some_and(|first| first != b'0');
        let read =
            number.parse().ok().filter(|_| plain).ok_or_else(|| format!("{number} is no place in a list"))?;
        self.rest = rest;
        Ok(Some(read))
    }

    /// A quoted text, without the quotes.
    fn quote(&mut self) -> Result<(String, bool), String> {
        let mut chars = self.rest.chars();
        let quote = chars.next().unwrap_or_default();
        let (mut text, mut special) = (String::new(), false);
        loop {
            match chars.next() {
                None => return Err(format!("a text is not closed by {quote}")),
                Some('\\') => text.push(escaped(chars.next())?),
                Some(c) if c == quote => break,
                Some(c) => {
                    special |= ".[*".contains(c);
                    text.push(c);
                }
            }
        }
        self.rest = chars.as_str();
        Ok((text, special))
    }

    fn quoted(&mut self) -> Result<String, String> {
        let (name, special) = self.quote()?;
        // a point at the beginning may be a deep search there, with or without braces
        match (special, self.braced) {
            (true, false) if name.starts_with('.') => Err(format!(
                "kubectl reads {name:?} as a search at any depth: write a backslash before each point"
            )),
            (true, true) if name.starts_with('.') => Err(format!(
                "kubectl reads {name:?} in braces as a search at any depth: write a backslash before each point"
            )),
            (true, true) => Err(format!(
                "kubectl reads {name:?} in braces as several names: write a backslash before each point, or leave out the braces"
            )),
            _ => Ok(name),
        }
    }

    /// `(@.a.b == 'c')`, with or without parentheses.
    fn filter(&mut self) -> Result<Filter, String> {
        self.blanks();
        let closes = self.takes("(");
        self.blanks();
        if !self.takes("@") {
            return Err("a filter begins with @, as in [?(@.name == 'app')]".into());
        }
        let mut of = Vec::new();
        loop {
            if self.takes(".") {
                of.push(Key::Name(self.bare_name()?));
            } else if self.takes("[") {
                match self.brackets()?.pop() {
                    Some(Selector::Name(name)) => of.push(Key::Name(name)),
                    Some(Selector::Place(at)) => of.push(Key::Place(at)),
                    _ => return Err("a filter asks for one value: give names and places only".into()),
                }
            } else {
                break;
            }
        }
        self.blanks();
        let found = COMPARISONS.iter().find(|(sign, _)| self.rest.starts_with(sign));
        let compares = match found {
            None => None,
            Some((sign, comparison)) => {
                self.rest = &self.rest[sign.len()..];
                self.blanks();
                Some((*comparison, self.literal()?))
            }
        };
        self.blanks();
        if closes && !self.takes(")") || !self.rest.starts_with(']') {
            return Err(
                "a filter is one comparison with a text or number, without functions, && and ||".into()
            );
        }
        Ok(Filter { of, compares })
    }

    fn literal(&mut self) -> Result<Value, String> {
        if self.rest.starts_with(['\'', '"']) {
            return self.quote().map(|(text, _)| Value::String(text));
        }
        let end = self.rest.find([')', ']', ' ']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let read = serde_json::from_str::<Value>(word).ok();
        let read = read.filter(|v| matches!(v, Value::Bool(_) | Value::Null | Value::Number(_)));
        self.rest = rest;
        read.ok_or_else(|| {
            format!("{word:?} is no text, number, true, false or null: put quotes around a text")
        })
    }
}

/// The character after a backslash.
fn escaped(c: Option<char>) -> Result<char, String> {
    c.filter(|c| c.is_ascii_punctuation() && *c != '\\')
        .ok_or_else(|| "a backslash can stand before punctuation only".into())
}
