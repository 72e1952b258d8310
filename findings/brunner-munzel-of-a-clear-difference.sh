#!/usr/bin/env bash
# scipy 1.17.1 (Python).
#
# Guess: the further two samples are apart, the smaller p is; for samples that do not overlap it is the smallest.
#
# Really: brunnermunzel() of samples that do not overlap gives NaN, because their variance within the ranks is 0. Where
# two values overlap p is 3e-12, and mannwhitneyu() is right for both.
#
# Matters: a judge that rolls back on `p < 0.05` promotes the canary that is slower in every single window, since NaN is
# less than nothing. Ask for NaN first, or take mannwhitneyu().
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 numpy==2.3.5 <<'PY'
import warnings

from scipy.stats import brunnermunzel, mannwhitneyu

warnings.simplefilter("ignore")
primary = [100, 101, 102, 103, 104, 105, 106, 107]
for name, canary in (("overlap by two", [107.5, 106.5, 210, 211, 212, 213, 214, 215]),
                     ("do not overlap", [208, 209, 210, 211, 212, 213, 214, 215])):
    p = brunnermunzel(primary, canary).pvalue
    print(f"{name}: brunnermunzel {p:.1g}, rolled back: {bool(p < 0.05)}, mannwhitneyu {mannwhitneyu(primary, canary).pvalue:.1g}")
PY
expect <<'END'
overlap by two: brunnermunzel 3e-12, rolled back: True, mannwhitneyu 0.0003
do not overlap: brunnermunzel nan, rolled back: False, mannwhitneyu 0.0002
END
