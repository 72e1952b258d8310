//! From tokens to blocks. Before rendering, every block must have its end, and every function and variable must be
//! known.

use std::collections::BTreeMap;

use super::{
    fault::Fault,
    lex::{At, Keyword, Token, tokens},
    tree::{Block, Body, Command, Node, Operand, Parsed, Pipe, Term},
    value::Value,
};

/// Deepest nesting of blocks and of parentheses, because both are walked by recursion.
const DEEPEST: usize = 32;
/// Flagger's name for the template itself.
const ITSELF: &str = "tmpl";

/// Parses a template. `known`: whether there is a function of a name.
pub(super) fn parse(text: &str, known: fn(&str) -> bool) -> Result<Parsed, Fault> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, known, defined: BTreeMap::new(), depth: 0 };
    let mut scope = Scope::new();
    let mut body = Body::new();
    while *parser.peek() != Token::End {
        if parser.defines() {
            parser.definition()?;
            continue;
        }
        match parser.node(&mut scope)? {
            Parsing::Node(node, at) => body.push((node, at)),
            Parsing::End(at) => return Err(unexpected(at, "{{ end }}")),
            Parsing::Else(at) => return Err(unexpected(at, "{{ else }}")),
        }
    }
    Ok(Parsed { body, defined: parser.defined })
}

fn unexpected(at: usize, what: &str) -> Fault {
    Fault::new(at, format!("unexpected {what}: it belongs to no if, range, with, define or block"))
}

/// Declared variables, and the enclosing loops.
struct Scope {
    variables: Vec<String>,
    loops: usize,
}

impl Scope {
    fn new() -> Self {
        Self { variables: vec!["$".into()], loops: 0 }
    }
}

/// A piece of a template.
enum Parsing {
    Node(Node, usize),
    End(usize),
    /// The `if` or `with` after it is still to be parsed.
    Else(usize),
}

struct Parser {
    tokens: Vec<At>,
    next: usize,
    known: fn(&str) -> bool,
    defined: BTreeMap<String, Body>,
    depth: usize,
}

impl Parser {
    fn at(&self) -> usize {
        self.tokens.get(self.next).or(self.tokens.last()).map_or(0, |(_, at)| *at)
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    /// The next token after blanks, which are skipped.
    fn solid(&mut self) -> &Token {
        while *self.peek() == Token::Space {
            self.next += 1;
        }
        self.peek()
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn takes(&mut self, token: &Token) -> bool {
        let found = self.solid() == token;
        self.next += usize::from(found);
        found
    }

    fn keyword(&mut self) -> Option<Keyword> {
        match self.solid() {
            Token::Keyword(keyword) => Some(*keyword),
            _ => None,
        }
    }

    fn strange(&mut self, place: &str) -> Fault {
        let what = self.solid().shown();
        Fault::new(self.at(), format!("unexpected {what} in {place}"))
    }

    fn closed(&mut self, place: &str) -> Result<(), Fault> {
        if self.takes(&Token::Right) { Ok(()) } else { Err(self.strange(place)) }
    }

    fn deeper<T>(&mut self, within: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == DEEPEST {
            return Err(Fault::new(self.at(), format!("more than {DEEPEST} blocks inside one another")));
        }
        self.depth += 1;
        let done = within(self);
        self.depth -= 1;
        done
    }

    /// `{{ define` is next.
    fn defines(&self) -> bool {
        let mut rest = self.tokens[self.next..].iter().map(|(token, _)| token);
        rest.next() == Some(&Token::Left)
            && rest.find(|token| **token != Token::Space) == Some(&Token::Keyword(Keyword::Define))
    }

    fn definition(&mut self) -> Result<(), Fault> {
        let from = self.at();
        self.next += 1;
        self.keyword();
        self.next += 1;
        let name = self.name("define")?;
        self.closed("define")?;
        self.define(name, from)
    }

    /// The body of a definition, up to its end.
    fn define(&mut self, name: String, from: usize) -> Result<(), Fault> {
        let mut scope = Scope::new();
        let (body, end) = self.deeper(|parser| parser.body(&mut scope, from))?;
        if let Parsing::Else(at) = end {
            return Err(unexpected(at, "{{ else }}"));
        }
        let blank = |body: &Body| {
            body.iter().all(|(node, _)| matches!(node, Node::Text(text) if text.trim().is_empty()))
        };
        if name == ITSELF || self.defined.get(&name).is_some_and(|known| !blank(known) && !blank(&body)) {
            return Err(Fault::new(from, format!("{name:?} is defined twice")));
        }
        if self.defined.get(&name).is_none_or(blank) {
            self.defined.insert(name, body);
        }
        Ok(())
    }

    /// The name of a template.
    fn name(&mut self, place: &str) -> Result<String, Fault> {
        match self.solid() {
            Token::Literal(Value::Text(name, _)) => {
                let name = name.to_string();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.strange(place)),
        }
    }

    fn body(&mut self, scope: &mut Scope, from: usize) -> Result<(Body, Parsing), Fault> {
        let mut body = Body::new();
        while *self.peek() != Token::End {
            match self.node(scope)? {
                Parsing::Node(node, at) => body.push((node, at)),
                end => return Ok((body, end)),
            }
        }
        Err(Fault::new(from, "this block has no {{ end }}"))
    }

    fn node(&mut self, scope: &mut Scope) -> Result<Parsing, Fault> {
        let at = self.at();
        match self.take() {
            Token::Text(text) => return Ok(Parsing::Node(Node::Text(text), at)),
            Token::Left => {}
            _ => {
                self.next -= 1;
                return Err(self.strange("the template"));
            }
        }
        let Some(keyword) = self.keyword().filter(|k| !matches!(k, Keyword::Nil | Keyword::Define)) else {
            let pipe = self.pipe(scope, "an action", &Token::Right)?;
            return Ok(Parsing::Node(Node::Action(pipe), at));
        };
        self.next += 1;
        let node = match keyword {
            Keyword::If => Node::If(self.block(scope, keyword, at)?),
            Keyword::With => Node::With(self.block(scope, keyword, at)?),
            Keyword::Range => Node::Range(self.block(scope, keyword, at)?),
            Keyword::Template | Keyword::Block => self.template(scope, keyword, at)?,
            Keyword::Break | Keyword::Continue => {
                self.closed(keyword.name())?;
                if scope.loops == 0 {
                    return Err(Fault::new(at, format!("{} outside of range", keyword.name())));
                }
                if keyword == Keyword::Break { Node::Break } else { Node::Continue }
            }
            Keyword::Else => {
                if !matches!(self.keyword(), Some(Keyword::If | Keyword::With)) {
                    self.closed("else")?;
                }
                return Ok(Parsing::Else(at));
            }
            Keyword::End | Keyword::Nil | Keyword::Define => {
                self.closed("end")?;
                return Ok(Parsing::End(at));
            }
        };
        Ok(Parsing::Node(node, at))
    }

    fn block(&mut self, scope: &mut Scope, kind: Keyword, from: usize) -> Result<Block, Fault> {
        let before = scope.variables.len();
        let block = self.deeper(|parser| parser.block_inside(scope, kind, from));
        scope.variables.truncate(before);
        block
    }

    fn block_inside(&mut self, scope: &mut Scope, kind: Keyword, from: usize) -> Result<Block, Fault> {
        let pipe = self.pipe(scope, kind.name(), &Token::Right)?;
        let loops = usize::from(kind == Keyword::Range);
        scope.loops += loops;
        let inside = self.body(scope, from);
        scope.loops -= loops;
        let (body, end) = inside?;
        let Parsing::Else(at) = end else { return Ok(Block { pipe, body, otherwise: vec![] }) };
        let chained = self.keyword().filter(|next| *next == kind && kind != Keyword::Range);
        let otherwise = if let Some(next) = chained {
            self.next += 1;
            let block = self.block(scope, next, at)?;
            vec![(if next == Keyword::If { Node::If(block) } else { Node::With(block) }, at)]
        } else if *self.peek() == Token::Space || matches!(self.peek(), Token::Keyword(_)) {
            return Err(self.strange("else"));
        } else {
            match self.body(scope, from)? {
                (body, Parsing::End(_)) => body,
                (_, Parsing::Else(at) | Parsing::Node(_, at)) => {
                    return Err(Fault::new(at, "a second {{ else }} of the same block"));
                }
            }
        };
        Ok(Block { pipe, body, otherwise })
    }

    fn template(&mut self, scope: &mut Scope, kind: Keyword, from: usize) -> Result<Node, Fault> {
        let name = self.name(kind.name())?;
        if kind == Keyword::Template && self.takes(&Token::Right) {
            return Ok(Node::Template(name, None));
        }
        let pipe = self.pipe(scope, kind.name(), &Token::Right)?;
        if kind == Keyword::Block {
            self.define(name.clone(), from)?;
        }
        Ok(Node::Template(name, Some(pipe)))
    }

    fn pipe(&mut self, scope: &mut Scope, place: &str, end: &Token) -> Result<Pipe, Fault> {
        let mut pipe = Pipe::default();
        self.declarations(scope, place, &mut pipe)?;
        loop {
            if self.takes(end) {
                break;
            }
            let command = self.command(scope, place)?;
            let bare = matches!(command.first.term, Term::Literal(_) | Term::Nil | Term::Dot)
                && command.first.fields.is_empty();
            if bare && !pipe.commands.is_empty() {
                return Err(Fault::new(command.first.at, "only a function can stand behind |"));
            }
            pipe.commands.push(command);
        }
        if pipe.commands.is_empty() {
            return Err(Fault::new(self.at(), format!("missing value for {place}")));
        }
        Ok(pipe)
    }

    fn declarations(&mut self, scope: &mut Scope, place: &str, pipe: &mut Pipe) -> Result<(), Fault> {
        while let Token::Variable(name) = self.solid() {
            let name = name.clone();
            let back = self.next;
            self.next += 1;
            match self.solid() {
                Token::Assign | Token::Declare => {
                    pipe.assigns = self.take() == Token::Assign;
                    pipe.variables.push(name.clone());
                    scope.variables.push(name);
                    return Ok(());
                }
                Token::Char(',') if place == Keyword::Range.name() && pipe.variables.is_empty() => {
                    self.next += 1;
                    pipe.variables.push(name.clone());
                    scope.variables.push(name);
                    if !matches!(self.solid(), Token::Variable(_)) {
                        return Err(self.strange("range"));
                    }
                }
                Token::Char(',') => return Err(Fault::new(self.at(), "too many variables")),
                _ if !pipe.variables.is_empty() => return Err(self.strange("range")),
                _ => {
                    self.next = back;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn command(&mut self, scope: &mut Scope, place: &str) -> Result<Command, Fault> {
        let first = self.operand(scope)?.ok_or_else(|| self.strange(place))?;
        let mut arguments = Vec::new();
        loop {
            match self.peek() {
                Token::Space => {
                    let Some(operand) = self.operand(scope)? else { continue };
                    arguments.push(operand);
                }
                Token::Right | Token::Close => break,
                Token::Pipe => {
                    self.next += 1;
                    break;
                }
                _ => return Err(self.strange(place)),
            }
        }
        Ok(Command { first, arguments })
    }

    /// None: the next token is not an operand. Blanks before it are consumed.
    fn operand(&mut self, scope: &mut Scope) -> Result<Option<Operand>, Fault> {
        let token = self.solid().clone();
        let at = self.at();
        let mut fields = Vec::new();
        let term = match token {
            Token::Literal(value) => Term::Literal(value),
            Token::Keyword(Keyword::Nil) => Term::Nil,
            Token::Dot => Term::Dot,
            Token::Field(name) => {
                fields.push(name);
                Term::Dot
            }
            Token::Variable(name) if scope.variables.contains(&name) => Term::Variable(name),
            Token::Variable(name) => {
                return Err(Fault::new(at, format!("variable {name} is not declared")));
            }
            Token::Name(name) if (self.known)(&name) => Term::Function(name),
            Token::Name(name) => return Err(Fault::new(at, format!("function {name} is not known"))),
            Token::Open => {
                self.next += 1;
                let inner = |parser: &mut Self| parser.pipe(scope, "parentheses", &Token::Close);
                Term::Pipe(self.deeper(inner)?)
            }
            _ => return Ok(None),
        };
        self.next += usize::from(!matches!(term, Term::Pipe(_)));
        let chained = matches!(self.peek(), Token::Field(_));
        if chained && fields.is_empty() && matches!(term, Term::Literal(_) | Term::Nil | Term::Dot) {
            return Err(Fault::new(at, "a text, number, nil or . has no fields to read"));
        }
        while let Token::Field(name) = self.peek() {
            fields.push(name.clone());
            self.next += 1;
        }
        Ok(Some(Operand { at, term, fields }))
    }
}
