//! The times of a week at which releases may continue, from `analysis.windows`, in UTC.

use jiff::Timestamp;
use serde::Serialize;

use super::problem::Problem;
use crate::api::CanaryAnalysis;

/// Minutes of a day.
const DAY: i64 = 24 * 60;
/// Minutes of a week.
const WEEK: i64 = 7 * DAY;
/// The names of the days of a week, from Monday.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Days from the Monday of its week to 1970-01-01.
const EPOCH_DAY: i64 = 3;

/// One period of a week, in minutes from its Monday; the end is exclusive, and may be in the following week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    from: i64,
    to: i64,
}

impl Window {
    fn holds(self, minute: i64) -> bool {
        [minute, minute + WEEK].iter().any(|at| (self.from..self.to).contains(at))
    }
}

/// Parses them; none: at any time.
///
/// # Errors
/// One of them is invalid.
pub(super) fn windows(analysis: &CanaryAnalysis) -> Result<Vec<Window>, Problem> {
    let mut all = Vec::new();
    for (at, written) in analysis.windows.iter().enumerate() {
        let path = format!("spec.analysis.windows[{at}]");
        let (from, to) = (minute(&written.from, &path, "from")?, minute(&written.to, &path, "to")?);
        let lasts = if to > from { to - from } else { to - from + DAY };
        let days: Vec<&str> = if written.days.is_empty() {
            DAYS.to_vec()
        } else {
            written.days.iter().map(String::as_str).collect()
        };
        for day in days {
            let Some((day, _)) = (0_i64..).zip(DAYS).find(|(_, known)| *known == day) else {
                let text = format!("{path}.days: {day:?} is none of {}", DAYS.join(", "));
                return Err(Problem::new("InvalidSpec", text));
            };
            let begins = day * DAY + from;
            all.push(Window { from: begins, to: begins + lasts });
        }
    }
    Ok(all)
}

/// `HH:MM` in minutes; `24:00` is the end of a day.
fn minute(text: &str, path: &str, field: &str) -> Result<i64, Problem> {
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let read = text.split_once(':').filter(|(hours, minutes)| digits(hours) && digits(minutes));
    let read =
        read.and_then(|(hours, minutes)| Some((hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?)));
    let fits = |(hours, minutes): &(i64, i64)| *hours < 24 && *minutes < 60 || (*hours, *minutes) == (24, 0);
    read.filter(fits).map(|(hours, minutes)| hours * 60 + minutes).ok_or_else(|| {
        Problem::new("InvalidSpec", format!("{path}.{field}: {text:?} is no time of a day such as 09:30"))
    })
}

fn minute_of_week(time: Timestamp) -> i64 {
    (time.as_second().div_euclid(60) + EPOCH_DAY * DAY).rem_euclid(WEEK)
}

/// Releases may continue at this time.
pub fn is_open(windows: &[Window], now: Timestamp) -> bool {
    windows.is_empty() || windows.iter().any(|window| window.holds(minute_of_week(now)))
}

/// When that next changes. None: never.
pub fn next_change(windows: &[Window], now: Timestamp) -> Option<Timestamp> {
    let (here, open) = (minute_of_week(now), is_open(windows, now));
    let begins = now.as_second().div_euclid(60);
    let edges = windows.iter().flat_map(|window| [window.from, window.to]);
    let ahead =
        edges.map(|edge| (edge - here).rem_euclid(WEEK)).map(|ahead| if ahead == 0 { WEEK } else { ahead });
    let mut ahead: Vec<i64> = ahead.collect();
    ahead.sort_unstable();
    let at = |ahead: i64| Timestamp::from_second((begins + ahead) * 60).ok();
    ahead.into_iter().filter_map(at).find(|time| is_open(windows, *time) != open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ReleaseWindow;

    fn of(all: &[(&[&str], &str, &str)]) -> Result<Vec<Window>, Problem> {
        let window = |(days, from, to): &(&[&str], &str, &str)| ReleaseWindow {
            days: days.iter().map(|day| (*day).to_owned()).collect(),
            from: (*from).to_owned(),
            to: (*to).to_owned(),
        };
        windows(&CanaryAnalysis { windows: all.iter().map(window).collect(), ..CanaryAnalysis::default() })
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_open_from_its_beginning_to_its_end() {
        // 2026-01-01 is a Thursday
        let working =
            of(&[(&["Mon", "Tue", "Wed", "Thu"], "09:00", "17:00"), (&["Fri"], "09:00", "12:00")]).unwrap();
        for (time, open, next) in [
            ("2026-01-01T08:59:59Z", false, "2026-01-01T09:00:00Z"),
            ("2026-01-01T09:00:00Z", true, "2026-01-01T17:00:00Z"),
            ("2026-01-01T16:59:59Z", true, "2026-01-01T17:00:00Z"),
            ("2026-01-01T17:00:00Z", false, "2026-01-02T09:00:00Z"),
            ("2026-01-02T12:30:00Z", false, "2026-01-05T09:00:00Z"),
            ("2026-01-04T23:59:59Z", false, "2026-01-05T09:00:00Z"),
        ] {
            assert_eq!(is_open(&working, at(time)), open, "{time}");
            assert_eq!(next_change(&working, at(time)), Some(at(next)), "{time}");
        }
    }

    #[test]
    fn a_window_may_pass_midnight_and_the_end_of_a_week() {
        let night = of(&[(&["Sun"], "22:00", "02:00")]).unwrap();
        for (time, open, next) in [
            ("2026-01-04T21:00:00Z", false, "2026-01-04T22:00:00Z"),
            ("2026-01-04T23:30:00Z", true, "2026-01-05T02:00:00Z"),
            ("2026-01-05T01:59:59Z", true, "2026-01-05T02:00:00Z"),
            ("2026-01-05T02:00:00Z", false, "2026-01-11T22:00:00Z"),
        ] {
            assert_eq!(is_open(&night, at(time)), open, "{time}");
            assert_eq!(next_change(&night, at(time)), Some(at(next)), "{time}");
        }
    }

    #[test]
    fn windows_that_meet_are_one_and_some_are_always_open() {
        let met = of(&[(&["Thu"], "00:00", "24:00"), (&["Fri"], "00:00", "06:00")]).unwrap();
        assert_eq!(next_change(&met, at("2026-01-01T12:00:00Z")), Some(at("2026-01-02T06:00:00Z")));
        let always = of(&[(&[], "00:00", "24:00")]).unwrap();
        assert!(is_open(&always, at("2026-01-03T00:00:00Z")));
        assert_eq!(next_change(&always, at("2026-01-03T00:00:00Z")), None);
        let none = of(&[]).unwrap();
        assert!(
            is_open(&none, at("2026-01-03T00:00:00Z"))
                && next_change(&none, at("2026-01-03T00:00:00Z")).is_none()
        );
    }

    #[test]
    fn a_window_that_cannot_be_meant_says_where() {
        for (days, from, to, said) in [
            (&["Mon", "Monday"][..], "09:00", "17:00", "windows[0].days: \"Monday\""),
            (&[][..], "9:00", "17:00", "windows[0].from: \"9:00\""),
            (&[][..], "09:00", "24:01", "windows[0].to"),
            (&[][..], "09:00", "17:60", "windows[0].to"),
            (&[][..], "+9:00", "17:00", "windows[0].from"),
        ] {
            let problem = of(&[(days, from, to)]).unwrap_err();
            assert!(problem.message.contains(said), "{}", problem.message);
        }
    }
}
