#!/usr/bin/env bash
# commons-math3 3.6.1, against hipparchus-stat 4.0.1, commons-statistics-inference 1.1 (Java) and scipy 1.17.1 (Python).
#
# Guess: the signed-rank test of Wilcoxon of four pairs without a difference is p = 1, or refused.
#
# Really: for Commons Math pairs without a difference count as if one side were greater each time: p is 0.125 exactly, the
# least that four pairs can have, and 0.045 by the approximation. Hipparchus and Commons Statistics refuse, scipy says
# 1. Of six pairs it is 0.03 exactly.
#
# Matters: no failures in any window, on both sides, is the usual case of a good release, and the test finds it as
# different as can be: a judge in Java by `p < 0.05` rolls it back after six windows. Compare the windows first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java org.apache.commons:commons-math3:3.6.1 org.hipparchus:hipparchus-stat:4.0.1 \
  org.apache.commons:commons-statistics-inference:1.1 <<'JAVA'
import java.util.function.DoubleSupplier;
import org.apache.commons.statistics.inference.WilcoxonSignedRankTest;

class Main {
  static String p(DoubleSupplier test) {
    try {
      return String.format("%.4f", test.getAsDouble());
    } catch (RuntimeException refused) {
      return "refused";
    }
  }

  public static void main(String[] args) {
    var math = new org.apache.commons.math3.stat.inference.WilcoxonSignedRankTest();
    var hipparchus = new org.hipparchus.stat.inference.WilcoxonSignedRankTest();
    for (int windows : new int[] {4, 6}) {
      double[] zeros = new double[windows];
      System.out.printf(
          "%d pairs of zeros: Commons Math exactly %s, else %s; Hipparchus %s; Commons Statistics %s%n", windows,
          p(() -> math.wilcoxonSignedRankTest(zeros, zeros, true)), p(() -> math.wilcoxonSignedRankTest(zeros, zeros, false)),
          p(() -> hipparchus.wilcoxonSignedRankTest(zeros, zeros, true)),
          p(() -> WilcoxonSignedRankTest.withDefaults().test(zeros, zeros).getPValue()));
    }
  }
}
JAVA
with_python scipy==1.17.1 <<'PY'
import warnings

from scipy.stats import wilcoxon

warnings.simplefilter("ignore")
for windows in 4, 6:
    print(f"{windows} pairs of zeros: scipy {wilcoxon([0] * windows, [0] * windows).pvalue:.4f}")
PY
expect <<'END'
4 pairs of zeros: Commons Math exactly 0.1250, else 0.0446; Hipparchus refused; Commons Statistics refused
6 pairs of zeros: Commons Math exactly 0.0313, else 0.0211; Hipparchus refused; Commons Statistics refused
4 pairs of zeros: scipy 1.0000
6 pairs of zeros: scipy 1.0000
END
