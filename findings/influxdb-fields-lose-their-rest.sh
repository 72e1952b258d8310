#!/usr/bin/env bash
# @influxdata/influxdb-client 1.35.0 (JavaScript).
#
# Guess: intField() of 99.9 is refused or rounded, floatField() of "99,5" is refused, booleanField() of "false" is false.
#
# Really: a number is read from a text as far as there are digits: 99, 99 and for "5m" 5. 99.9 is cut to 99. booleanField()
# asks whether the value is true in JavaScript, which each text is that is not empty. Only uintField() refuses them.
#
# Matters: a job that writes a success rate by intField() has 99 for 99.9, and the check of a canary `min: 99.5` fails for
# ever; one that passes on texts writes 5 for five minutes, and `T` for a failure. Make numbers of texts by Number() before, and
# look for NaN.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @influxdata/influxdb-client@1.35.0 <<'JS'
import { Point } from "@influxdata/influxdb-client";

const values = {
  intField: [99.9, "99.9", "5m", "1e3"],
  uintField: [99.9, "99.9", "5m", "1e3"],
  floatField: ["99,5", "5m", "1e3", "none"],
  booleanField: ["false", "0", ""],
};
for (const [name, all] of Object.entries(values)) {
  for (const value of all) {
    let line;
    try {
      line = new Point("checks")[name]("value", value).timestamp(1).toLineProtocol();
    } catch {
      line = "refused";
    }
    console.log(`${name}(${JSON.stringify(value)}): ${line}`);
  }
}
JS
expect <<'END'
intField(99.9): checks value=99i 1
intField("99.9"): checks value=99i 1
intField("5m"): checks value=5i 1
intField("1e3"): checks value=1i 1
uintField(99.9): checks value=99u 1
uintField("99.9"): refused
uintField("5m"): refused
uintField("1e3"): refused
floatField("99,5"): checks value=99 1
floatField("5m"): checks value=5 1
floatField("1e3"): checks value=1000 1
floatField("none"): refused
booleanField("false"): checks value=T 1
booleanField("0"): checks value=T 1
booleanField(""): checks value=F 1
END
