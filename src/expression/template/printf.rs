//! Values as text: `print` and `printf` as in Go's `fmt`.

use super::{
    printer::{Flags, NIL, Printer},
    value::{LONGEST, Value},
};

/// Texts and numbers, with a blank between two if neither is a text.
pub(super) fn print(values: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    let mut after_text = true;
    for value in values {
        let text = matches!(value, Value::Text(..));
        if !text && !after_text {
            out.push(' ');
        }
        Printer { out: &mut out, flags: Flags::default() }.value(value, 'v')?;
        after_text = text;
    }
    Ok(out)
}

/// Texts and numbers with a blank between each two, and a line break at the end.
pub(super) fn println(values: &[Value]) -> Result<String, String> {
    let mut out = String::new();
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            out.push(' ');
        }
        Printer { out: &mut out, flags: Flags::default() }.value(value, 'v')?;
    }
    out.push('\n');
    Ok(out)
}

/// Go's `Sprintf`.
pub(super) fn sprintf(format: &str, values: &[Value]) -> Result<String, String> {
    let mut reader = Reader { format: format.chars().collect(), at: 0, next: 0, found: true, moved: false };
    let mut out = String::new();
    while let Some(c) = reader.format.get(reader.at).copied() {
        reader.at += 1;
        if c == '%' {
            reader.verb(values, &mut out)?;
        } else {
            out.push(c);
        }
        if out.len() > LONGEST {
            return Err(format!("printf makes more than {LONGEST} bytes"));
        }
    }
    if !reader.moved && reader.next < values.len() {
        out.push_str("%!(EXTRA ");
        for (n, value) in values[reader.next..].iter().enumerate() {
            out.push_str(if n > 0 { ", " } else { "" });
            match value.kind() {
                None => out.push_str(NIL),
                Some(kind) => {
                    out.push_str(&format!("{kind}="));
                    Printer { out: &mut out, flags: Flags::default() }.value(value, 'v')?;
                }
            }
        }
        out.push(')');
    }
    Ok(out)
}

/// Most characters of an index such as `[2]`.
const LONGEST_PLACE: usize = 24;

struct Reader {
    format: Vec<char>,
    at: usize,
    /// The next value.
    next: usize,
    /// The value at the given index exists.
    found: bool,
    /// Values were selected by index.
    moved: bool,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.format.get(self.at).copied()
    }

    fn verb(&mut self, values: &[Value], out: &mut String) -> Result<(), String> {
        let mut flags = Flags::default();
        self.found = true;
        while let Some(c) = self.peek() {
            match c {
                '#' => flags.sharp = true,
                '0' => flags.zero = true,
                '+' => flags.plus = true,
                '-' => flags.minus = true,
                ' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        let mut placed = self.place(values.len());
        placed = self.width(&mut flags, values, placed, out);
        if self.peek() == Some('.') && self.at + 1 < self.format.len() {
            placed = self.precision(&mut flags, values, placed, out);
        }
        if !placed {
            self.place(values.len());
        }
        let Some(verb) = self.peek() else {
            out.push_str("%!(NOVERB)");
            return Ok(());
        };
        self.at += 1;
        if verb == '%' {
            out.push('%');
        } else if !self.found {
            out.push_str(&format!("%!{verb}(BADINDEX)"));
        } else if let Some(value) = values.get(self.next) {
            self.next += 1;
            if matches!(verb, 'v' | 'w') {
                flags.source = std::mem::take(&mut flags.sharp);
                flags.plus = false;
            }
            Printer { out, flags }.value(value, verb)?;
        } else {
            out.push_str(&format!("%!{verb}(MISSING)"));
        }
        Ok(())
    }

    fn number(&mut self) -> Option<usize> {
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let digits: String = self.format[from..self.at].iter().collect();
        digits.parse().ok()
    }

    /// `[2]`: whether a value is selected by its index.
    fn place(&mut self, count: usize) -> bool {
        if self.peek() != Some('[') {
            return false;
        }
        self.moved = true;
        // a longer number is not an index
        let Some(end) = self.format[self.at..].iter().take(LONGEST_PLACE).position(|c| *c == ']') else {
            self.found = false;
            self.at += 1;
            return false;
        };
        let digits: String = self.format[self.at + 1..self.at + end].iter().collect();
        self.at += end + 1;
        let number = Some(digits).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let number: Option<usize> = number.and_then(|digits| digits.parse().ok());
        match number.filter(|n| (1..=count).contains(n)) {
            Some(n) => self.next = n - 1,
            None => self.found = false,
        }
        number.is_some()
    }

    /// A width or precision that is given as a value.
    fn given(&mut self, values: &[Value]) -> Option<i64> {
        self.at += 1;
        let value = values.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(n) if n.unsigned_abs() <= 1_000_000 => Some(*n),
            Value::Byte(n) => Some(i64::from(*n)),
            _ => None,
        }
    }

    fn width(&mut self, flags: &mut Flags, values: &[Value], placed: bool, out: &mut String) -> bool {
        if self.peek() != Some('*') {
            flags.width = self.number();
            self.found &= !(placed && flags.width.is_some());
            return placed;
        }
        match self.given(values) {
            None => out.push_str("%!(BADWIDTH)"),
            Some(width) => {
                flags.minus |= width < 0;
                flags.zero &= width >= 0;
                flags.width = usize::try_from(width.abs()).ok();
            }
        }
        false
    }

    fn precision(&mut self, flags: &mut Flags, values: &[Value], placed: bool, out: &mut String) -> bool {
        self.at += 1;
        self.found &= !placed;
        let placed = self.place(values.len());
        if self.peek() != Some('*') {
            flags.precision = Some(self.number().unwrap_or(0));
            return placed;
        }
        flags.precision = self.given(values).and_then(|n| usize::try_from(n).ok());
        if flags.precision.is_none() {
            out.push_str("%!(BADPREC)");
        }
        false
    }
}
