//! Numbers and quoted texts as in Go. What Go allows but no query needs is refused: imaginary numbers, hexadecimal
//! fractions, underscores, and bytes that are not text.

use super::value::Value;

/// A number; without `.` or an exponent it is an integer.
pub(super) fn number(text: &str) -> Result<Value, String> {
    let wrong = || format!("{text} is no number that is served here");
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if digits.starts_with(['+', '-', '_']) || digits.contains('_') {
        return Err(wrong());
    }
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        _ if lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|b| b.is_ascii_digit()) => {
            (8, &lower[1..])
        }
        _ => (10, lower.as_str()),
    };
    if radix != 10 || body.bytes().all(|b| b.is_ascii_digit()) {
        let size = u64::from_str_radix(body, radix).map_err(|_| wrong())?;
        let whole = if negative { 0_i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() };
        return whole.map(Value::Int).ok_or_else(|| format!("{text} is too large for a whole number"));
    }
    if !body.bytes().all(|b| b.is_ascii_digit() || b".e+-".contains(&b)) {
        return Err(wrong());
    }
    let size: f64 = body.parse().map_err(|_| wrong())?;
    if size.is_infinite() {
        return Err(format!("{text} is too large for a number"));
    }
    Ok(Value::Float(if negative { -size } else { size }))
}

/// The content of quotes; for `'` the number of the one character.
pub(super) fn unquoted(text: &str, quote: char) -> Result<Value, String> {
    if quote == '`' {
        return Ok(Value::text(text.replace('\r', "")));
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut last = 0;
    while let Some(c) = chars.next() {
        let (code, byte) = if c == '\\' { escape(&mut chars, quote)? } else { (u32::from(c), false) };
        last = code;
        match char::from_u32(code) {
            Some(c) if !(byte && code > 0x7f) || quote == '\'' => out.push(c),
            _ => return Err(format!("{text:?} is no text in UTF-8")),
        }
    }
    if quote == '"' {
        return Ok(Value::text(out));
    }
    if out.chars().count() != 1 {
        return Err(format!("'{text}' is not one character"));
    }
    Ok(Value::Int(i64::from(last)))
}

/// An escaped character, and whether it is a byte.
fn escape(chars: &mut std::str::Chars<'_>, quote: char) -> Result<(u32, bool), String> {
    let c = chars.next().unwrap_or_default();
    let mut digits = |count: usize, radix: u32, first: Option<char>| {
        let all: String = first.into_iter().chain(chars.take(count)).collect();
        let plain = all.chars().count() == count + usize::from(first.is_some()) && !all.starts_with('+');
        let code = u32::from_str_radix(&all, radix).ok().filter(|_| plain);
        code.ok_or_else(|| format!("\\{c}{all} is no character"))
    };
    Ok(match c {
        'a' => (7, false),
        'b' => (8, false),
        'f' => (12, false),
        'n' => (10, false),
        'r' => (13, false),
        't' => (9, false),
        'v' => (11, false),
        '\\' => (92, false),
        'x' => (digits(2, 16, None)?, true),
        'u' => (digits(4, 16, None)?, false),
        'U' => (digits(8, 16, None)?, false),
        '0'..='7' => {
            let code = digits(2, 8, Some(c))?;
            if code > 255 {
                return Err(format!("\\{c} begins no character"));
            }
            (code, true)
        }
        _ if c == quote => (u32::from(c), false),
        _ => return Err(format!("\\{c} has no meaning in a text")),
    })
}
