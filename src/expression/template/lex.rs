//! Templates as a sequence of tokens: text, and the parts between `{{` and `}}`.

use super::{
    fault::Fault,
    literal::{number, unquoted},
    value::Value,
};

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Keyword {
    const ALL: [(&'static str, Self); 11] = [
        ("block", Self::Block),
        ("break", Self::Break),
        ("continue", Self::Continue),
        ("define", Self::Define),
        ("else", Self::Else),
        ("end", Self::End),
        ("if", Self::If),
        ("nil", Self::Nil),
        ("range", Self::Range),
        ("template", Self::Template),
        ("with", Self::With),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, keyword)| *keyword == self).map_or("", |(name, _)| name)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Text(String),
    Left,
    Right,
    Space,
    Assign,
    Declare,
    Pipe,
    Open,
    Close,
    Char(char),
    /// A text, number, `true` or `false`.
    Literal(Value),
    /// With its `$`.
    Variable(String),
    /// Without its dot.
    Field(String),
    Name(String),
    Dot,
    Keyword(Keyword),
    End,
}

impl Token {
    /// For people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(_) => "text".into(),
            Self::Left => LEFT.into(),
            Self::Right => RIGHT.into(),
            Self::Space => "a blank".into(),
            Self::Assign => "=".into(),
            Self::Declare => ":=".into(),
            Self::Pipe => "|".into(),
            Self::Open => "(".into(),
            Self::Close => ")".into(),
            Self::Char(c) => c.to_string(),
            Self::Literal(value) => format!("{} written out", value.named()),
            Self::Variable(name) | Self::Name(name) => name.clone(),
            Self::Field(name) => format!(".{name}"),
            Self::Dot => ".".into(),
            Self::Keyword(keyword) => keyword.name().into(),
            Self::End => "the end of the template".into(),
        }
    }
}

pub(super) type At = (Token, usize);

/// All tokens, ending with the end token.
pub(super) fn tokens(text: &str) -> Result<Vec<At>, Fault> {
    let mut lexer = Lexer { text, at: 0, out: Vec::new() };
    while lexer.at < text.len() {
        lexer.outside()?;
    }
    lexer.out.push((Token::End, text.len()));
    Ok(lexer.out)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    out: Vec<At>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, token: Token, from: usize) {
        self.out.push((token, from));
    }

    /// Skips blanks.
    fn trim(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(BLANKS).len();
    }

    /// `- ` after a left delimiter.
    fn trims_before(text: &str) -> bool {
        text.strip_prefix('-').is_some_and(|rest| rest.starts_with(BLANKS))
    }

    /// `}}` is next, with ` -` before it or not: its length, and whether the blanks after it are removed.
    fn closes(&self) -> Option<(usize, bool)> {
        let rest = self.rest();
        if rest.starts_with(RIGHT) {
            return Some((RIGHT.len(), false));
        }
        let marked = rest.strip_prefix(BLANKS).is_some_and(|rest| rest.starts_with("-}}"));
        marked.then_some((RIGHT.len() + 2, true))
    }

    fn close(&mut self) -> bool {
        let Some((length, trims)) = self.closes() else { return false };
        self.at += length;
        if trims {
            self.trim();
        }
        true
    }

    fn outside(&mut self) -> Result<(), Fault> {
        let from = self.at;
        let Some(length) = self.rest().find(LEFT) else {
            let text = self.rest().to_owned();
            self.push(Token::Text(text), from);
            self.at = self.text.len();
            return Ok(());
        };
        let left = from + length;
        self.at = left + LEFT.len();
        let trims = Self::trims_before(self.rest());
        let mut text = &self.text[from..left];
        if trims {
            text = text.trim_end_matches(BLANKS);
            self.at += 2;
        }
        if !text.is_empty() {
            self.push(Token::Text(text.to_owned()), from);
        }
        if self.rest().starts_with("/*") {
            return self.comment(left);
        }
        self.push(Token::Left, left);
        let mut open = 0_usize;
        while !self.inside(left, &mut open)? {}
        Ok(())
    }

    fn comment(&mut self, left: usize) -> Result<(), Fault> {
        let length = self.rest()[2..].find("*/").ok_or_else(|| Fault::new(left, "a comment has no end"))?;
        self.at += 2 + length + 2;
        if self.close() {
            return Ok(());
        }
        Err(Fault::new(left, "a comment must fill its action: put }} right after */"))
    }

    /// One token; true if it was the last of the action.
    fn inside(&mut self, left: usize, open: &mut usize) -> Result<bool, Fault> {
        let from = self.at;
        if self.closes().is_some() {
            if *open > 0 {
                return Err(Fault::new(left, "a parenthesis is not closed"));
            }
            self.close();
            self.push(Token::Right, from);
            return Ok(true);
        }
        let Some(c) = self.peek() else { return Err(Fault::new(left, "{{ is not closed")) };
        self.at += c.len_utf8();
        let token = match c {
            _ if BLANKS.contains(&c) => {
                while self.closes().is_none() && self.peek().is_some_and(|c| BLANKS.contains(&c)) {
                    self.at += 1;
                }
                Token::Space
            }
            '=' => Token::Assign,
            ':' if self.rest().starts_with('=') => {
                self.at += 1;
                Token::Declare
            }
            '|' => Token::Pipe,
            '"' | '\'' | '`' => self.quoted(c, from)?,
            '$' => self.word(from, |text| Token::Variable(text.to_owned()))?,
            '.' if !self.rest().starts_with(|c: char| c.is_ascii_digit()) => self.word(from, field)?,
            '.' | '+' | '-' | '0'..='9' => self.number(from)?,
            '(' => {
                *open += 1;
                Token::Open
            }
            ')' => {
                *open = open.checked_sub(1).ok_or_else(|| Fault::new(from, "a ) too many"))?;
                Token::Close
            }
            _ if c == '_' || c.is_alphanumeric() => self.word(from, name)?,
            ',' => Token::Char(c),
            _ => return Err(Fault::new(from, format!("{c:?} has no meaning in an action"))),
        };
        self.push(token, from);
        Ok(false)
    }

    fn skip_word(&mut self) {
        let rest = self.rest().trim_start_matches(|c: char| c == '_' || c.is_alphanumeric());
        self.at = self.text.len() - rest.len();
    }

    fn word(&mut self, from: usize, of: fn(&str) -> Token) -> Result<Token, Fault> {
        self.skip_word();
        let ends = match self.peek() {
            None => true,
            Some(c) => BLANKS.contains(&c) || ".,|:)(".contains(c) || self.rest().starts_with(RIGHT),
        };
        if !ends {
            let word = &self.text[from..self.at];
            let c = self.peek().unwrap_or_default();
            return Err(Fault::new(self.at, format!("{c:?} cannot follow {word}: use index for such a key")));
        }
        Ok(of(&self.text[from..self.at]))
    }

    fn number(&mut self, from: usize) -> Result<Token, Fault> {
        while let Some(c) = self.peek() {
            let exponent = self.text[from..self.at].ends_with(['e', 'E', 'p', 'P']);
            let hex = self.text[from..self.at].trim_start_matches(['+', '-']).starts_with(['0']);
            let sign =
                "+-".contains(c) && exponent && !(hex && self.text[from..self.at].contains(['x', 'X']));
            if !(sign || c == '.' || c == '_' || c.is_alphanumeric()) {
                break;
            }
            self.at += c.len_utf8();
        }
        let text = &self.text[from..self.at];
        if self.peek().is_some_and(|c| "+-".contains(c)) {
            return Err(Fault::new(from, format!("{text} is no number that is served here")));
        }
        number(text).map(Token::Literal).map_err(|what| Fault::new(from, what))
    }

    fn quoted(&mut self, quote: char, from: usize) -> Result<Token, Fault> {
        let mut escaped = false;
        let length = self.rest().find(|c: char| {
            let ends = !escaped && (c == quote || c == '\n' && quote != '`');
            escaped = !escaped && c == '\\' && quote != '`';
            ends
        });
        let text = length.map(|length| &self.text[self.at..self.at + length]);
        let Some(text) = text.filter(|text| self.text[self.at + text.len()..].starts_with(quote)) else {
            return Err(Fault::new(from, format!("a text is not closed by {quote}")));
        };
        self.at += text.len() + 1;
        unquoted(text, quote).map(Token::Literal).map_err(|what| Fault::new(from, what))
    }
}

fn field(text: &str) -> Token {
    match &text[1..] {
        "" => Token::Dot,
        name => Token::Field(name.to_owned()),
    }
}

fn name(text: &str) -> Token {
    match text {
        "true" => Token::Literal(Value::Bool(true)),
        "false" => Token::Literal(Value::Bool(false)),
        _ => Keyword::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map_or_else(|| Token::Name(text.to_owned()), |(_, keyword)| Token::Keyword(*keyword)),
    }
}
