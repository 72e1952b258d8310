//! Conditions as a row of tokens, each with its place.

use super::fault::Fault;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text,
    /// Also words: `and`, `or`, `not`, `in`, `true`, `false`, `nil`, `null`.
    Name(String),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

impl Token {
    /// For people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Text => "a text".into(),
            Self::Name(name) => name.clone(),
            Self::Sign(sign) => (*sign).into(),
            Self::End => "the end".into(),
        }
    }
}

/// Longer ones first.
const SIGNS: [&str; 22] = [
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", ",", ".", "?", ":", "+", "-", "*", "/", "%", "!",
    "<", ">",
];

/// A token, where it begins and where it ends.
pub(super) type At = (Token, usize, usize);

pub(super) fn tokens(text: &str) -> Result<Vec<At>, Fault> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let rest = &text[at..];
        let digit = |c: char| c.is_ascii_digit();
        let (token, length) = if digit(c) || c == '.' && rest[1..].starts_with(digit) {
            number(rest).map_err(|what| Fault::new(at, what))?
        } else if c == '"' || c == '\'' {
            (
                Token::Text,
                quoted(rest, c).ok_or_else(|| Fault::new(at, format!("a text is not closed by {c}")))?,
            )
        } else if c == '_' || c.is_ascii_alphabetic() {
            let length = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            (Token::Name(rest[..length].to_owned()), length)
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| Fault::new(at, strange(c)))?;
            (Token::Sign(sign), sign.len())
        };
        all.push((token, at, at + length));
        at += length;
    }
    all.push((Token::End, text.len(), text.len()));
    Ok(all)
}

fn strange(c: char) -> String {
    match c {
        '=' => "= sets nothing here: compare with ==".into(),
        '&' => "write && or and".into(),
        '|' => "write || or or".into(),
        '#' => "# is not known: name each value, as in result.all(x, x > 0.9)".into(),
        '{' | '}' => "objects in braces are not served".into(),
        c => format!("{c:?} has no meaning here"),
    }
}

fn number(rest: &str) -> Result<(Token, usize), String> {
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

/// How long a quoted text is, with its quotes.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    let end = rest[1..].find(|c: char| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}
