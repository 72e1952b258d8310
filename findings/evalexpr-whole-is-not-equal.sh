#!/usr/bin/env bash
# evalexpr 13.1.0 (Rust).
#
# Guess: 5 == 5.0 holds, since 5 <= 5.0 and 5 >= 5.0 do.
#
# Really: a whole number is never equal to a fraction: 5 == 5.0 and 2 ^ 3 == 8 are false, since a power is a fraction, and
# 5 != 5.0 holds. 9 / 10 is 0.
#
# Matters: a gate over JSON, where 0 errors come as 0 from one service and as 0.0 from the next, opens or stays shut by how
# a number was written, and `failed / all <= 0.01` of counts holds up to the last request. Compare by <= and >=, and
# multiply by 1.0 first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo evalexpr@=13.1.0 <<'RUST'
use evalexpr::{DefaultNumericTypes, HashMapContext, context_map, eval_with_context};

fn main() {
    let context: HashMapContext<DefaultNumericTypes> =
        context_map! { "errors" => float 0.0, "failed" => int 99, "all" => int 100 }.unwrap();
    for text in [
        "5 == 5.0",
        "5 <= 5.0 && 5 >= 5.0",
        "5 != 5.0",
        "2 ^ 3 == 8",
        "errors == 0",
        "failed / all <= 0.01",
        "1.0 * failed / all <= 0.01",
    ] {
        println!("{text} is {}", eval_with_context(text, &context).unwrap());
    }
}
RUST
expect <<'END'
5 == 5.0 is false
5 <= 5.0 && 5 >= 5.0 is true
5 != 5.0 is true
2 ^ 3 == 8 is false
errors == 0 is false
failed / all <= 0.01 is true
1.0 * failed / all <= 0.01 is false
END
