#!/usr/bin/env bash
# statsmodels 0.15.0 (Python), with numpy 2.3.5.
#
# Guess: the 95 % interval of 0 failures in 10 requests reaches up to about 30 % (the rule of three), whatever the method.
#
# Really: with the default method, "normal", it is from 0 to 0: as sure as can be. So it is for a million requests. With
# "wilson" it goes to 28 %, with "beta" to 31 %.
#
# Matters: a judge that passes a canary when the upper end is below 1 % passes it after one good request, and with that at
# the first look of every run. Give the method: wilson or beta.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python statsmodels==0.15.0 numpy==2.3.5 <<'PY'
from statsmodels.stats.proportion import proportion_confint

print("as it is", *("%.4f" % proportion_confint(0, all)[1] for all in (1, 10, 1000)))
for method in ("normal", "agresti_coull", "beta", "wilson", "jeffreys"):
    print(method, *("%.4f" % proportion_confint(0, all, method=method)[1] for all in (1, 10, 1000)))
PY
expect <<'END'
as it is 0.0000 0.0000 0.0000
normal 0.0000 0.0000 0.0000
agresti_coull 0.8325 0.3209 0.0046
beta 0.9750 0.3085 0.0037
wilson 0.7935 0.2775 0.0038
jeffreys 0.8533 0.2172 0.0025
END
