//! Conditions as a sequence of tokens, each with its position.

use super::{fault::Fault, tree::Operator};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'t> {
    Number(f64),
    Text,
    Name(&'t str),
    /// `not`; the sign is [`Token::Bang`].
    Not,
    Bang,
    /// Between two values, as a sign or a word.
    Operator(Operator),
    /// A bracket, or a separator in a call or choice.
    Sign(u8),
    End,
}

/// A token with its start and end.
pub(super) type At<'t> = (Token<'t>, usize, usize);

pub(super) fn tokens(text: &str) -> Result<Vec<At<'_>>, Fault> {
    let bytes = text.as_bytes();
    // most are longer than two bytes, including the following blank
    let mut all = Vec::with_capacity(text.len() / 2 + 1);
    let mut at = 0;
    while let Some(first) = bytes.get(at) {
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let rest = &text[at..];
        let (token, length) = match first {
            b'0'..=b'9' => number(rest).map_err(|what| Fault::new(at, what))?,
            b'.' if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {
                number(rest).map_err(|what| Fault::new(at, what))?
            }
            b'"' | b'\'' => (Token::Text, quoted(rest).map_err(|what| Fault::new(at, what))?),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => word(rest),
            _ => sign(&bytes[at..]).ok_or_else(|| Fault::new(at, strange(rest)))?,
        };
        all.push((token, at, at + length));
        at += length;
    }
    all.push((Token::End, text.len(), text.len()));
    Ok(all)
}

fn word(rest: &str) -> (Token<'_>, usize) {
    let length = rest.bytes().position(|b| b != b'_' && !b.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let token = match &rest[..length] {
        "and" => Token::Operator(Operator::And),
        "or" => Token::Operator(Operator::Or),
        "in" => Token::Operator(Operator::In),
        "not" => Token::Not,
        name => Token::Name(name),
    };
    (token, length)
}

fn sign(bytes: &[u8]) -> Option<(Token<'static>, usize)> {
    use Operator as O;
    let operator = |operator, length| Some((Token::Operator(operator), length));
    match (bytes[0], bytes.get(1)) {
        (b'&', Some(b'&')) => operator(O::And, 2),
        (b'|', Some(b'|')) => operator(O::Or, 2),
        (b'=', Some(b'=')) => operator(O::Equal, 2),
        (b'!', Some(b'=')) => operator(O::Unequal, 2),
        (b'<', Some(b'=')) => operator(O::AtMost, 2),
        (b'>', Some(b'=')) => operator(O::AtLeast, 2),
        (b'<', _) => operator(O::Less, 1),
        (b'>', _) => operator(O::More, 1),
        (b'+', _) => operator(O::Add, 1),
        (b'-', _) => operator(O::Subtract, 1),
        (b'*', _) => operator(O::Multiply, 1),
        (b'/', _) => operator(O::Divide, 1),
        (b'%', _) => operator(O::Remainder, 1),
        (b'!', _) => Some((Token::Bang, 1)),
        (sign @ (b'(' | b')' | b'[' | b']' | b',' | b'.' | b'?' | b':'), _) => Some((Token::Sign(sign), 1)),
        _ => None,
    }
}

fn strange(rest: &str) -> String {
    match rest.chars().next().unwrap_or_default() {
        '=' => "= sets nothing here: compare with ==".into(),
        '&' => "write && or and".into(),
        '|' => "write || or or".into(),
        '#' => "# is not known: name each value, as in result.all(x, x > 0.9)".into(),
        '{' if rest.starts_with("{{") => {
            "{{ is filled in in queries only: write the value itself here".into()
        }
        '{' | '}' => "objects in braces are not served".into(),
        c => format!("{c:?} has no meaning here"),
    }
}

fn number(rest: &str) -> Result<(Token<'_>, usize), String> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        let after = digits(length + 1);
        if after == 0 {
            return Err(format!("{}. is no number: put digits behind the point", &rest[..length]));
        }
        length += 1 + after;
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let after = digits(length + 1 + sign);
        length += if after > 0 { 1 + sign + after } else { 0 };
    }
    if bytes.get(length).is_some_and(|b| *b == b'_' || b.is_ascii_alphabetic()) {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        return Err(format!("{} is no number: write it without a unit", &rest[..end]));
    }
    match rest[..length].parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), length)),
        _ => Err(format!("{} is too large for a number", &rest[..length])),
    }
}

/// The length of a quoted text, including its quotes.
fn quoted(rest: &str) -> Result<usize, String> {
    let quote = rest.as_bytes()[0];
    let mut escaped = false;
    let end = rest.bytes().skip(1).position(|b| {
        let ends = b == quote && !escaped;
        escaped = b == b'\\' && !escaped;
        ends
    });
    end.map(|end| end + 2).ok_or_else(|| format!("a text is not closed by {}", char::from(quote)))
}
