#!/usr/bin/env bash
# statrs 0.19.1 (Rust), against scipy 1.17.1 (Python).
#
# Guess: mannwhitneyu() gives the same two-sided p whichever sample comes first, and a small one for samples that do
# not overlap.
#
# Really: with the exact method, which is the default for small samples without ties, p is 1 whenever the first sample
# is not the larger one, seven against seven that do not overlap included. Only with the larger sample first is it
# right; the example in the documentation has it so.
#
# Matters: a canary judge in Rust that compares a few windows of the two sides, as many of each, never finds a
# difference. Ask for AsymptoticInclContinuityCorrection, or give the larger sample first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_cargo statrs@=0.19.1 <<'RUST'
use statrs::stats_tests::Alternative::TwoSided;
use statrs::stats_tests::mannwhitneyu::{MannWhitneyUMethod, mannwhitneyu};

fn show(name: &str, x: &[i32], y: &[i32]) {
    let exact = mannwhitneyu(x, y, MannWhitneyUMethod::Automatic, TwoSided).unwrap();
    let normal = mannwhitneyu(x, y, MannWhitneyUMethod::AsymptoticInclContinuityCorrection, TwoSided).unwrap();
    println!("statrs {name}: p={:.4}, asymptotic {:.4}", exact.1, normal.1);
}

fn main() {
    show("5 against 4", &[19, 22, 16, 29, 24], &[20, 11, 17, 12]);
    show("4 against 5", &[20, 11, 17, 12], &[19, 22, 16, 29, 24]);
    show("7 against 7, apart", &[1, 2, 3, 4, 5, 6, 7], &[11, 12, 13, 14, 15, 16, 17]);
}
RUST
with_python scipy==1.17.1 <<'PY'
from scipy.stats import mannwhitneyu

print(f"scipy 5 against 4: p={mannwhitneyu([19, 22, 16, 29, 24], [20, 11, 17, 12]).pvalue:.4f}")
print(f"scipy 4 against 5: p={mannwhitneyu([20, 11, 17, 12], [19, 22, 16, 29, 24]).pvalue:.4f}")
print(f"scipy 7 against 7, apart: p={mannwhitneyu(range(1, 8), range(11, 18)).pvalue:.4f}")
PY
expect <<'END'
statrs 5 against 4: p=0.1111, asymptotic 0.1113
statrs 4 against 5: p=1.0000, asymptotic 0.1113
statrs 7 against 7, apart: p=1.0000, asymptotic 0.0022
scipy 5 against 4: p=0.1111
scipy 4 against 5: p=0.1111
scipy 7 against 7, apart: p=0.0006
END
