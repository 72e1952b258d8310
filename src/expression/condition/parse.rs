//! Parses tokens into a tree.

use super::{
    fault::Fault,
    lex::{At, Token, tokens},
    tree::{Expr, Node, Operator},
};

/// Deepest nesting, because a tree is walked by recursion.
const DEEPEST: usize = 24;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, Fault> {
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0 };
    let expr = parser.choice()?;
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.strange("and, or or the end")),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<At<'t>>,
    next: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Token<'t> {
        self.tokens.get(self.next).map_or(Token::End, |(token, ..)| *token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |(_, from, _)| *from)
    }

    /// The end of the last token.
    fn end(&self) -> usize {
        self.tokens.get(self.next.wrapping_sub(1)).map_or(0, |(_, _, to)| *to)
    }

    fn takes(&mut self, sign: u8) -> bool {
        let found = self.peek() == Token::Sign(sign);
        self.next += usize::from(found);
        found
    }

    fn wants(&mut self, sign: u8) -> Result<(), Fault> {
        let shown = [sign];
        if self.takes(sign) {
            Ok(())
        } else {
            Err(self.strange(std::str::from_utf8(&shown).unwrap_or_default()))
        }
    }

    fn strange(&self, wanted: &str) -> Fault {
        let found = match self.tokens.get(self.next) {
            Some((Token::Text, ..)) => "a text",
            None | Some((Token::End, ..)) => "the end",
            Some((_, from, to)) => &self.text[*from..*to],
        };
        Fault::new(self.at(), format!("unexpected {found}, where {wanted} is wanted"))
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
        if !self.takes(b'?') {
            return Ok(asked);
        }
        let yes = self.deeper(Self::choice)?;
        self.wants(b':')?;
        let no = self.deeper(Self::choice)?;
        Ok(self.expr(from, Node::Choice([asked, yes, no].map(Box::new))))
    }

    /// Operators that bind at least as strongly as `least`, from the left.
    fn binary(&mut self, least: usize) -> Result<Expr, Fault> {
        let from = self.at();
        let mut left = self.unary()?;
        loop {
            let (mut found, mut negated) = (self.peek(), false);
            if found == Token::Not {
                found = self.tokens.get(self.next + 1).map_or(Token::End, |(token, ..)| *token);
                negated = found == Token::Operator(Operator::In);
            }
            let Token::Operator(operator) = found else { return Ok(left) };
            let level = operator.level();
            if level < least || self.peek() == Token::Not && !negated {
                return Ok(left);
            }
            self.next += 1 + usize::from(negated);
            let right = self.binary(level + 1)?;
            left = self.expr(from, Node::Binary(operator, Box::new(left), Box::new(right)));
            if negated {
                left = self.expr(from, Node::Not(Box::new(left)));
            }
        }
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let from = self.at();
        let first = self.peek();
        if let Token::Bang | Token::Not = first {
            self.next += 1;
            let of = self.deeper(Self::unary)?;
            return Ok(self.expr(from, Node::Not(Box::new(of))));
        }
        if first == Token::Operator(Operator::Subtract) {
            self.next += 1;
            let of = self.deeper(Self::unary)?;
            return Ok(self.expr(from, Node::Minus(Box::new(of))));
        }
        let mut expr = self.primary()?;
        loop {
            if self.takes(b'[') {
                let at = self.deeper(Self::choice)?;
                self.wants(b']')?;
                expr = self.expr(from, Node::Index(Box::new(expr), Box::new(at)));
            } else if self.takes(b'.') {
                let Token::Name(name) = self.peek() else {
                    return Err(self.strange("the name of a function"));
                };
                self.next += 1;
                let arguments = self.arguments()?;
                expr = self.expr(from, Node::Method(name.to_owned(), Box::new(expr), arguments));
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let from = self.at();
        let token = self.peek();
        self.next += 1;
        let node = match token {
            Token::Number(n) => Node::Number(n),
            Token::Text => Node::Text,
            Token::Name(name) => match name {
                "true" => Node::Truth(true),
                "false" => Node::Truth(false),
                "nil" | "null" => Node::Nothing,
                _ if self.peek() == Token::Sign(b'(') => {
                    let arguments = self.arguments()?;
                    Node::Call(name.to_owned(), arguments)
                }
                _ => Node::Name(name.to_owned()),
            },
            Token::Sign(b'(') => {
                let inner = self.deeper(Self::choice)?;
                self.wants(b')')?;
                return Ok(self.expr(from, inner.node));
            }
            Token::Sign(b'[') => Node::List(self.listed(b']')?),
            _ => {
                self.next -= 1;
                return Err(self.strange("a value"));
            }
        };
        Ok(self.expr(from, node))
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, Fault> {
        self.wants(b'(')?;
        self.listed(b')')
    }

    fn listed(&mut self, close: u8) -> Result<Vec<Expr>, Fault> {
        let mut all = Vec::new();
        while !self.takes(close) {
            if !all.is_empty() {
                self.wants(b',')?;
            }
            all.push(self.deeper(Self::choice)?);
        }
        Ok(all)
    }
}
