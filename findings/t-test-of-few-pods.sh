#!/usr/bin/env bash
# scipy 1.17.1 and statsmodels 0.15.0 (Python), against commons-math3 3.6.1 (Java).
#
# Guess: the t-test of three durations of a canary against a thousand of the primary is careful, since three are few.
#
# Really: ttest_ind of both libraries takes the variances for equal, so that of the thousand counts for the three as well:
# p of 1, 2 and 9 s against a thousand around 1.55 s is 8e-82. Welch's test, which is asked for by equal_var=False and
# usevar="unequal", gives 0.43; tTest of commons-math3 is Welch's.
#
# Matters: a canary starts with few pods and few samples, so a gate with the test as it comes rolls back for one slow request,
# or finds no difference where the few are the narrower ones. Ask for Welch's test.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 statsmodels==0.15.0 <<'PY'
from scipy.stats import ttest_ind
from statsmodels.stats.weightstats import ttest_ind as of_statsmodels

primary = [1.5, 1.6] * 500
for canary in [[1, 2, 9], [1.5, 1.6, 1.9]]:
    seen = {
        "scipy": ttest_ind(canary, primary).pvalue,
        "scipy, equal_var=False": ttest_ind(canary, primary, equal_var=False).pvalue,
        "statsmodels": of_statsmodels(canary, primary)[1],
        "statsmodels, unequal": of_statsmodels(canary, primary, usevar="unequal")[1],
    }
    print(f"{canary}: {', '.join(f'{name} {p:.2g}' for name, p in seen.items())}")
PY
with_java org.apache.commons:commons-math3:3.6.1 <<'JAVA'
import java.util.*;
import java.util.stream.*;
import org.apache.commons.math3.stat.inference.TTest;

class Main {
  public static void main(String[] arguments) {
    double[] primary = IntStream.range(0, 1000).mapToDouble(number -> number % 2 == 0 ? 1.5 : 1.6).toArray();
    for (double[] canary : new double[][] {{1, 2, 9}, {1.5, 1.6, 1.9}}) {
      TTest test = new TTest();
      System.out.printf(Locale.ROOT, "%s: tTest %.2g, homoscedasticTTest %.2g%n", Arrays.toString(canary),
          test.tTest(canary, primary), test.homoscedasticTTest(canary, primary));
    }
  }
}
JAVA
expect <<'END'
[1, 2, 9]: scipy 7.9e-82, scipy, equal_var=False 0.43, statsmodels 7.9e-82, statsmodels, unequal 0.43
[1.5, 1.6, 1.9]: scipy 7.7e-05, scipy, equal_var=False 0.43, statsmodels 7.7e-05, statsmodels, unequal 0.43
[1.0, 2.0, 9.0]: tTest 0.43, homoscedasticTTest 7.9e-82
[1.5, 1.6, 1.9]: tTest 0.43, homoscedasticTTest 7.7e-05
END
