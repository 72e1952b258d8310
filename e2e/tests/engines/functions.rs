//! Every function of conditions with every kind of argument, and functions of the originals that Serin does not have.

use crate::{conditions::both, original::Case};

const FUNCTIONS: [&str; 23] = [
    "len", "size", "min", "max", "sum", "mean", "median", "count", "first", "last", "abs", "round", "floor",
    "ceil", "isNaN", "isInf", "isNil", "asFloat", "float", "asInt", "int", "double", "default",
];

const ARGUMENTS: [&str; 40] = [
    "",
    "result",
    "result[0]",
    "result[1]",
    "primary",
    "primary[0]",
    "1",
    "-1.5",
    "0/0",
    "'a'",
    "true",
    "nil",
    "[]",
    "[0.5, 1]",
    "[true, false]",
    "['a']",
    "[result, 1]",
    "[result[0], 1]",
    "result.filter(x, x > 0.5)",
    "result.map(x, x > 0.5)",
    "result.map(x, x * 2)",
    "filter(result, # > 0.5)",
    "map(result, # * 2)",
    "result[0] > 0.5",
    "len(result)",
    "x",
    "result, 1",
    "1, result",
    "result, primary",
    "result, result.map(x, x * 2)",
    "result, [0.5, 2]",
    "result, [true]",
    "result, 'a'",
    "result, nil",
    "result[0], 0.5",
    "result[0], 0.5, 2",
    "result[0] > 0.5, false",
    "result, # > 0.5",
    "default(result, 0), 1",
    "default(result[0], 0)",
];

/// What is asked about a call.
const ASKED: [&str; 5] = ["@ > 0.5", "@", "@ == result[0]", "@[0] > 0.5", "0.6 in @"];

/// Arguments for cases in which the names are numbers.
const SCALARS: [&str; 7] =
    ["result", "result, 1", "1, result", "result, primary", "result - 1", "result > 0.5", "result, nil"];

/// Calls of functions of the originals that are not in Serin's language.
const OTHERS: [&str; 64] = [
    "find(result, # > 0.5) > 0.5",
    "findIndex(result, # > 0.5) == 0",
    "findLast(result, # > 0.5) > 0.5",
    "findLastIndex(result, # > 0.5) == 0",
    "groupBy(result, # > 0.5)[true][0] > 0.5",
    "sortBy(result, #)[0] > 0.5",
    "sortBy(result, -#)[0] > 0.5",
    "reduce(result, #acc + #, 0) > 0.5",
    "reduce(result, # + #acc) > 0.5",
    "type(result) == 'array'",
    "string(result[0]) == '1'",
    "trim('a') == 'a' && result[0] > 0.5",
    "upper('a') == 'A' && result[0] > 0.5",
    "lower('A') == 'a' && result[0] > 0.5",
    "split('a,b', ',')[0] == 'a' && result[0] > 0.5",
    "join(['a'], ',') == 'a' && result[0] > 0.5",
    "indexOf('ab', 'b') == 1 && result[0] > 0.5",
    "hasPrefix('ab', 'a') && result[0] > 0.5",
    "hasSuffix('ab', 'b') && result[0] > 0.5",
    "toJSON(result) != ''",
    "fromJSON('1') < result[0]",
    "now().Year() > 2000 && result[0] > 0.5",
    "duration('1s').Seconds() > result[0]",
    "date('2026-01-01').Year() > 2000 && result[0] > 0.5",
    "get(result, 0) > 0.5",
    "take(result, 1)[0] > 0.5",
    "keys({'a': 1})[0] == 'a' && result[0] > 0.5",
    "values({'a': 1})[0] == 1 && result[0] > 0.5",
    "reverse(result)[0] > 0.5",
    "uniq(result)[0] > 0.5",
    "concat(result, primary)[0] > 0.5",
    "flatten([result, primary])[0] > 0.5",
    "sort(result)[0] > 0.5",
    "sort(result, 'desc')[0] > 0.5",
    "bitnot(1) < result[0]",
    "bitand(1, 3) > result[0]",
    "mean(result, 1) > 0.5",
    "median(result, 1) > 0.5",
    "sum(result, # * 2) > 0.5",
    "sum(result, 1) > 0.5",
    "count(result, # > 0.5) > 0",
    "count([true, false]) > result[0]",
    "max([result, primary]) > 0.5",
    "max(result, [primary]) > 0.5",
    "result | max() > 0.5",
    "result | filter(# > 0.5) | len() > 0",
    "result[0] | abs() > 0.5",
    "result.map(x, x > 0.5, x * 2)[0] > 0.5",
    "result.filter(x, x > 0.5)[0] > 0.5",
    "result.exists_one(x, x > 0.5)",
    "result.existsOne(x, x > 0.5)",
    "has(result.a)",
    "'a'.size() == 1 && result[0] > 0.5",
    "'ab'.contains('a') && result[0] > 0.5",
    "'ab' contains 'a' && result[0] > 0.5",
    "'ab' startsWith 'a' && result[0] > 0.5",
    "'ab' matches 'a.' && result[0] > 0.5",
    "type(result[0]) == double",
    "dyn(result[0]) > 0.5",
    "uint(1) < 2u && result[0] > 0.5",
    "duration('1s') < duration('2s') && result[0] > 0.5",
    "let y = result[0]; y > 0.5",
    "result[0] > 0.5 ?: false",
    "1..3 == [1, 2, 3] && result[0] > 0.5",
];

const VALUES: [&[f64]; 3] = [&[0.95], &[0.99, 0.5], &[]];

pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for values in VALUES {
        all.extend(OTHERS.iter().flat_map(|text| both(text, values, &[0.5], false)));
        for function in FUNCTIONS {
            // of a list, the originals' default and isNil say that it is there
            let of_value = ["default", "isNil"].contains(&function);
            let listed = |arguments: &str| {
                let names = ["result", "primary", "default(result"];
                arguments.split(", ").any(|argument| names.contains(&argument))
            };
            let lists = || ARGUMENTS.iter().filter(|arguments| !of_value || !listed(arguments));
            for asked in ASKED {
                let of = |arguments: &str| asked.replace('@', &format!("{function}({arguments})"));
                all.extend(lists().flat_map(|arguments| both(&of(arguments), values, &[0.5], false)));
                if values.len() < 2 {
                    all.extend(
                        SCALARS.iter().flat_map(|arguments| both(&of(arguments), values, &[0.5], true)),
                    );
                }
            }
        }
    }
    all
}
