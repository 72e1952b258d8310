//! Conditions in published forms, and every operator and function with every kind of misuse.

use crate::{functions, original::Case};

const LEFT: [&str; 16] = [
    "result[0]",
    "len(result)",
    "sum(result) / len(result)",
    "max(result)",
    "min(result)",
    "mean(result)",
    "abs(result[0] - 1)",
    "result[0] * 100",
    "canary[0] / primary[0]",
    "asFloat(result[0])",
    "len(filter(result, # < 0.9)) / len(result)",
    "size(result.filter(x, x < 0.9)) / size(result)",
    "result[len(result) - 1]",
    "-result[0]",
    "default(result[0], 1)",
    "median(result)",
];
const SIGNS: [&str; 8] = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"];
const RIGHT: [&str; 9] = ["0.95", "1", "0", "primary[0] * 1.2", "true", "'a'", "[0, 1, 0.5]", "nil", "1 / 2"];

/// Conditions on a number.
const SCALAR: [&str; 28] = [
    "result >= 0.95",
    "result <= 500",
    "result > 0.8 && result < 1",
    "result > 0.8 and result < 1",
    "result < 0.5 or result > 0.9",
    "not (result < 0.9)",
    "!(result < 0.9)",
    "isNaN(result) || result >= 0.99",
    "isNil(result) || result >= 0.99",
    "default(result, 0) >= 0.99",
    "asFloat(result) * 100 > 95",
    "asInt(result) == 0",
    "int(result) == 0",
    "result % 2 == 1",
    "result in [0, 1]",
    "result not in [0, 1]",
    "result == 1",
    "result != nil",
    "result == true",
    "result == 'a'",
    "(result)",
    "result",
    "abs(result) < 1",
    "round(result) == 1",
    "floor(result) == 0",
    "ceil(result) == 1",
    "max(result, 0.5) > 0.9",
    "result > canary - 1",
];

/// Conditions on a list.
const LIST: [&str; 109] = [
    "result[0] > 1e-1",
    "result[0] > 1E-1",
    "result[0] > .5",
    "result[0] > 5.",
    "result[0] > 0x1",
    "result[0] > 1_000",
    "result[0] > 01",
    "result[0] > 1e400",
    "result[0] > 9223372036854775808",
    "result[0] > +0.5",
    "result[0] > 0.5\n&& result[0] < 2",
    "\tresult[0] > 0.5 ",
    "result[0] > 0.5 // half",
    "result[0] > 0.5 /* half */",
    "result[0] > 0.5;",
    "result[0:2][0] > 0.5",
    "result[0] > 0.5 ? 1 : 0",
    "double(result[0]) > 0.5",
    "string(result[0]) == '1'",
    "result[\"0\"] > 0.5",
    "result?.[0] > 0.5",
    "0.5 < result[0] == true",
    "result.all(x, result.exists(y, y >= x))",
    "result[0] >= 0.95",
    "result[0] > 0.95 && result[0] <= 1",
    "len(result) == 0 || isNaN(result[0]) || result[0] >= 0.99",
    "len(result) == 0 or isNaN(result[0]) or result[0] >= 0.99",
    "len(result) > 0 and not (result[0] < 0.99)",
    "result.all(x, x > 0.5)",
    "result.exists(x, x > 0.9)",
    "result.exists_one(x, x > 0.98)",
    "result.filter(x, x > 0.5).all(y, y < 1)",
    "result.map(x, x * 2).exists(y, y > 1)",
    "size(result) == 2",
    "len(result) - 1 > 0",
    "len(result) * 2 > 3",
    "len(result) % 2 == 1",
    "int(result[0]) % 2 == 1",
    "asInt(result[0]) == 0",
    "result[0] > 0.5 ? true : false",
    "result[0] > 0.5 ? result[0] < 1 : result[0] > 0.1",
    "result[1] > 0.9",
    "result[-1] > 0.9",
    "result[9] > 0.9",
    "result[0.5] > 1",
    "all(result, # > 0.4)",
    "any(result, # > 0.4)",
    "none(result, # > 0.4)",
    "one(result, # > 0.4)",
    "count(result, # > 0.4) == 1",
    "filter(result, # > 0.4)[0] > 0",
    "map(result, # * 2)[0] > 1",
    "first(result) > 0.5",
    "last(result) > 0.5",
    "result[0] >= 0.95 && resutl[0] <= 1",
    "result[0] < 0.9 || nope(result) > 1",
    "result[0] < 1 || result[0] < \"5\"",
    "result == \"error\"",
    "result[0] == true",
    "result in [\"ok\"]",
    "result[0] in [0.5, 1]",
    "result[0] not in [0, 1]",
    "0.5 in result",
    "max(result[0], 0) > 0.9",
    "canary[0] <= primary[0] * 1.5 + 0.01",
    "canary[0] / primary[0] <= 1.2",
    "max(result) / min(result) < 2",
    "sum(result) > sum(primary)",
    "result[0] ?? 1 > 0",
    "result[0] ** 2 > 0.5",
    "1 < 2",
    "result",
    "result[0]",
    "len(result)",
    "result[0] =! 1",
    "result[0] > > 1",
    "result[0] & 1",
    "result[0] = 1",
    "",
    "(",
    "result[0] > 1)",
    "result[0] > 0.1 == true",
    "result[0] > 0.1 == result[0] > 0.2",
    "!result[0]",
    "- - result[0] < 0",
    "!!(result[0] > 0.5)",
    "result[0] < 1 < 2",
    "result[0] - 1 - 1 < -1",
    "result[0] / 2 / 2 < 0.2",
    "2 - result[0] * 2 > 0.5",
    "result[0] > 0.5 || result[0] > 0.1 && result[0] > 5",
    "[1, 2][0] < result[0]",
    "[result[0], 1][1] > 0.5",
    "[] == result",
    "len([]) < len(result)",
    "result.size() > 0",
    "isInf(result[0])",
    "canary[0] > result[0] * 1.2",
    "result[0] != result[0]",
    "result in canary",
    "result.all(x, true)",
    "result[0] > 0.9 ? true : true",
    "round(result[0]) == 0.5",
    "int(result[0]) in [0.5]",
    "len(result) <= 20 && result.all(x, x < 0.95)",
    "result[0] < 0.5 && result[0] > 0.9",
    "result[0] > 0.9 || result[0] <= 0.95",
    "result[0] == 1 || !(result[0] == 1)",
    "len(result) == 0 || len(result) > 0",
];

const VALUES: [&[f64]; 7] = [&[0.95], &[1.0], &[0.0], &[0.5, 0.5, 0.99], &[0.99, 0.5], &[f64::NAN], &[]];
const PRIMARY: [f64; 1] = [0.5];

/// One case for each engine and each series.
pub(crate) fn both(text: &str, values: &[f64], primary: &[f64], scalar: bool) -> Vec<Case> {
    let of = |engine, turn| {
        let mut values = values.to_vec();
        values.rotate_left(turn);
        let (text, primary) = (text.to_owned(), primary.to_vec());
        Case { engine, text, values, primary, scalar, turn, ..Case::default() }
    };
    (0..values.len().max(1)).flat_map(|turn| [of("expr", turn), of("cel", turn)]).collect()
}

pub(crate) fn cases() -> Vec<Case> {
    let mut list: Vec<String> = LIST.iter().map(|text| (*text).to_owned()).collect();
    for left in LEFT {
        for sign in SIGNS {
            list.extend(RIGHT.iter().map(|right| format!("{left} {sign} {right}")));
        }
    }
    let mut all = Vec::new();
    for values in VALUES {
        // max takes a list as a whole
        let scalar = SCALAR.iter().filter(|text| values.len() < 2 || !text.starts_with("max"));
        all.extend(scalar.flat_map(|text| both(text, values, &PRIMARY, true)));
        all.extend(list.iter().flat_map(|text| both(text, values, &PRIMARY, false)));
    }
    all.extend(list.iter().flat_map(|text| both(text, &[0.0], &[0.0], false)));
    all.extend(functions::cases());
    all
}
