//! PURE. Texts for terminals: formats durations, measures widths, cuts lines.

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Seconds in kubectl's format for ages, with at most two units: `12s`, `3m26s`, `9h5m`, `3d2h`, `41d`.
pub fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: char, small: i64, of: char| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{of}") }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..3600 => two(minutes, 'm', seconds % 60, 's'),
        3600..172_800 => two(hours, 'h', minutes % 60, 'm'),
        172_800..864_000 => two(days, 'd', hours % 24, 'h'),
        _ => format!("{days}d"),
    }
}

/// The age of a time. `-` if the time is not known.
pub fn age(then: Option<Timestamp>, now: Timestamp) -> String {
    then.map_or_else(|| "-".into(), |then| span(now.duration_since(then).as_secs()))
}

/// A time in the format of `-o wide`: RFC 3339 with seconds.
pub fn time(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// The width of a text in cells.
pub fn width(text: &str) -> usize {
    text.width()
}

/// A text without characters that move a terminal's cursor or change its colours: messages from others may contain
/// anything.
pub fn clean(text: &str) -> String {
    let shown = |c: char| if c == '\n' || c == '\t' || c == '\r' { ' ' } else { c };
    // marks for the text direction would show the text in another order
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(shown).filter(|c| !c.is_control() && !turns(*c)).collect()
}

/// At most this many cells, with `mark` at the end of a cut text.
pub fn cut(text: &str, most: usize, mark: &str) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(width(mark));
    let (mut taken, mut short) = (0, String::new());
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > room {
            break;
        }
        short.push(c);
    }
    if width(mark) <= most { short + mark } else { short }
}

/// Pads with blanks to this many cells.
pub fn pad(text: &str, cells: usize) -> String {
    let missing = cells.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

/// Lines of at most this many cells, broken at blanks. A longer word is broken anywhere.
pub fn wrap(text: &str, most: usize) -> Vec<String> {
    let most = most.max(1);
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        let mut word = word.to_owned();
        let room = if line.is_empty() { most } else { most.saturating_sub(width(&line) + 1) };
        if width(&word) <= room {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        while width(&word) > most {
            let head = cut(&word, most, "");
            let at = if head.is_empty() { word.chars().next().map_or(1, char::len_utf8) } else { head.len() };
            lines.push(word[..at].to_owned());
            word.drain(..at);
        }
        line = word;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_as_kubectl_does() {
        let all = [0, 119, 120, 206, 3600, 32_700, 172_799, 172_800, 266_400, 864_000];
        let spans = ["0s", "119s", "2m", "3m26s", "1h", "9h5m", "47h59m", "2d", "3d2h", "10d"];
        assert_eq!(all.map(span), spans);
        assert_eq!(span(-5), "0s");
    }

    #[test]
    fn widths_are_cells_and_not_characters() {
        assert_eq!((width("漢字"), width("é"), width("e\u{301}")), (4, 1, 1));
        assert_eq!(cut("漢字漢字", 5, "…"), "漢字…");
        assert_eq!(cut("漢字", 3, "…"), "漢…");
        assert_eq!((cut("abc", 3, "…"), cut("abcd", 3, "...")), ("abc".into(), "...".into()));
        assert_eq!(pad("漢", 4), "漢  ");
        assert_eq!(wrap("a bb ccc 漢字漢字漢", 4), ["a bb", "ccc", "漢字", "漢字", "漢"]);
        assert_eq!(wrap("漢", 1), ["漢"]);
    }

    #[test]
    fn texts_of_others_cannot_move_the_cursor() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\u{202e}d\u{7}"), "a[2Jb cd");
    }
}
