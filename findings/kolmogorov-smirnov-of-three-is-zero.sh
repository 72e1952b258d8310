#!/usr/bin/env bash
# commons-math3 3.6.1 and hipparchus-stat 4.0.1, against commons-statistics-inference 1.1 (Java) and scipy 1.17.1 (Python).
#
# Guess: the Kolmogorov-Smirnov test of three values against three greater ones is p = 0.1, as there are 20 ways to mix
# them, and of equal samples 1.
#
# Really: kolmogorovSmirnovTest() of Commons Math and of Hipparchus is the probability of a distance that is greater than
# the one seen, not of one at least as great. So samples that do not overlap are p = 0, however few they are. Four equal
# values against the same four are 0.03 for Commons Math. With `false` for strict it is right in most cases, but not of
# constant samples there, nor of samples that do not overlap in Hipparchus. Commons Statistics and scipy say 0.1 and 1.
#
# Matters: a judge in Java that looks at the third window rolls a canary back at every level, 1e-9 as well, though three
# slower windows of three are nothing rare; and for a metric that is 0 on both sides. Use Commons Statistics.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_java org.apache.commons:commons-math3:3.6.1 org.hipparchus:hipparchus-stat:4.0.1 \
  org.apache.commons:commons-statistics-inference:1.1 <<'JAVA'
import org.apache.commons.statistics.inference.KolmogorovSmirnovTest;

class Main {
  static final double[][][] SAMPLES = {
    {{0.1, 0.2, 0.3}, {0.5, 0.6, 0.7}}, {{0, 0, 0, 0}, {0, 0, 0, 0}}, {{0.1, 0.2, 0.3, 0.4}, {0.1, 0.2, 0.3, 0.4}},
  };
  static final String[] NAMES = {"three against three greater ones", "four zeros against four zeros", "four values against the same"};

  public static void main(String[] args) {
    var math = new org.apache.commons.math3.stat.inference.KolmogorovSmirnovTest();
    var hipparchus = new org.hipparchus.stat.inference.KolmogorovSmirnovTest();
    for (int i = 0; i < SAMPLES.length; i++) {
      double[] primary = SAMPLES[i][0], canary = SAMPLES[i][1];
      System.out.printf(
          "%s: Commons Math %.4f, not strict %.4f; Hipparchus %.4f, not strict %.4f; Commons Statistics %.4f%n", NAMES[i],
          math.kolmogorovSmirnovTest(primary, canary), math.kolmogorovSmirnovTest(primary, canary, false),
          hipparchus.kolmogorovSmirnovTest(primary, canary), hipparchus.kolmogorovSmirnovTest(primary, canary, false),
          KolmogorovSmirnovTest.withDefaults().test(primary, canary).getPValue());
    }
  }
}
JAVA
with_python scipy==1.17.1 <<'PY'
from scipy.stats import ks_2samp

for primary, canary in [([0.1, 0.2, 0.3], [0.5, 0.6, 0.7]), ([0] * 4, [0] * 4), ([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4])]:
    print(f"scipy {ks_2samp(primary, canary).pvalue:.4f}")
PY
expect <<'END'
three against three greater ones: Commons Math 0.0000, not strict 0.1000; Hipparchus 0.0000, not strict 0.0000; Commons Statistics 0.1000
four zeros against four zeros: Commons Math 0.0286, not strict 0.2286; Hipparchus 0.7714, not strict 1.0000; Commons Statistics 1.0000
four values against the same: Commons Math 0.7714, not strict 1.0000; Hipparchus 0.7714, not strict 1.0000; Commons Statistics 1.0000
scipy 0.1000
scipy 1.0000
scipy 1.0000
END
