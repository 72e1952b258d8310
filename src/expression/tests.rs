use proptest::prelude::*;

use super::{
    condition::{LONGEST, MOST_SERIES},
    *,
};

fn one(text: &str, values: &[f64]) -> Result<bool, String> {
    let all = Condition::parse(text)?.holds(values, &[0.5])?;
    Ok(all.iter().all(|held| *held))
}

#[test]
fn conditions_of_the_source_documents_work_as_they_are_written() {
    let cases: [(&str, &[f64], bool); 26] = [
        ("result[0] >= 0.95", &[0.95], true),
        ("result[0] >= 0.95", &[0.94], false),
        ("result[0] > 0.95", &[1.0], true),
        ("result[0] >= 1", &[1.0], true),
        ("result[0] <= 500", &[499.5], true),
        ("result <= 500", &[501.0], false),
        ("result >= 0.8", &[0.8], true),
        ("len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99", &[], true),
        ("len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99", &[f64::NAN], true),
        ("len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99", &[0.98], false),
        ("len(result) == 0 or isNaN(result[0]) or result[0] >= 0.99", &[], true),
        ("len(result) > 0 and not (result[0] < 0.99)", &[0.99], true),
        ("isNaN(result) || result >= 0.99", &[f64::NAN], true),
        ("default(result[0], 1) >= 0.99", &[], true),
        ("default(result, 0) >= 0.99", &[], false),
        ("default(result, 0) >= 0.99", &[1.0], true),
        ("asFloat(result[0]) * 100 > 95", &[0.96], true),
        ("asInt(result[0]) == 3", &[3.7], true),
        ("isInf(result[0])", &[1.0], false),
        ("isNil(result)", &[], true),
        ("result.all(x, x > 0.5) && size(result) == 2", &[0.6, 0.7], true),
        ("result.exists(x, x * 2 > 3)", &[0.6, 1.6], true),
        ("mean(result) == 0.5 && sum(result) == 1 && min(result) == 0", &[0.0, 1.0], true),
        ("len(result) > 0 && mean(result) > 0", &[], false),
        ("max(result) < 2 && result[1] == 1", &[0.0, 1.0], true),
        ("result[len(result) - 1] > 1", &[0.0, 2.0], true),
    ];
    for (text, values, wanted) in cases {
        assert_eq!(one(text, values), Ok(wanted), "{text} of {values:?}");
    }
}

#[test]
fn every_series_is_looked_at() {
    assert_eq!(
        Condition::parse("result[0] > 1").unwrap().holds(&[2.0, 0.0, 3.0], &[]).unwrap(),
        [true, false, true]
    );
    assert_eq!(Condition::parse("result > 1").unwrap().holds(&[2.0, 0.0], &[]).unwrap(), [true, false]);
    assert_eq!(Condition::parse("result[1] > 1").unwrap().holds(&[2.0, 0.0], &[]).unwrap(), [false]);
    assert!(Condition::parse("result > 1").unwrap().holds(&[0.0; MOST_SERIES + 1], &[]).is_err());
}

#[test]
fn canary_and_primary_are_compared() {
    let beside = Condition::parse("canary[0] <= primary[0] * 1.5 + 0.01").unwrap();
    assert!(beside.compares());
    assert_eq!(beside.holds(&[0.3], &[0.2]), Ok(vec![true]));
    assert_eq!(beside.holds(&[0.4], &[0.2]), Ok(vec![false]));
    assert!(!Condition::parse("result > 1").unwrap().compares());
}

#[test]
fn what_cannot_be_meant_is_told() {
    let cases = [
        ("result[0] >", "Syntax error"),
        ("result[0]", "it yields a number"),
        ("len(result)", "it yields a number"),
        ("1 == 1", "does not depend on the measured value"),
        ("primary > 1", "does not depend on the measured value"),
        ("rusult[0] > 1", "does not depend on the measured value"),
        ("result[0] > treshold", "treshold"),
        ("nope(result)", "nope"),
        ("result[0] > 'a'", "overload"),
        ("(((((((((((((((((result > 1)))))))))))))))))", "brackets"),
        ("default(result) > 1", "default takes"),
        ("result.all(x, result.all(y, x > y))", "inside another"),
        ("", ""),
    ];
    for (text, why) in cases {
        let said = Condition::parse(text).expect_err(text);
        assert!(said.contains(why) && !said.contains('\n'), "{text}: {said}");
    }
    assert!(Condition::parse(&"x".repeat(513)).is_err());
}

#[test]
fn only_what_is_asked_about_absence_decides_about_it() {
    let knows = |text: &str| Condition::parse(text).unwrap().knows_absence();
    assert!(knows("len(result) == 0 || result[0] > 1") && knows("default(result, 1) > 0"));
    assert!(!knows("result[0] > 1") && !knows("!(result[0] < 1)"));
}

#[test]
fn nothing_overflows_the_stack() {
    let parts = [
        ("(", ")"),
        ("!", ""),
        ("-", ""),
        ("[", "]"),
        ("result[0] > 1 ? true : ", ""),
        ("1 + ", ""),
        ("isNaN(", ")"),
    ];
    for (open, close) in parts {
        for times in [31, 100, 400] {
            let text = format!("{}result{}", open.repeat(times), close.repeat(times));
            let cut: String = text.chars().take(LONGEST).collect();
            drop(Condition::parse(&cut).map(|c| c.holds(&[1.0], &[])));
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[a-z0-9 ()\\[\\]<>=!&|.,+*/?:'\"_-]{0,60}", value in any::<f64>()) {
        drop(Condition::parse(&text).map(|c| c.holds(&[value], &[])));
    }

    #[test]
    fn words_that_make_sense_do_not_panic(
        parts in proptest::collection::vec(prop::sample::select(vec![
            "result", "[0]", " >= ", "0.5", "1", " && ", " || ", "isNaN(", "len(", "(", ")", "default(", ", ", "!", "primary", ".all(x, x", " in ", "?", ":", "-", "%", "/", "9223372036854775807",
        ]), 0..12),
        value in any::<f64>(),
    ) {
        drop(Condition::parse(&parts.concat()).map(|c| c.holds(&[value], &[value, 1.0])));
    }
}
