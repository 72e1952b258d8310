use proptest::prelude::*;

use super::{Answer, Condition, LONGEST, check::MOST_SERIES};

fn one(text: &str, values: &[f64]) -> Result<bool, String> {
    let all = Condition::parse(text)?.holds(values, &[0.5])?;
    assert!(!all.is_empty());
    Ok(all.iter().all(|held| *held == Answer::Yes))
}

fn each(text: &str, canary: &[f64], primary: &[f64]) -> Vec<bool> {
    let all = Condition::parse(text).unwrap().holds(canary, primary).unwrap();
    all.iter().map(|held| *held == Answer::Yes).collect()
}

fn refused(cases: &[(&str, &str)]) {
    for (text, words) in cases {
        let said = Condition::parse(text).expect_err(text);
        assert!(said.contains(words) && !said.contains('\n'), "{text}: {said}");
    }
}

#[test]
fn conditions_of_the_source_documents_work_as_they_are_written() {
    let cases: [(&str, &[f64], bool); 28] = [
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
        ("isNil(min(result)) || min(result) > 1", &[], true),
        ("default(max(result), 0) < 1", &[], true),
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
    assert_eq!(each("result[0] > 1", &[2.0, 0.0, 3.0], &[]), [true, false, true]);
    assert_eq!(each("result > 1", &[2.0, 0.0], &[]), [true, false]);
    assert_eq!(each("result[1] > 1", &[2.0, 0.0], &[]), [false]);
    assert!(Condition::parse("result > 1").unwrap().holds(&[0.0; MOST_SERIES + 1], &[]).is_err());
}

#[test]
fn canary_and_primary_are_compared() {
    let text = "canary[0] <= primary[0] * 1.5 + 0.01";
    assert!(Condition::parse(text).unwrap().compares());
    assert_eq!(each(text, &[0.3], &[0.2]), [true]);
    assert_eq!(each(text, &[0.4, 0.1], &[0.2]), [false, true]);
    assert!(!Condition::parse("result > 1").unwrap().compares());
}

#[test]
fn several_series_of_the_primary_are_not_taken_for_one() {
    for text in [
        "canary[0] <= primary[0]",
        "canary <= primary",
        "canary[0] <= first(primary)",
        "canary[0] <= last(primary)",
        "canary[0] <= primary[1]",
        "canary <= primary[-1]",
    ] {
        let said = Condition::parse(text).unwrap().holds(&[0.1, 0.2], &[0.2, 0.1]).unwrap_err();
        assert!(said.contains("2 series for the primary") && said.contains("max(primary)"), "{said}");
    }
    assert_eq!(each("canary[0] <= max(primary)", &[0.1, 0.3], &[0.2, 0.1]), [true, false]);
    assert_eq!(each("canary[1] <= primary[0]", &[0.1, 0.3], &[0.2]), [false]);
}

#[test]
fn what_cannot_be_meant_is_told() {
    refused(&[
        ("result[0] >", "at character 12: unexpected the end, where a value is wanted"),
        ("result[0]", "it yields a number"),
        ("len(result)", "it yields a number"),
        ("1 == 1", "does not depend on the measured value"),
        ("primary > 1", "does not depend on the measured value"),
        ("default(result) > 1", "default takes"),
        ("result.all(x, result.all(y, x > y))", "inside another"),
        ("result[0] = 1", "compare with =="),
        ("result[0] / 0 > 1", "at character 13: this divides by 0"),
        ("-result[0] >= round(result[0]) / -0", "this divides by 0"),
        ("len(result) % (1 - 1) == 0", "this divides by 0"),
        ("result[0] > 5ms", "without a unit"),
        ("result[0.5] > 1", "whole numbers below"),
        ("result > 1 result", "unexpected result"),
        ("result.all(result, result > 1)", "cannot be the name of each value"),
        ("", "empty"),
        (&format!("{}result > 1{}", "(".repeat(30), ")".repeat(30)), "nested too deep"),
    ]);
    assert!(Condition::parse(&"x".repeat(513)).is_err());
}

#[test]
fn parts_that_exclude_one_another_or_leave_no_number_out_are_refused() {
    let never = "never hold together: write || for &&";
    let always = "one always holds: write && for ||";
    refused(&[
        ("result[0] < 0.5 && result[0] > 0.9", never),
        ("result[0] >= 0.95 && result[0] <= 0.5", never),
        ("result < 0.5 and result[0] >= 0.5", never),
        ("0.5 > result[0] && result[0] > 0.9", never),
        ("result[0] == 1 && result[0] == 2", never),
        ("result[0] in [1, 2] && result[0] > 2", never),
        ("!(result[0] >= 0.5) && result[0] > 0.9", never),
        ("result[0] < 0.5 && primary[0] > 1 && (len(result) > 1 && result[0] > 0.9)", never),
        ("len(result) == 0 || result[0] < 0.5 && result[0] > 0.9", never),
        ("result.exists(x, x < 0.5 && x > 0.9)", never),
        ("max(result) < 1 && max(result) > 1 + 1", never),
        ("canary[0] - primary[0] < 0 && canary[0] - primary[0] > 0.1", never),
        ("len(result) > 1 && len(result) < 2", never),
        ("isNaN(result[0]) && !isNaN(result[0])", never),
        ("result[0] > 0.9 || result[0] <= 0.95", always),
        ("result[0] > 0.9 || result[0] < 0.9 || result[0] == 0.9", always),
        ("result[0] != 1 || result[0] != 2", always),
        ("result[0] < 0.5 || isNaN(result[0]) || !(result[0] < 0.2)", always),
        ("len(result) == 0 || len(result) > 0", always),
        ("abs(result[0]) > 0 || abs(result[0]) < 0.1", always),
        ("primary[0] > 1 || result[0] > 1 || !(primary[0] > 1)", always),
    ]);
    let said = Condition::parse("len(result) > 0 && (result[0] < 1 && result[0] > 2)").unwrap_err();
    assert!(said.starts_with("at character 21: this and a later part"), "{said}");
    for open in [
        "result[0] > 0.5 && result[0] < 0.9",
        "result[0] >= 0.5 && result[0] <= 0.5",
        "result[0] < 0.5 || result[0] > 0.9",
        "result[0] < 0.5 || result[0] > 0.5",
        "result[0] > 0.5 && result[0] > 0.9",
        "result[0] < 0.5 && result[1] > 0.9",
        "result[0] < 0.5 && primary[0] > 0.9",
        "result[0] < 0.5 || primary[0] >= 0.5",
        "min(result) < 0.5 && max(result) > 0.9",
        "result[0] != 1 && result[0] != 2",
        "result[0] == 1 || result[0] == 2",
        "result[0] in [1, 2] && result[0] != 1",
        "result[0] > primary[0] && result[0] < 0.5",
        "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99",
        "len(result) > 0 && len(result) < 2",
        "result != nil && result[0] < 0.9",
        "result == nil || result[0] < 0.9",
        "abs(result[0]) < 0.1 || abs(result[0]) > 0.1",
        "result.exists(x, x > 0.9) && result.exists(x, x < 0.5)",
        "result[0] < 0.5 && (result[0] > 0.9 || len(result) > 3)",
    ] {
        assert!(Condition::parse(open).is_ok(), "{open}: {:?}", Condition::parse(open));
    }
}

proptest! {
    /// What is refused has the same answer for every number, as far as it can be tried.
    #[test]
    fn only_what_never_changes_is_refused(
        parts in proptest::collection::vec((0..6_usize, 0..5_u8), 2..4), any in 0..2_usize,
    ) {
        let signs = ["<", "<=", ">", ">=", "==", "!="];
        let word = [" && ", " || "][any];
        let all: Vec<String> = parts.iter().map(|(sign, n)| format!("result[0] {} {n}", signs[*sign])).collect();
        let holds = |x: f64| {
            let mut each = parts.iter().map(|(sign, n)| {
                let n = f64::from(*n);
                [x < n, x <= n, x > n, x >= n, (x - n).abs() < 0.1, (x - n).abs() > 0.1][*sign]
            });
            if any == 1 { each.any(|yes| yes) } else { each.all(|yes| yes) }
        };
        let answers: Vec<bool> = (-2..12).map(|half| holds(f64::from(half) / 2.0)).collect();
        let changes = answers.iter().any(|answer| *answer != answers[0]);
        let refused = Condition::parse(&all.join(word)).is_err();
        prop_assert_eq!(refused, !changes, "{}", all.join(word));
    }
}

#[test]
fn h3_counts_divide_as_fractions() {
    for (text, values, wanted) in [
        ("len(result.filter(x, x < 0.9)) / len(result) > 0.5", [0.5, 0.5, 0.99], true),
        ("size(result.filter(x, x < 0.9)) / size(result) <= 0.1", [0.5, 0.5, 0.99], false),
        ("1 / 2 < result[0]", [0.6, 0.7, 0.8], true),
        ("int(result[0] * 3) / 2 == 0.5", [0.5, 0.5, 0.5], true),
        ("result[len(result) - 1] > 0.9", [0.5, 0.5, 0.99], true),
    ] {
        assert_eq!(one(text, &values), Ok(wanted), "{text}");
    }
}

#[test]
fn h5_a_number_is_never_compared_with_text_or_truth() {
    refused(&[
        ("result == \"error\"", "a number is never equal to a text"),
        ("result[0] == true", "a number is never true or false: compare with 1"),
        ("result in [\"ok\"]", "a number is never equal to a text"),
        ("result[0] in [true]", "a number is never true or false"),
        ("result[0] > 'a'", "compare numbers, and this is a text"),
        ("isNaN(result[0]) == 1", "never true or false"),
        ("result[0] < true", "compare numbers"),
        ("result[0] && true", "and this is a number"),
        ("result.exists(x, x == 'a')", "never equal to a text"),
        ("result == [1]", "cannot be compared"),
    ]);
}

#[test]
fn m2_what_is_not_a_number_is_named() {
    let ask = |text: &str, canary: &[f64], primary: &[f64]| {
        Condition::parse(text).unwrap().holds(canary, primary).unwrap().remove(0)
    };
    let nan = |part: &str| Answer::NotANumber(part.into());
    assert_eq!(ask("canary[0] / primary[0] <= 1.2", &[0.0], &[0.0]), nan("canary[0] / primary[0]"));
    assert_eq!(ask("max(result) / min(result) < 2", &[0.0], &[]), nan("max(result) / min(result)"));
    assert_eq!(ask("canary[0] < max(primary)", &[0.1], &[f64::NAN, 0.2]), nan("max(primary)"));
    assert_eq!(ask("canary[0] / primary[0] != 1", &[0.0], &[0.0]), nan("canary[0] / primary[0]"));
    // an expression that decides without it does decide
    assert_eq!(ask("canary[0] / primary[0] <= 1.2 || canary[0] == 0", &[0.0], &[0.0]), Answer::Yes);
    assert_eq!(ask("canary[0] / primary[0] <= 1.2 && canary[0] > 0", &[0.0], &[0.0]), Answer::No);
    assert_eq!(ask("isNaN(canary[0] / primary[0])", &[0.0], &[0.0]), Answer::Yes);
}

#[test]
fn m3_unknown_names_are_refused_wherever_they_stand() {
    refused(&[
        ("result[0] >= 0.95 && resutl[0] <= 1", "at character 22: resutl is not known"),
        ("result[0] < 0.9 || nope(result) > 1", "at character 20: nope is not known"),
        ("result[0] < 1 || result[0] < \"5\"", "compare numbers, and this is a text"),
        ("rusult[0] > 1", "rusult is not known"),
        ("result[0] > treshold", "treshold is not known"),
        ("result.all(x, y > 1)", "y is not known"),
        ("result[0] > 1 ? true : result.foo", "unexpected the end"),
        ("result.sum() > 1", "write sum(…)"),
    ]);
}

#[test]
fn m4_exists_one_counts() {
    assert_eq!(one("result.exists_one(x, x > 0.98)", &[0.99, 0.5]), Ok(true));
    assert_eq!(one("result.exists_one(x, x > 0.4)", &[0.99, 0.5]), Ok(false));
}

#[test]
fn m8_counts_are_numbers_like_others() {
    for (text, values, wanted) in [
        ("sum(result) / len(result) >= 0.95", [1.0, 0.9], true),
        ("len(result) - 1 > 0", [1.0, 0.9], true),
        ("len(result) * 2 > 3", [1.0, 0.9], true),
        ("int(result[0]) % 2 == 1", [1.0, 3.9], true),
    ] {
        assert_eq!(one(text, &values), Ok(wanted), "{text}");
    }
}

#[test]
fn l9_argos_functions_work_or_are_told_in_words_of_the_language() {
    let cases: [(&str, &[f64], bool); 9] = [
        ("max(result[0], 0) > 0.9", &[0.95], true),
        ("result[0] not in [0, 1]", &[0.5], true),
        ("result[0] not in [0, 1]", &[1.0], false),
        ("abs(result[0] - 1) <= 0.1", &[0.95], true),
        ("round(result[0]) == 1 and floor(result[0]) == 0 and ceil(result[0]) == 1", &[0.5], true),
        ("median(result) == 2 && first(result) < last(result)", &[1.0, 2.0, 4.0], true),
        ("count(result.map(x, x > 1)) == 2", &[1.0, 2.0, 4.0], true),
        ("result[-1] == 4", &[1.0, 2.0, 4.0], true),
        ("not (result[0] in [0, 1])", &[0.5], true),
    ];
    for (text, values, wanted) in cases {
        assert_eq!(one(text, values), Ok(wanted), "{text}");
    }
    refused(&[
        ("all(result, # > 0.4)", "name each value, as in result.all(x, x > 0.9)"),
        ("all(result, x > 0.4)", "write result.all(x, x > 0.9)"),
        ("any(result, x > 0.4)", "write result.exists(x, x > 0.9)"),
        ("count(result, 1) > 1", "write len(result.filter(x, x > 0.9))"),
        ("max() > result", "max takes one value"),
    ]);
}

#[test]
fn f3_a_condition_takes_bounded_time() {
    let many = vec![0.5; MOST_SERIES];
    let inner = "x > 0.1 && ".repeat(40);
    let text = format!("result.all(x, {inner} result[0] > 0.1)");
    assert!(text.len() <= LONGEST);
    assert!(one(&text, &[0.5; 20]).is_ok_and(|held| held));
    // for each of the series it looks at each of them
    assert!(one(&text, &many).unwrap_err().contains("more than 500000 steps"));
    // without an element there is one answer for all of them
    assert_eq!(each(&format!("result.all(x, {inner} x > 0.2)"), &many, &[]), [true]);
    assert_eq!(each("result.all(x, x > 0.1 && x < 1) && result[0] > 0.1", &many, &[]), [true; MOST_SERIES]);
}

#[test]
fn only_what_is_asked_about_absence_decides_about_it() {
    let of = |text: &str, values: &[f64]| Condition::parse(text).unwrap().knows_absence(values);
    let knows = |text: &str| of(text, &[]);
    assert!(knows("len(result) == 0 || result[0] > 1") && knows("default(result, 1) > 0"));
    assert!(!knows("result[0] > 1") && !knows("!(result[0] < 1)"));
    assert!(knows("len(result) == 0 || isNaN(result[0]) || result.all(x, x > 1)"));
    // of no value everything holds, and a filter may leave none
    for vacuous in [
        "result.all(x, !isNaN(x) && x <= 0.05)",
        "result.all(x, len(result) > 0 && x <= 0.05)",
        "result.all(x, default(result, 0) <= 0.05)",
        "result.all(x, result != nil && x <= 0.05)",
        "len(result.filter(x, x > 0.05)) == 0",
        "size(result.filter(x, x > 0.05)) <= 1",
        "isNaN(sum(result.filter(x, x > 0.05)))",
        "default(sum(result.filter(x, x > 0.05)), 0) <= 1",
    ] {
        assert!(!knows(vacuous), "{vacuous}");
    }
    assert!(of("result.all(x, isNaN(x) || x <= 0.05)", &[f64::NAN]), "that is what it asks");
    assert!(!of("len(result.filter(x, x > 0.05)) == 0", &[f64::NAN]));
}

#[test]
fn u1_only_what_is_asked_about_the_canary_decides_about_its_absence() {
    let of = |text: &str, values: &[f64]| Condition::parse(text).unwrap().knows_absence(values);
    for text in [
        "!isNaN(primary[0]) && result.all(x, x <= primary[0] * 1.2)",
        "len(primary) > 0 && len(result.filter(x, x > max(primary))) == 0",
        "primary != nil && result.all(x, x < 1)",
        "default(primary[0], 1) > 0 && result.all(x, x < 1)",
        "!isNaN(primary[0] - len(result)) && result.all(x, x < 1)",
        "primary.all(x, !isNaN(x)) && result.all(x, x < 1)",
        "sum(result) <= 0.05 * len(result)",
        "len(result.filter(x, x > 0.05)) <= 0.1 * len(result)",
        "len(result) == len(result.filter(x, x < 1))",
        // none and one are answered alike
        "len(result) <= 20 && result.all(x, x < 0.05)",
        "len(result) >= 2 && result.all(x, x < 0.05)",
        "3 != size(result) && result.all(x, x < 0.05)",
        "len(result) in [0, 1] && result.all(x, x < 0.05)",
        "len(result) not in [2, 3] && result.all(x, x < 0.05)",
        "len(result) <= len(primary) && result.all(x, x <= max(primary) * 1.2)",
        "len(result) != len(primary) && result.all(x, x <= max(primary) * 1.2)",
        // a number of series is always there
        "default(len(result), 0) <= 20 && result.all(x, x < 0.05)",
        "!isNaN(len(result)) && result.all(x, x < 0.05)",
    ] {
        assert!(!of(text, &[]), "{text}");
    }
    assert!(!of("!isNaN(primary[0]) && result.all(x, x < 1)", &[f64::NAN]));
    assert!(!of("primary.all(x, !isNaN(x)) && result.all(x, x < 1)", &[f64::NAN]));
    assert!(of("isNaN(canary[0] / primary[0]) || canary[0] < 1", &[f64::NAN]));
    for text in [
        "len(result) == 0 || isNaN(primary[0]) || result[0] < 1",
        "1 > size(result) || result[0] < 1",
        "len(result) >= 1 && result.all(x, x < 1)",
        "!(len(result) > 0.5) || result[0] < 1",
        "len(result) in [0] || result[0] < 1",
        "len(result) in [0, 2] || result[0] < 1",
    ] {
        assert!(of(text, &[]), "{text}");
    }
}

#[test]
fn u2_what_is_always_or_never_true_is_refused() {
    refused(&[
        ("result[0] >= 0.95 || 1 == 1", "at character 22: this part does not depend on the measured value"),
        ("true && result[0] > 1", "at character 1: this part does not depend"),
        ("result[0] > 1 or !false", "at character 18: this part does not depend"),
        ("result.all(x, x > 1 || true)", "at character 24: this part does not depend"),
        ("true ? result[0] > 1 : result[0] > 2", "at character 1: this part does not depend"),
        ("result[0] > 1 ? 1 == 1 : false", "at character 17: this part does not depend"),
        ("[1, 2].all(x, x > 0) && result[0] > 1", "at character 1: this part does not depend"),
        ("(1 < 2) == (result[0] > 1)", "at character 2: this part does not depend"),
        ("result[0] in []", "at character 14: the list is empty"),
        ("result[0] not in []", "the list is empty"),
        ("len(result) < 0", "at character 1: a count is never less than 0"),
        ("len(result) == 1.5", "at character 1: a count is never equal to 1.5"),
        ("len(result.filter(x, x > 1)) == -1", "a count is never equal to -1"),
        ("len(result) >= 0", "a count is always at least 0"),
        ("0 > size(result)", "a count is never less than 0"),
        ("count(result.map(x, x > 1)) != 0.5", "a count is always other than 0.5"),
        ("len(result) in [0.5, -1]", "a count is never one of these"),
        ("result[0] > 1/0", "at character 13: this is not a finite number"),
        ("result[0] + 0/0 > 1", "this is not a finite number"),
        ("result[0] in [0/0]", "this is not a finite number"),
        ("result[0] < mean([])", "at character 13: this is not a finite number"),
        ("abs(result[0]) < 0", "abs(x) is never less than 0"),
        ("round(result[0]) == 0.5", "at character 1: round(x) is never equal to 0.5"),
        ("-1.5 != floor(result[0])", "floor(x) is always other than -1.5"),
        ("ceil(result[0]) in [0.5, -0.5]", "ceil(x) is never one of these"),
        ("int(result[0]) in [0.5]", "is never one of these"),
        ("result.all(x, true)", "at character 15: this part does not depend"),
        ("len(result.filter(x, 1 > 0)) > 1", "at character 22: this part does not depend"),
        ("result[0] > 0.9 ? true : true", "at character 1: both choices are the same"),
        ("result[0] > 0.9 ? true : !false", "both choices are the same"),
        ("(result[0] > 1 ? 1 : 2 / 2) > 0.5", "both choices are the same"),
        ("result[0] > 1 ? result[0] > 2 : result[0] > 2", "both choices are the same"),
    ]);
    for fine in [
        "len(result) > 0.5 && result[0] < 1",
        "len(result) <= 1000 && result[0] < 1",
        "len([]) < len(result)",
        "abs(result[0] - 1) <= 0",
        "result[0] > 1 ? true : result[0] > 0.5",
        "[0.5, 1].exists(x, x == result[0])",
        "result.all(x, x > 1 / 2 && x in [1, 2])",
        "primary[0] == 0 || canary[0] / primary[0] < 2",
        "len(result) in [0, 0.5]",
        "(result[0] > 1) == true",
        "round(result[0]) < 0.5",
        "round(result[0]) in [0.5, -1]",
        "len(result.map(x, 1)) > 1",
        "result[0] > 1 ? false : result[0] > 0.5",
    ] {
        Condition::parse(fine).expect(fine);
    }
}

#[test]
fn u2_a_value_is_not_compared_with_itself() {
    let words = "both sides come from the same value";
    for text in [
        "canary[0] > result[0] * 1.2",
        "canary > result[0] * 1.2 + 0.01",
        "result[0] > result[0]",
        "result[0] != result[0]",
        "first(result) >= canary",
        "1.5 * max(result) < max(canary)",
        "result.all(x, x <= x * 1.2)",
        "(result[0] > 1) == (result[0] > 1)",
        "result[0] in [0.5, canary[0]]",
        "result in canary",
        "canary[0] / result[0] <= 1.2",
        "canary[0] / (result[0] * 100) <= 1.2",
        "canary[0] - (result[0] + 0.1) > 0",
        "result[0] % result[0] == 0",
    ] {
        refused(&[(text, words)]);
    }
    for fine in [
        "canary[0] > primary[0] * 1.2",
        "result[0] > 1 - result[0]",
        "result[0] > -result[0]",
        "result[0] < result[-1] * 2",
        "result[0] <= mean(result) * 1.2",
        "round(result[0]) == result[0]",
        "result[0] * 2 - result[0] > 1",
        "result[0] + result[0] > 1",
        "result in primary",
        "result.all(x, x <= result[0] * 1.2)",
    ] {
        Condition::parse(fine).expect(fine);
    }
}

#[test]
fn two_names_of_the_canary_are_noticed() {
    let has = |text: &str| Condition::parse(text).unwrap().has_two_names();
    assert!(has("result[0] > 0.9 && canary[0] <= primary[0]") && has("result.all(x, x <= canary[0] * 1.2)"));
    assert!(!has("result[0] > 0.9 && len(result) > 0") && !has("canary[0] <= primary[0]"));
}

#[test]
fn u3_an_element_of_the_primary_belongs_to_no_series_of_the_canary() {
    for text in [
        "result <= primary.map(x, x * 1.2)[0]",
        "result <= default(primary, [1])[0]",
        "result <= first(primary.filter(x, x > 0))",
        "result <= last(primary.map(x, x * 1.2))",
        "result[1] <= primary[1]",
        "result[1] <= primary[0]",
        "result.all(x, x <= primary[1])",
        "result <= (primary[0] > 0 ? primary : [1])[0]",
        "result <= (result[0] > 0 ? primary : [1])[len(primary) - 1]",
    ] {
        let said = Condition::parse(text).unwrap().holds(&[0.1, 0.3], &[0.2, 0.1]);
        assert!(
            said.as_ref().is_err_and(|said| said.contains("2 series for the primary")),
            "{text}: {said:?}"
        );
        let of_one = Condition::parse(text).unwrap().holds(&[0.1, 0.3], &[0.2]);
        assert_eq!(of_one.is_err(), text.contains("primary[1]"), "{text}: {of_one:?}");
    }
    assert_eq!(each("result <= max(primary.map(x, x * 2))", &[0.1, 0.5], &[0.2, 0.1]), [true, false]);
    assert_eq!(each("result in primary", &[0.1, 0.3], &[0.2, 0.1]), [true, false]);
    // a place in a list that is made of the canary's is one place, not one for each series
    assert_eq!(each("result.map(x, x * 2)[1] > 1", &[0.1, 0.8], &[]), [true]);
    assert_eq!(each("last(result.map(x, x * 2)) > 1", &[0.1, 0.8], &[]), [true]);
}

#[test]
fn u5_max_and_min_take_lists_among_numbers_as_a_whole() {
    assert_eq!(each("min(result, 1) > 0.9", &[0.99, 0.5], &[]), [false]);
    assert_eq!(each("max(0.7, result) > 0.9", &[0.99, 0.5], &[]), [true]);
    assert_eq!(each("max(result[0], 0) > 0.9", &[0.99, 0.5], &[]), [true, false]);
    assert_eq!(each("canary[0] <= max(primary, 0.1)", &[0.1, 0.3], &[0.2, 0.1]), [true, false]);
    for of_none in
        ["min(result, 1) > 0.9", "mean(result) > 0.9", "isNaN(median(result))", "isNaN(mean(result))"]
    {
        assert!(one(of_none, &[]).unwrap_err().contains("there is no value"), "{of_none}");
    }
    refused(&[
        ("max(result, 'a') > 1", "max takes numbers and lists of numbers, and this is a text"),
        (
            "max([result, 1]) > 0",
            "at character 6: a list cannot stand in a list: name one value, as in result[0]",
        ),
    ]);
}

#[test]
fn m2_a_list_with_what_is_not_a_number_cannot_be_looked_into() {
    let ask = |values: &[f64]| {
        let condition = Condition::parse("result[0] in [primary[0] / max(primary), 1]").unwrap();
        condition.holds(values, &[0.0]).unwrap().remove(0)
    };
    assert_eq!(ask(&[2.0]), Answer::NotANumber("[primary[0] / max(primary), 1]".into()));
    assert_eq!(ask(&[1.0]), Answer::Yes);
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

#[test]
fn l9_a_template_in_a_condition_is_told_from_braces() {
    refused(&[
        ("result[0] <= {{ args.limit }}", "at character 14: {{ is filled in in queries only"),
        ("{{ args.limit }} >= result[0]", "at character 1: {{ is filled in in queries only"),
        ("result[0] in {1: 2}", "objects in braces are not served"),
    ]);
}
