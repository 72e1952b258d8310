#!/usr/bin/env bash
# numeral 2.0.6 (JavaScript), against Intl.NumberFormat of Node 20.
#
# Guess: numeral writes a small number as 0.000, leaves NaN or null visible, and reads "99,5" as 99.5 or refuses it.
#
# Really: 0.0000001 is written "NaN", while NaN, null and undefined are written "0.000". Of texts it drops commas and reads m and k as
# million and thousand: "99,5" is 995, "5m" is 5000000, "1h" is 1, and 0.995 is 100% in the format 0%.
#
# Matters: a report of a run shows 0 failures where there was no data, NaN where there were hardly any, and 100% for a success
# rate below its threshold. Ask for null and NaN before you format, and write 0.0% or more digits.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node numeral@2.0.6 <<'JS'
import numeral from "numeral";

for (const value of [0.0000001, 0.000001, NaN, null, undefined]) {
  const intl = new Intl.NumberFormat("en", { minimumFractionDigits: 3, maximumFractionDigits: 3 }).format(value);
  console.log(`${value} as 0.000: numeral ${numeral(value).format("0.000")}, Intl ${intl}`);
}
console.log("0.995 as 0%:", numeral(0.995).format("0%"));
for (const text of ["99,5", "5m", "10k", "1h", "99.5%"]) {
  console.log(`"${text}" is read as`, numeral(text).value());
}
JS
expect <<'END'
1e-7 as 0.000: numeral NaN, Intl 0.000
0.000001 as 0.000: numeral 0.000, Intl 0.000
NaN as 0.000: numeral 0.000, Intl NaN
null as 0.000: numeral 0.000, Intl 0.000
undefined as 0.000: numeral 0.000, Intl NaN
0.995 as 0%: 100%
"99,5" is read as 995
"5m" is read as 5000000
"10k" is read as 10000
"1h" is read as 1
"99.5%" is read as 0.995
END
