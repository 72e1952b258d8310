#!/usr/bin/env bash
# scipy 1.17.1 (Python), org.apache.commons:commons-math3 3.6.1 (Java): Mann-Whitney U with defaults.
#
# Guess: the same samples give the same p, and with three values against three no p is below 0.1, since there are only
# 20 orders.
#
# Really: scipy is exact there, 0.1, but one tie among the values switches it to the normal approximation, and p falls
# to 0.077: a tie makes the difference "more significant". commons-math always approximates, without a correction for
# continuity or ties: 0.0495. U itself is 0 for one library and 9 for another.
#
# Matters: a canary judge that asks for p < 0.05 rolls back on three windows of three in Java and never can in Python.
# Few windows, as a canary has, are where libraries differ most; state the method beside the threshold.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python scipy==1.17.1 <<'PY'
from scipy.stats import mannwhitneyu

for primary, canary in (([1, 2, 3], [4, 5, 6]), ([1, 2, 3], [4, 4, 6])):
    told = mannwhitneyu(primary, canary)
    print("scipy", primary, canary, f"U={told.statistic} p={told.pvalue:.4f}")
PY
with_java org.apache.commons:commons-math3:3.6.1 <<'JAVA'
import java.util.Arrays;
import org.apache.commons.math3.stat.inference.MannWhitneyUTest;

public class Main {
    public static void main(String[] args) {
        MannWhitneyUTest test = new MannWhitneyUTest();
        double[] primary = {1, 2, 3};
        for (double[] canary : new double[][] {{4, 5, 6}, {4, 4, 6}}) {
            System.out.printf(java.util.Locale.ROOT, "commons-math %s %s U=%.1f p=%.4f%n", Arrays.toString(primary), Arrays.toString(canary),
                    test.mannWhitneyU(primary, canary), test.mannWhitneyUTest(primary, canary));
        }
    }
}
JAVA
expect <<'END'
scipy [1, 2, 3] [4, 5, 6] U=0.0 p=0.1000
scipy [1, 2, 3] [4, 4, 6] U=0.0 p=0.0765
commons-math [1.0, 2.0, 3.0] [4.0, 5.0, 6.0] U=9.0 p=0.0495
commons-math [1.0, 2.0, 3.0] [4.0, 4.0, 6.0] U=9.0 p=0.0495
END
