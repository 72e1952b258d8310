#!/usr/bin/env bash
# kubernetes-resource-parser 0.1.0 (JavaScript), against kubernetes 37.0.1 (Python).
#
# Guess: it reads each quantity that Kubernetes writes.
#
# Really: it reads whole numbers with one of some suffixes. 1.5Gi is 1 byte, 1e9 as well, 128974848000m is NaN, and 100u or
# 100n of a CPU are 100 CPUs.
#
# Matters: a bot that compares the use of a canary with its limits sees it far above or below them: the metrics API writes CPU
# in n. Read quantities by a library that knows all of them.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node kubernetes-resource-parser@0.1.0 <<'JS'
import parser from "kubernetes-resource-parser";

for (const text of ["1", "0.5", "100m", "2k", "100u", "250000n"]) console.log(`CPU ${text}: ${parser.cpuParser(text)}`);
for (const text of ["1Gi", "1.5Gi", "0.5Gi", "1G", "1e9", "128974848000m"]) {
  console.log(`memory ${text}: ${parser.memoryParser(text)}`);
}
JS
with_python kubernetes==37.0.1 <<'PY'
from kubernetes.utils import parse_quantity

for text in ["2k", "100u", "250000n", "1.5Gi", "0.5Gi", "1e9", "128974848000m"]:
    print(f"Python {text}: {float(parse_quantity(text)):.12g}")
PY
expect <<'END'
CPU 1: 1
CPU 0.5: 0.5
CPU 100m: 0.1
CPU 2k: 2
CPU 100u: 100
CPU 250000n: 250000
memory 1Gi: 1073741824
memory 1.5Gi: 1
memory 0.5Gi: 0
memory 1G: 1000000000
memory 1e9: 1
memory 128974848000m: NaN
Python 2k: 2000
Python 100u: 0.0001
Python 250000n: 0.00025
Python 1.5Gi: 1610612736
Python 0.5Gi: 536870912
Python 1e9: 1000000000
Python 128974848000m: 128974848
END
