#!/usr/bin/env bash
# chance 1.1.13, random-weighted-choice 0.1.4 and weighted-random 0.1.0, against weighted 1.0.0 (JavaScript) and
# random.choices of Python 3.11.
#
# Guess: weights "90" and "10", texts as they come from an environment variable, a header or an annotation, are numbers to
# a package that draws by weight, or refused.
#
# Really: the first three put the texts behind each other for their sum: the canary, which was to get a tenth, gets 99 %,
# and with "100" and "0" still 99 % with random-weighted-choice; weighted-random gives no choice at all in nine cases of
# ten. The other two refuse them.
#
# Matters: a gateway or a client of one's own that splits users by such a package turns a canary of 10 % into one of 99 %,
# with shares that add up and no error. Map weights by Number where they are read.
#
# Seen, of 20000 draws of primary or canary: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node chance@1.1.13 random-weighted-choice@0.1.4 weighted-random@0.1.0 weighted@1.0.0 <<'JS'
import Chance from "chance";
import choose from "random-weighted-choice";
import weighted from "weighted";
import weightedRandom from "weighted-random";

const names = ["primary", "canary"];
const chance = new Chance(1);
const packages = {
  chance: (weights) => chance.weighted(names, weights),
  "random-weighted-choice": (weights) => choose(names.map((id, i) => ({ id, weight: weights[i] }))),
  "weighted-random": (weights) => names[weightedRandom(weights)],
  weighted: (weights) => weighted.select(names, weights),
};
const share = (part) => (part < 0.02 ? "about none" : part > 0.95 ? "nearly all" : part > 0.8 ? "most" : part < 0.2 ? "about a tenth" : "other");
for (const weights of [[90, 10], ["90", "10"], ["100", "0"]]) {
  for (const [name, draw] of Object.entries(packages)) {
    const drawn = { canary: 0, undefined: 0 };
    try {
      for (let i = 0; i < 20_000; i++) {
        const side = String(draw(weights));
        drawn[side] = (drawn[side] ?? 0) + 1;
      }
      const [canary, nobody] = [drawn.canary, drawn.undefined].map((n) => share(n / 20_000));
      console.log(`${JSON.stringify(weights)} ${name}: canary ${canary}, no choice ${nobody}`);
    } catch {
      console.log(`${JSON.stringify(weights)} ${name}: refused`);
    }
  }
}
JS
python3 - <<'PY' | tee -a "$work/seen"
import random

try:
    random.choices(["primary", "canary"], ["90", "10"])
except TypeError as error:
    print("Python:", error)
PY
expect <<'END'
[90,10] chance: canary about a tenth, no choice about none
[90,10] random-weighted-choice: canary about a tenth, no choice about none
[90,10] weighted-random: canary about a tenth, no choice about none
[90,10] weighted: canary about a tenth, no choice about none
["90","10"] chance: canary nearly all, no choice about none
["90","10"] random-weighted-choice: canary nearly all, no choice about none
["90","10"] weighted-random: canary about none, no choice nearly all
["90","10"] weighted: refused
["100","0"] chance: canary about none, no choice about none
["100","0"] random-weighted-choice: canary nearly all, no choice about none
["100","0"] weighted-random: canary about none, no choice most
["100","0"] weighted: refused
Python: can only concatenate str (not "float") to str
END
