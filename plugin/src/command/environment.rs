//! Properties of the terminal, and of its environment variables: colours, characters, size.
#![allow(clippy::disallowed_methods, reason = "the environment is read here")]

use std::{env, io};

use super::{args::Global, values::Choice};
use crate::screen::Term;

/// Properties of standard output.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    pub(super) terminal: bool,
    no_color: bool,
    force_color: bool,
    dumb: bool,
    locale: String,
}

impl Environment {
    pub(super) fn read() -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
        Self {
            terminal: io::IsTerminal::is_terminal(&io::stdout()),
            no_color: set("NO_COLOR"),
            force_color: env::var("CLICOLOR_FORCE").is_ok_and(|value| !value.is_empty() && value != "0"),
            dumb: env::var("TERM").is_ok_and(|term| term == "dumb"),
            locale: locale.unwrap_or_default(),
        }
    }

    /// The flag wins, then the environment variables, then the terminal.
    fn colour(&self, choice: Choice, never: bool) -> bool {
        match choice {
            _ if never => false,
            Choice::Always => true,
            Choice::Never => false,
            Choice::Auto if self.no_color => false,
            Choice::Auto if self.force_color => true,
            Choice::Auto => self.terminal && !self.dumb,
        }
    }

    /// The locale names an encoding other than UTF-8, or none.
    fn ascii(&self) -> bool {
        let locale = self.locale.to_lowercase();
        !(locale.contains("utf-8") || locale.contains("utf8"))
    }

    /// The terminal properties for printing.
    pub(super) fn term(&self, global: &Global) -> Term {
        let width = global.width.map(usize::from);
        let own = if self.terminal { size().map(|(width, _)| width) } else { None };
        Term {
            width: width.or(own).unwrap_or(if self.terminal { 80 } else { Term::ENDLESS }),
            colour: self.colour(global.color, global.no_color),
            ascii: global.ascii || self.ascii(),
        }
    }
}

/// There is a desktop on which a browser can be opened.
pub(super) fn has_screen() -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Columns and rows of the terminal that standard output is.
pub(super) fn size() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then(|| (usize::from(size.ws_col), usize::from(size.ws_row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_flag_then_variables_then_terminal() {
        let terminal = Environment { terminal: true, ..Environment::default() };
        let pipe = Environment::default();
        let no_color = Environment { no_color: true, ..terminal.clone() };
        let forced = Environment { force_color: true, ..pipe.clone() };
        let dumb = Environment { dumb: true, ..terminal.clone() };
        for (environment, choice, never, wanted) in [
            (&terminal, Choice::Auto, false, true),
            (&pipe, Choice::Auto, false, false),
            (&pipe, Choice::Always, false, true),
            (&terminal, Choice::Never, false, false),
            (&terminal, Choice::Always, true, false),
            (&no_color, Choice::Auto, false, false),
            (&no_color, Choice::Always, false, true),
            (&forced, Choice::Auto, false, true),
            (&dumb, Choice::Auto, false, false),
        ] {
            assert_eq!(environment.colour(choice, never), wanted, "{environment:?} {choice:?}");
        }
    }

    #[test]
    fn only_utf_8_locales_get_drawn_characters() {
        let of = |locale: &str| Environment { locale: locale.into(), ..Environment::default() }.ascii();
        assert_eq!(
            ["C.UTF-8", "en_GB.utf8", "C", "", "de_DE.ISO-8859-1"].map(of),
            [false, false, true, true, true]
        );
    }
}
