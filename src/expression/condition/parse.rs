//! From tokens to a tree.

use super::{
    fault::Fault,
    lex::{At, Token, tokens},
    tree::{Expr, Node, Operator},
};

/// Deepest nesting: a tree is walked by recursion.
const DEEPEST: usize = 24;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, Fault> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0 };
    let expr = parser.choice()?;
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.strange("and, or or the end")),
    }
}

struct Parser {
    tokens: Vec<At>,
    next: usize,
    depth: usize,
}

/// Operators that stand between two expressions, each with how strongly it binds.
const OPERATORS: [(&str, usize, Operator); 16] = [
    ("||", 1, Operator::Or),
    ("or", 1, Operator::Or),
    ("&&", 2, Operator::And),
    ("and", 2, Operator::And),
    ("==", 3, Operator::Equal),
    ("!=", 3, Operator::Unequal),
    ("<=", 3, Operator::AtMost),
    (">=", 3, Operator::AtLeast),
    ("<", 3, Operator::Less),
    (">", 3, Operator::More),
    ("in", 3, Operator::In),
    ("+", 4, Operator::Add),
    ("-", 4, Operator::Subtract),
    ("*", 5, Operator::Multiply),
    ("/", 5, Operator::Divide),
    ("%", 5, Operator::Remainder),
];

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, ..)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |(_, from, _)| *from)
    }

    /// Where the last token that was taken ends.
    fn end(&self) -> usize {
        self.tokens.get(self.next.wrapping_sub(1)).map_or(0, |(_, _, to)| *to)
    }

    fn word(&self) -> &str {
        self.word_at(self.next)
    }

    fn word_at(&self, at: usize) -> &str {
        match self.tokens.get(at) {
            Some((Token::Sign(sign), ..)) => sign,
            Some((Token::Name(name), ..)) => name,
            _ => "",
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.word() == word;
        self.next += usize::from(found);
        found
    }

    fn wants(&mut self, sign: &str) -> Result<(), Fault> {
        if self.takes(sign) { Ok(()) } else { Err(self.strange(sign)) }
    }

    fn strange(&self, wanted: &str) -> Fault {
        Fault::new(self.at(), format!("unexpected {}, where {wanted} is wanted", self.peek().shown()))
    }

    fn deeper(&mut self, within: fn(&mut Self) -> Result<Expr, Fault>) -> Result<Expr, Fault> {
        if self.depth == DEEPEST {
            return Err(Fault::new(self.at(), "it is nested too deep"));
        }
        self.depth += 1;
        let done = within(self);
        self.depth -= 1;
        done
    }

    fn expr(&self, from: usize, node: Node) -> Expr {
        Expr { from, to: self.end(), node }
    }

    /// `a ? b : c`.
    fn choice(&mut self) -> Result<Expr, Fault> {
        let from = self.at();
        let asked = self.binary(1)?;
        if !self.takes("?") {
            return Ok(asked);
        }
        let yes = self.deeper(Self::choice)?;
        self.wants(":")?;
        let no = self.deeper(Self::choice)?;
        Ok(self.expr(from, Node::Choice([asked, yes, no].map(Box::new))))
    }

    /// Operators that bind at least as strongly as `least`, from the left.
    fn binary(&mut self, least: usize) -> Result<Expr, Fault> {
        let from = self.at();
        let mut left = self.unary()?;
        loop {
            let negated = self.word() == "not" && self.word_at(self.next + 1) == "in";
            let word = if negated { "in" } else { self.word() };
            let found = OPERATORS.iter().find(|(known, level, _)| *known == word && *level >= least);
            let Some((_, level, operator)) = found else { return Ok(left) };
            self.next += 1 + usize::from(negated);
            let right = self.binary(level + 1)?;
            left = self.expr(from, Node::Binary(*operator, Box::new(left), Box::new(right)));
            if negated {
                left = self.expr(from, Node::Not(Box::new(left)));
            }
        }
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let from = self.at();
        if self.takes("!") || self.takes("not") {
            let of = self.deeper(Self::unary)?;
            return Ok(self.expr(from, Node::Not(Box::new(of))));
        }
        if self.takes("-") {
            let of = self.deeper(Self::unary)?;
            return Ok(self.expr(from, Node::Minus(Box::new(of))));
        }
        let mut expr = self.primary()?;
        loop {
            if self.takes("[") {
                let at = self.deeper(Self::choice)?;
                self.wants("]")?;
                expr = self.expr(from, Node::Index(Box::new(expr), Box::new(at)));
            } else if self.takes(".") {
                let Token::Name(name) = self.peek().clone() else {
                    return Err(self.strange("the name of a function"));
                };
                self.next += 1;
                let arguments = self.arguments()?;
                expr = self.expr(from, Node::Method(name, Box::new(expr), arguments));
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let from = self.at();
        let token = self.peek().clone();
        self.next += 1;
        let node = match token {
            Token::Number(n) => Node::Number(n),
            Token::Text => Node::Text,
            Token::Name(name) => match name.as_str() {
                "true" => Node::Truth(true),
                "false" => Node::Truth(false),
                "nil" | "null" => Node::Nothing,
                "and" | "or" | "in" => {
                    self.next -= 1;
                    return Err(self.strange("a value"));
                }
                _ if self.word() == "(" => {
                    let arguments = self.arguments()?;
                    Node::Call(name, arguments)
                }
                _ => Node::Name(name),
            },
            Token::Sign("(") => {
                let inner = self.deeper(Self::choice)?;
                self.wants(")")?;
                return Ok(self.expr(from, inner.node));
            }
            Token::Sign("[") => Node::List(self.listed("]")?),
            _ => {
                self.next -= 1;
                return Err(self.strange("a value"));
            }
        };
        Ok(self.expr(from, node))
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, Fault> {
        self.wants("(")?;
        self.listed(")")
    }

    fn listed(&mut self, close: &str) -> Result<Vec<Expr>, Fault> {
        let mut all = Vec::new();
        while !self.takes(close) {
            if !all.is_empty() {
                self.wants(",")?;
            }
            all.push(self.deeper(Self::choice)?);
        }
        Ok(all)
    }
}
