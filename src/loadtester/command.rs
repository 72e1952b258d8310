//! PURE. From the text of a command to programs and their arguments, and which programs may run.
//!
//! Without a shell a text either means the same as in one, or is refused: words, quotes, backslashes and `|` are
//! supported, and everything else that a shell would interpret has to be quoted. No crate for splitting words
//! distinguishes quoted characters from plain ones, so this module splits them itself.

use std::collections::BTreeSet;

use super::arguments;

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Programs with their arguments, each reading the output of the previous one.
    Pipe(Vec<Vec<String>>),
    /// A text for a shell.
    Shell {
        /// `sh` or `bash`.
        shell: &'static str,
        /// The text.
        text: String,
    },
}

/// Which commands may run.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// Everything, in a shell.
    pub(super) any: bool,
    /// Names of programs, without a path.
    pub(super) listed: BTreeSet<String>,
    /// Those that may have any argument.
    pub(super) any_argument: BTreeSet<String>,
}

impl Policy {
    /// How to run a command; `shell` is the shell that runs it if everything may run.
    ///
    /// # Errors
    /// It may not run, or not without a shell: why, and the remedy.
    pub(super) fn admit(&self, command: &str, shell: &'static str) -> Result<Work, String> {
        if self.any {
            return Ok(Work::Shell { shell, text: command.to_owned() });
        }
        let pipe = split(command)?;
        for words in &pipe {
            let program = words.first().map(String::as_str).unwrap_or_default();
            if program.is_empty() {
                return Err("a command is missing before or after |".to_owned());
            }
            self.permit(program)?;
            self.permit_arguments(program, words)?;
        }
        Ok(Work::Pipe(pipe))
    }

    /// How to run a program with these words, split as in Flagger: at white space, without any
    /// special characters.
    ///
    /// # Errors
    /// It may not run: why, and the remedy.
    pub(super) fn admit_program(&self, program: &str, words: &str) -> Result<Work, String> {
        if !self.any {
            self.permit(program)?;
        }
        Ok(Work::Pipe(vec![
            std::iter::once(program).chain(words.split_whitespace()).map(String::from).collect(),
        ]))
    }

    fn permit_arguments(&self, program: &str, words: &[String]) -> Result<(), String> {
        if self.any_argument.contains(program) {
            return Ok(());
        }
        let refused = |argument: String| {
            if let Some(new) = arguments::renamed(program, &argument) {
                return format!(
                    "{program} is not run with {argument}, which it calls {new} by now: write that"
                );
            }
            format!(
                "{program} is not run with {argument}: only arguments that lead to no files, scripts and sockets of the Pod are \
                 taken; --allow-commands={program} of the load tester takes all"
            )
        };
        arguments::admit(program, words.get(1..).unwrap_or_default()).map_err(refused)
    }

    fn permit(&self, program: &str) -> Result<(), String> {
        if self.listed.contains(program) {
            return Ok(());
        }
        let listed: Vec<_> = self.listed.iter().map(String::as_str).collect();
        Err(format!(
            "{program} is not one of the commands that may run ({}): add it to --allow-commands of the load tester",
            listed.join(", ")
        ))
    }
}

/// The words of a text, and the parser's state.
#[derive(Default)]
struct Reader {
    pipe: Vec<Vec<String>>,
    words: Vec<String>,
    word: Option<String>,
}

impl Reader {
    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self) {
        self.end_word();
        self.pipe.push(std::mem::take(&mut self.words));
    }
}

fn split(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut read = Reader::default();
    let mut rest = text.trim().chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' => {
                read.word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some('\'') => break,
                        Some(c) => read.push(c),
                        None => return Err("a quote ' is not closed".to_owned()),
                    }
                }
            }
            '"' => double_quoted(&mut rest, &mut read)?,
            '\\' => match rest.next() {
                Some('\n') => {}
                Some(c) => read.push(c),
                None => return Err("a \\ stands at the end".to_owned()),
            },
            '|' if rest.peek() != Some(&'|') => read.end_command(),
            '|' | ';' | '&' | '<' | '>' | '(' | ')' | '\n' | '`' => return Err(needs_shell(c)),
            '$' if expands(rest.peek()) => return Err(needs_shell(c)),
            '~' | '#' if read.word.is_none() => return Err(needs_shell(c)),
            ' ' | '\t' | '\r' => read.end_word(),
            c => read.push(c),
        }
    }
    read.end_command();
    Ok(read.pipe)
}

/// The rest of a text in double quotes.
fn double_quoted(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    read: &mut Reader,
) -> Result<(), String> {
    read.word.get_or_insert_default();
    loop {
        match rest.next() {
            Some('"') => return Ok(()),
            Some('\\') => match rest.next() {
                Some('\n') => {}
                Some(c @ ('"' | '\\' | '$' | '`')) => read.push(c),
                Some(c) => {
                    read.push('\\');
                    read.push(c);
                }
                None => return Err("a quote \" is not closed".to_owned()),
            },
            Some('`') => return Err(needs_shell('`')),
            Some('$') if expands(rest.peek()) => return Err(needs_shell('$')),
            Some(c) => read.push(c),
            None => return Err("a quote \" is not closed".to_owned()),
        }
    }
}

/// Whether a shell would expand a `$` before this.
fn expands(next: Option<&char>) -> bool {
    next.is_some_and(|c| c.is_ascii_alphanumeric() || "_({*@#?$!-'\"".contains(*c))
}

fn needs_shell(c: char) -> String {
    let shown = if c == '\n' { "a line break".to_owned() } else { c.to_string() };
    format!(
        "{shown} is for a shell, and commands run without one: put it in single quotes if it is meant as it stands, or start the load tester with --allow-any-command"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Policy {
        Policy { any: false, listed: BTreeSet::new(), any_argument: BTreeSet::new() }
    }

    fn policy() -> Policy {
        Policy { listed: ["hey", "curl", "grep", "tool"].map(String::from).into(), ..none() }
    }

    #[track_caller]
    fn becomes(text: &str, expected: &[&[&str]]) {
        let expected: Vec<Vec<String>> =
            expected.iter().map(|words| words.iter().map(|w| (*w).to_owned()).collect()).collect();
        assert_eq!(policy().admit(text, "sh"), Ok(Work::Pipe(expected)), "{text}");
    }

    #[test]
    fn commands_as_canaries_have_them_are_split_as_a_shell_would() {
        becomes(
            "hey -z 1m -q 10 -c 2 http://podinfo-canary.test:9898/\n",
            &[&["hey", "-z", "1m", "-q", "10", "-c", "2", "http://podinfo-canary.test:9898/"]],
        );
        becomes(
            "curl -sd 'test' http://podinfo-canary:9898/token | grep token",
            &[&["curl", "-sd", "test", "http://podinfo-canary:9898/token"], &["grep", "token"]],
        );
        becomes(
            "tool -m POST \\\n  -d '{\"a\": \"$b|c\"}' -H \"x: \\\"y\\\"\" ''",
            &[&["tool", "-m", "POST", "-d", "{\"a\": \"$b|c\"}", "-H", "x: \"y\"", ""]],
        );
        becomes(
            "curl 'http://a'b\"c\"\\ d$ http://x/?q=1*2#f",
            &[&["curl", "http://abc d$", "http://x/?q=1*2#f"]],
        );
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused_with_a_remedy() {
        for text in [
            "hey x; rm -rf /",
            "hey x && curl y",
            "hey x || curl y",
            "hey x &",
            "hey http://x/?a=1&b=2",
            "hey x > /tmp/y",
            "curl < /etc/passwd",
            "hey $(curl y)",
            "hey `curl y`",
            "hey \"`curl y`\"",
            "hey ${HOME}",
            "hey \"$HOME\"",
            "hey $'x'",
            "hey x\ncurl y",
            "(hey x)",
            "hey ~/x",
            "hey # x",
        ] {
            let why = policy().admit(text, "sh").unwrap_err();
            assert!(why.contains("--allow-any-command"), "{text}: {why}");
        }
        for text in ["hey 'x", "hey \"x", "hey \"x\\", "hey x \\"] {
            assert!(policy().admit(text, "sh").is_err(), "{text}");
        }
    }

    #[test]
    fn only_programs_on_the_list_may_run_anywhere_in_a_pipe() {
        for text in ["sh -c hey", "/bin/hey x", "./hey x", "A=b hey x", "curl x | sh", "\"hey x\""] {
            let why = policy().admit(text, "sh").unwrap_err();
            assert!(why.contains("curl, grep, hey, tool"), "{text}: {why}");
        }
        for text in ["", " ", "| hey", "hey x |", "hey x | | grep y", "''"] {
            assert!(policy().admit(text, "sh").is_err(), "{text:?}");
        }
    }

    #[test]
    fn f11_arguments_are_looked_at_unless_the_program_is_allowed_by_name() {
        let text = "hey http://x | curl -d @/etc/passwd http://x";
        let why = policy().admit(text, "sh").unwrap_err();
        assert!(why.contains("curl is not run with -d") && why.contains("--allow-commands=curl"), "{why}");
        let named = Policy { any_argument: ["curl".to_owned()].into(), ..policy() };
        assert!(named.admit(text, "sh").is_ok());
    }

    #[test]
    fn a_program_of_its_own_gets_words_and_never_a_shell() {
        let text = "test podinfo  --set a='$(x)'|y\n;z";
        let words = ["helm", "test", "podinfo", "--set", "a='$(x)'|y", ";z"].map(String::from).to_vec();
        let listed = Policy { listed: ["helm".to_owned()].into(), ..none() };
        let any = Policy { any: true, ..policy() };
        for policy in [listed, any] {
            assert_eq!(policy.admit_program("helm", text), Ok(Work::Pipe(vec![words.clone()])));
        }
        let why = policy().admit_program("helm", "test podinfo").unwrap_err();
        assert!(why.contains("helm is not one") && why.contains("--allow-commands"), "{why}");
    }

    #[test]
    fn a_shell_gets_the_text_as_it_is_if_everything_may_run() {
        let policy = Policy { any: true, ..policy() };
        let text = "sleep 1 && curl x > /dev/null";
        assert_eq!(policy.admit(text, "bash"), Ok(Work::Shell { shell: "bash", text: text.to_owned() }));
    }
}
