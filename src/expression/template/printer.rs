//! One value as text, formatted by the verb after `%` and its flags.

use super::{
    float,
    value::{LONGEST, Value},
};

pub(super) const NIL: &str = "<nil>";

/// Whether a character is printable, if that is the same in every version of Unicode.
pub(super) fn prints(c: char) -> Result<bool, String> {
    match c {
        ' '..='~' => Ok(true),
        '\0'..='\u{9f}' => Ok(false),
        c if c.is_alphanumeric() => Ok(true),
        c => Err(format!("the character {c:?} cannot be quoted here")),
    }
}

/// The part between `%` and the verb.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    /// `%#v`.
    pub(super) source: bool,
}

pub(super) struct Printer<'o> {
    pub(super) out: &'o mut String,
    pub(super) flags: Flags,
}

impl Printer<'_> {
    pub(super) fn value(&mut self, value: &Value, verb: char) -> Result<(), String> {
        if [self.flags.width, self.flags.precision].iter().flatten().any(|n| *n > LONGEST) {
            return Err(format!("printf makes more than {LONGEST} bytes"));
        }
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.padded(NIL),
            (Value::Nil, _) | (Value::Map(_), 'w') => return self.bad(value, verb),
            (value, 'T') => self.text(value.kind().unwrap_or(NIL)),
            (_, 'p') => return Err("printf: %p is not served".into()),
            (Value::Bool(yes), 't' | 'v') => self.padded(if *yes { "true" } else { "false" }),
            (Value::Bool(_), _) => return self.bad(value, verb),
            (Value::Byte(n), 'v') if self.flags.source => self.padded_with(&format!("{n:#x}"), false),
            (Value::Int(n), _) => return self.integer(value, n.unsigned_abs(), *n < 0, verb),
            (Value::Byte(n), _) => return self.integer(value, u64::from(*n), false, verb),
            (Value::Float(n), _) => return self.float(*n, verb),
            (Value::Text(text, _), _) => return self.string(text, verb),
            (Value::Map(map), _) => {
                let (open, between, close) =
                    if self.flags.source { ("map[string]string{", ", ", "}") } else { ("map[", " ", "]") };
                self.out.push_str(open);
                for (n, (key, value)) in map.iter().enumerate() {
                    self.out.push_str(if n > 0 { between } else { "" });
                    self.string(key, verb)?;
                    self.out.push(':');
                    self.value(value, verb)?;
                    if self.out.len() > LONGEST {
                        return Err(format!("printf makes more than {LONGEST} bytes"));
                    }
                }
                self.out.push_str(close);
            }
        }
        Ok(())
    }

    /// A verb that does not fit the value.
    fn bad(&mut self, value: &Value, verb: char) -> Result<(), String> {
        self.out.push_str(&format!("%!{verb}("));
        if let Some(kind) = value.kind() {
            self.out.push_str(&format!("{kind}="));
            self.value(value, 'v')?;
        } else {
            self.out.push_str(NIL);
        }
        self.out.push(')');
        Ok(())
    }

    fn fill(&mut self, count: usize, zeros: bool) {
        self.out.extend(std::iter::repeat_n(if zeros { '0' } else { ' ' }, count));
    }

    /// Pads to the width.
    fn padded_with(&mut self, text: &str, zeros: bool) {
        let missing = self.flags.width.unwrap_or(0).saturating_sub(text.chars().count());
        if self.flags.minus {
            self.out.push_str(text);
            self.fill(missing, false);
        } else {
            self.fill(missing, zeros);
            self.out.push_str(text);
        }
    }

    fn padded(&mut self, text: &str) {
        self.padded_with(text, self.flags.zero);
    }

    fn cut(&self, text: &str) -> String {
        text.chars().take(self.flags.precision.unwrap_or(usize::MAX)).collect()
    }

    fn text(&mut self, text: &str) {
        let cut = self.cut(text);
        self.padded(&cut);
    }

    fn string(&mut self, text: &str, verb: char) -> Result<(), String> {
        match verb {
            'v' if self.flags.source => self.quoted(text)?,
            'v' | 's' => self.text(text),
            'q' => self.quoted(text)?,
            'x' => self.hex(text, |b| format!("{b:02x}"), 'x'),
            'X' => self.hex(text, |b| format!("{b:02X}"), 'X'),
            _ => return self.bad(&Value::text(text), verb),
        }
        Ok(())
    }

    fn hex(&mut self, text: &str, digits: fn(u8) -> String, letter: char) {
        let bytes = &text.as_bytes()[..text.len().min(self.flags.precision.unwrap_or(usize::MAX))];
        let prefix = if self.flags.sharp { format!("0{letter}") } else { String::new() };
        let each: Vec<String> = bytes.iter().map(|b| digits(*b)).collect();
        let all = match (each.is_empty(), self.flags.space) {
            (true, _) => String::new(),
            (_, true) => each.iter().map(|d| format!("{prefix}{d}")).collect::<Vec<_>>().join(" "),
            (_, false) => format!("{prefix}{}", each.concat()),
        };
        self.padded(&all);
    }

    fn quoted(&mut self, text: &str) -> Result<(), String> {
        let cut = self.cut(text);
        let plain = |c: char| !matches!(c, '`' | '\0'..='\x08' | '\n'..='\x1f' | '\x7f' | '\u{feff}');
        if self.flags.sharp && cut.chars().all(plain) {
            self.padded(&format!("`{cut}`"));
            return Ok(());
        }
        let mut out = String::from("\"");
        for c in cut.chars() {
            out.push_str(&self.escaped(c, '"')?);
        }
        out.push('"');
        self.padded(&out);
        Ok(())
    }

    /// A character as it is written inside quotes.
    fn escaped(&self, c: char, quote: char) -> Result<String, String> {
        let code = u32::from(c);
        Ok(match c {
            _ if c == quote || c == '\\' => format!("\\{c}"),
            '\x07' => "\\a".into(),
            '\x08' => "\\b".into(),
            '\x0c' => "\\f".into(),
            '\n' => "\\n".into(),
            '\r' => "\\r".into(),
            '\t' => "\\t".into(),
            '\x0b' => "\\v".into(),
            ' '..='~' => c.to_string(),
            '\0'..='\x7f' => format!("\\x{code:02x}"),
            _ if !self.flags.plus && prints(c)? => c.to_string(),
            _ if code < 0x1_0000 => format!("\\u{code:04x}"),
            _ => format!("\\U{code:08x}"),
        })
    }

    fn integer(&mut self, value: &Value, size: u64, negative: bool, verb: char) -> Result<(), String> {
        let digits = match verb {
            'v' | 'd' => size.to_string(),
            'b' => format!("{size:b}"),
            'o' | 'O' => format!("{size:o}"),
            'x' => format!("{size:x}"),
            'X' => format!("{size:X}"),
            'c' | 'q' | 'U' => return self.character(size, negative, verb),
            _ => return self.bad(value, verb),
        };
        let Flags { width, precision, zero, minus, plus, space, sharp, .. } = self.flags;
        if precision == Some(0) && size == 0 {
            self.fill(width.unwrap_or(0), false);
            return Ok(());
        }
        let least = match (precision, width) {
            (Some(digits), _) => digits,
            (None, Some(width)) if zero && !minus => {
                width.saturating_sub(usize::from(negative || plus || space))
            }
            _ => 0,
        };
        let mut digits = format!("{}{digits}", "0".repeat(least.saturating_sub(digits.len())));
        match verb {
            'b' if sharp => digits.insert_str(0, "0b"),
            'o' | 'O' if sharp && !digits.starts_with('0') => digits.insert(0, '0'),
            'x' if sharp => digits.insert_str(0, "0x"),
            'X' if sharp => digits.insert_str(0, "0X"),
            _ => {}
        }
        if verb == 'O' {
            digits.insert_str(0, "0o");
        }
        let sign = match (negative, plus, space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        self.padded_with(&format!("{sign}{digits}"), false);
        Ok(())
    }

    /// An integer as the character with this number.
    fn character(&mut self, size: u64, negative: bool, verb: char) -> Result<(), String> {
        let known = u32::try_from(size).ok().filter(|_| !negative).and_then(char::from_u32);
        let c = known.unwrap_or('\u{fffd}');
        match verb {
            'c' => self.padded(&c.to_string()),
            'q' => {
                let escaped = self.escaped(c, '\'')?;
                self.padded(&format!("'{escaped}'"));
            }
            _ => {
                let least = self.flags.precision.unwrap_or(0).max(4);
                let code = if negative { size.wrapping_neg() } else { size };
                let seen = if self.flags.sharp && known.is_some() && prints(c)? {
                    format!(" '{c}'")
                } else {
                    String::new()
                };
                self.padded_with(&format!("U+{code:0least$X}{seen}"), false);
            }
        }
        Ok(())
    }

    fn float(&mut self, value: f64, verb: char) -> Result<(), String> {
        let Flags { width, precision, zero, minus, plus, space, sharp, .. } = self.flags;
        if sharp || "bxX".contains(verb) {
            return Err(format!(
                "printf: %{}{verb} of a fraction is not served",
                if sharp { "#" } else { "" }
            ));
        }
        let size = value.abs();
        let digits = match verb {
            'v' | 'g' => float::general(size, precision),
            'G' => float::general(size, precision).replace('e', "E"),
            'f' | 'F' => float::fixed(size, precision.unwrap_or(6)),
            'e' => float::exponent(size, precision.unwrap_or(6)),
            'E' => float::exponent(size, precision.unwrap_or(6)).replace('e', "E"),
            _ => return self.bad(&Value::Float(value), verb),
        };
        let sign = match (value.is_sign_negative(), plus, space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let zeros = width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
        if zero && !minus {
            self.out.push_str(sign);
            self.fill(zeros, true);
            self.out.push_str(&digits);
        } else {
            self.padded_with(&format!("{sign}{digits}"), false);
        }
        Ok(())
    }
}
