//! Renders a parsed template.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    fault::Fault,
    functions, printf,
    tree::{Block, Body, Command, Node, Operand, Parsed, Pipe, Term},
    value::{Budget, LONGEST, Value},
};

/// Deepest nesting of templates that call each other.
const DEEPEST: usize = 16;
/// Deepest nesting of blocks and templates during rendering: each takes a few stack frames.
const MOST_BODIES: usize = 128;

/// How a body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

type Variables = Vec<(String, Value)>;

/// Renders a template with the functions of a query, none of which takes an argument.
pub(super) fn run(parsed: &Parsed, given: &BTreeMap<&str, Value>) -> Result<String, Fault> {
    let mut runner = Runner {
        given,
        defined: &parsed.defined,
        out: String::new(),
        budget: Budget::new(),
        variables: vec![("$".into(), Value::Nil)],
        depth: 0,
        bodies: 0,
    };
    runner.body(&parsed.body, &Value::Nil)?;
    Ok(runner.out)
}

struct Runner<'r> {
    given: &'r BTreeMap<&'r str, Value>,
    defined: &'r BTreeMap<String, Body>,
    out: String,
    budget: Budget,
    variables: Variables,
    depth: usize,
    bodies: usize,
}

impl Runner<'_> {
    fn body(&mut self, body: &Body, dot: &Value) -> Result<Flow, Fault> {
        let mut ends = Flow::On;
        self.bodies += 1;
        for (node, at) in body {
            if self.bodies > MOST_BODIES {
                let what = format!("more than {MOST_BODIES} blocks and templates inside one another");
                return Err(Fault::new(*at, what));
            }
            self.budget.step().map_err(|what| Fault::new(*at, what))?;
            let flow = match node {
                Node::Text(text) => self.write(text, *at)?,
                Node::Action(pipe) => self.action(pipe, dot, *at)?,
                Node::If(block) => self.branch(block, dot, false)?,
                Node::With(block) => self.branch(block, dot, true)?,
                Node::Range(block) => self.range(block, dot, *at)?,
                Node::Template(name, pipe) => self.template(name, pipe.as_ref(), dot, *at)?,
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::On {
                ends = flow;
                break;
            }
        }
        self.bodies -= 1;
        Ok(ends)
    }

    fn write(&mut self, text: &str, at: usize) -> Result<Flow, Fault> {
        if self.out.len() + text.len() > LONGEST {
            return Err(Fault::new(at, format!("renders to more than {LONGEST} bytes")));
        }
        self.out.push_str(text);
        Ok(Flow::On)
    }

    fn action(&mut self, pipe: &Pipe, dot: &Value, at: usize) -> Result<Flow, Fault> {
        let value = self.pipe(pipe, dot)?;
        if !pipe.variables.is_empty() {
            return Ok(Flow::On);
        }
        let text = match value {
            Value::Nil => functions::NO_VALUE.into(),
            Value::Text(text, _) => return self.write(&text, at),
            value => printf::print(&[value]).map_err(|what| Fault::new(at, what))?,
        };
        self.write(&text, at)
    }

    fn branch(&mut self, block: &Block, dot: &Value, moves: bool) -> Result<Flow, Fault> {
        let before = self.variables.len();
        let value = self.pipe(&block.pipe, dot)?;
        let flow = if value.truth() {
            self.body(&block.body, if moves { &value } else { dot })
        } else {
            self.body(&block.otherwise, dot)
        };
        self.variables.truncate(before);
        flow
    }

    fn range(&mut self, block: &Block, dot: &Value, at: usize) -> Result<Flow, Fault> {
        let before = self.variables.len();
        let over = self.pipe(&block.pipe, dot)?;
        let two = block.pipe.variables.len() > 1;
        let wrong = |what: &str| Fault::new(at, format!("range cannot go through {what}"));
        let mut rounds = 0_usize;
        match over {
            Value::Nil => {}
            Value::Int(_) | Value::Byte(_) if two => return Err(wrong("a number with two variables")),
            Value::Int(most) => {
                for n in 0..most.max(0) {
                    rounds += 1;
                    if !self.round(block, Value::Int(n), &Value::Int(n), at)? {
                        break;
                    }
                }
            }
            Value::Byte(most) => {
                for n in 0..most {
                    rounds += 1;
                    if !self.round(block, Value::Byte(n), &Value::Byte(n), at)? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    rounds += 1;
                    if !self.round(block, Value::text(key.as_str()), value, at)? {
                        break;
                    }
                }
            }
            other => return Err(wrong(other.named())),
        }
        let flow = if rounds == 0 { self.body(&block.otherwise, dot) } else { Ok(Flow::On) };
        self.variables.truncate(before);
        flow
    }

    /// Whether the loop continues.
    fn round(&mut self, block: &Block, key: Value, value: &Value, at: usize) -> Result<bool, Fault> {
        self.budget.step().map_err(|what| Fault::new(at, what))?;
        let top = self.variables.len();
        let names = &block.pipe.variables;
        let pairs = match names.len() {
            0 => vec![],
            1 => vec![value.clone()],
            _ => vec![key, value.clone()],
        };
        for (n, (name, value)) in names.iter().zip(pairs).enumerate() {
            if block.pipe.assigns {
                self.assign(name, value, at)?;
            } else if let Some(declared) = self.variables.get_mut(top - names.len() + n) {
                declared.1 = value;
            }
        }
        let flow = self.body(&block.body, value)?;
        self.variables.truncate(top);
        Ok(flow != Flow::Break)
    }

    fn template(&mut self, name: &str, pipe: Option<&Pipe>, dot: &Value, at: usize) -> Result<Flow, Fault> {
        let defined = self.defined;
        let Some(body) = defined.get(name) else {
            return Err(Fault::new(at, format!("template {name:?} is not defined")));
        };
        if self.depth == DEEPEST {
            return Err(Fault::new(at, format!("more than {DEEPEST} templates inside one another")));
        }
        let dot = pipe.map_or(Ok(Value::Nil), |pipe| self.pipe(pipe, dot))?;
        let variables = std::mem::replace(&mut self.variables, vec![("$".into(), dot.clone())]);
        self.depth += 1;
        self.body(body, &dot)?;
        self.depth -= 1;
        self.variables = variables;
        Ok(Flow::On)
    }

    fn assign(&mut self, name: &str, value: Value, at: usize) -> Result<(), Fault> {
        let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
        let known = known.ok_or_else(|| Fault::new(at, format!("variable {name} is not declared")))?;
        known.1 = value;
        Ok(())
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Result<Value, Fault> {
        let mut last = None;
        let mut at = 0;
        for command in &pipe.commands {
            at = command.first.at;
            last = Some(self.command(command, dot, last)?);
        }
        let value = last.unwrap_or(Value::Nil);
        for name in &pipe.variables {
            if pipe.assigns {
                self.assign(name, value.clone(), at)?;
            } else {
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    fn command(&mut self, command: &Command, dot: &Value, last: Option<Value>) -> Result<Value, Fault> {
        let Command { first, arguments } = command;
        let wrong = |what: String| Fault::new(first.at, what);
        self.budget.step().map_err(wrong)?;
        if let (Term::Function(name), []) = (&first.term, first.fields.as_slice()) {
            return self.call(name, arguments, last, dot, first.at);
        }
        if !arguments.is_empty() || last.is_some() {
            return Err(wrong("arguments are given to what is no function".into()));
        }
        if first.term == Term::Nil {
            return Err(wrong("nil is no command".into()));
        }
        self.operand(first, dot)
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, Fault> {
        let mut value = match &operand.term {
            Term::Literal(value) => value.clone(),
            Term::Nil => Value::Nil,
            Term::Dot => dot.clone(),
            Term::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let lost = || Fault::new(operand.at, format!("variable {name} is not declared here"));
                known.ok_or_else(lost)?.1.clone()
            }
            Term::Function(name) => self.call(name, &[], None, dot, operand.at)?,
            Term::Pipe(pipe) => self.pipe(pipe, dot)?,
        };
        for name in &operand.fields {
            value = match &value {
                Value::Map(map) => map.get(name).cloned().ok_or_else(|| {
                    let what = format!("there is no key {name}: an optional one is read by index, as in {{{{ index variables {name:?} }}}}");
                    Fault::new(operand.at, what)
                })?,
                other => {
                    let what = format!("{} has no field {name}", other.named());
                    return Err(Fault::new(operand.at, what));
                }
            };
        }
        Ok(value)
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &[Operand],
        last: Option<Value>,
        dot: &Value,
        at: usize,
    ) -> Result<Value, Fault> {
        self.budget.step().map_err(|what| Fault::new(at, what))?;
        let count = arguments.len() + usize::from(last.is_some());
        if let Some(value) = self.given.get(name) {
            if count > 0 {
                return Err(Fault::new(at, format!("{name} takes no arguments, and is given {count}")));
            }
            return Ok(value.clone());
        }
        functions::takes(name, count).map_err(|what| Fault::new(at, what))?;
        if let Some(until) = functions::stops_at(name) {
            return self.first_of(arguments, last, dot, until);
        }
        let mut values = Vec::with_capacity(count);
        for operand in arguments {
            values.push(self.operand(operand, dot)?);
        }
        values.extend(last);
        functions::call(name, &values, &mut self.budget).map_err(|what| Fault::new(at, what))
    }

    /// `and`, `or`: the first value that decides, or the last; the rest is not evaluated.
    fn first_of(
        &mut self,
        arguments: &[Operand],
        last: Option<Value>,
        dot: &Value,
        until: bool,
    ) -> Result<Value, Fault> {
        let mut value = Value::Nil;
        for operand in arguments {
            value = self.operand(operand, dot)?;
            if value.truth() == until {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }
}

/// The maps of a template, made of texts.
pub(super) fn map(entries: impl Iterator<Item = (String, Value)>) -> Value {
    Value::Map(Rc::new(entries.collect()))
}
