#!/usr/bin/env bash
# ruptures 1.1.10 (Python), with numpy 2.4.6 and scipy 1.17.1.
#
# Guess: in values that rise once, after the 12th, Pelt finds one change there, and none in values that are all equal.
#
# Really: it looks at each fifth place only. A change after the 12th is two, at 10 and at 15, and Binseg and Dynp put it at one of
# these. jump=1 has to be given. The list ends with the number of values also if there is no change, so that it is never empty, and a
# search for one change of equal values finds one. With the penalty 3 a step from 100 to 500 ms is found, and the same step in
# seconds is not.
#
# Matters: a judge of the durations of a run says that there were two changes, and blames the step before the one that slowed
# the canary; `if changes:` holds always. Give jump=1, cut the last entry off, and scale the penalty with the variance.
#
# Seen, of 30 values: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python ruptures==1.1.10 numpy==2.4.6 scipy==1.17.1 <<'PY'
import numpy
import ruptures


def plain(found):
    return [int(place) for place in found]


for place in (10, 12, 13, 17):
    values = numpy.array([0.1] * place + [0.5] * (30 - place))
    print(f"change at {place}: Pelt {plain(ruptures.Pelt().fit(values).predict(pen=0.01))},",
          f"Binseg {plain(ruptures.Binseg().fit(values).predict(n_bkps=1))},",
          f"Dynp {plain(ruptures.Dynp().fit(values).predict(n_bkps=1))},",
          f"Pelt with jump=1 {plain(ruptures.Pelt(jump=1).fit(values).predict(pen=0.01))}")
equal = numpy.array([0.1] * 30)
print("equal values: Pelt", plain(ruptures.Pelt().fit(equal).predict(pen=0.01)), "Binseg", plain(ruptures.Binseg().fit(equal).predict(n_bkps=1)))
for unit, factor in (("milliseconds", 1000), ("seconds", 1)):
    values = numpy.array([0.1] * 15 + [0.5] * 15) * factor
    print(f"step in {unit}, pen=3:", plain(ruptures.Pelt(model="l2").fit(values).predict(pen=3)))
PY
expect <<'END'
change at 10: Pelt [10, 30], Binseg [10, 30], Dynp [10, 30], Pelt with jump=1 [10, 30]
change at 12: Pelt [10, 15, 30], Binseg [10, 30], Dynp [10, 30], Pelt with jump=1 [12, 30]
change at 13: Pelt [10, 15, 30], Binseg [15, 30], Dynp [15, 30], Pelt with jump=1 [13, 30]
change at 17: Pelt [15, 20, 30], Binseg [15, 30], Dynp [15, 30], Pelt with jump=1 [17, 30]
equal values: Pelt [30] Binseg [20, 30]
step in milliseconds, pen=3: [15, 30]
step in seconds, pen=3: [30]
END
