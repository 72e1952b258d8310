#!/usr/bin/env bash
# argparse of Python 3.11, zod 4.6.7, minimist 1.2.8, yargs 18.0.0 (JavaScript), against pydantic 2.14.4.
#
# Guess: what is declared as a boolean reads "false" and "0" as false, "true" and "1" as true, and refuses the rest.
#
# Really: argparse with type=bool and z.coerce.boolean() read every text but the empty one as true, "false" too. minimist
# reads "false" as false and "0", "no" and "off" as true. yargs reads "true" as true, and "1", "yes" and "on" as false.
#
# Matters: a bot with AUTO_APPROVE=false opens the gates of all Canaries, one with --dry-run=1 works in earnest; each is
# right with the other spelling. Declare the words (z.stringbool(), BooleanOptionalAction), and try both values.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pydantic==2.14.4 <<'PY'
import argparse

from pydantic import TypeAdapter, ValidationError

parser = argparse.ArgumentParser()
parser.add_argument("--flag", type=bool)
for text in ("true", "1", "yes", "false", "0", "no", "off", ""):
    try:
        other = TypeAdapter(bool).validate_python(text)
    except ValidationError:
        other = "refused"
    print(f'"{text}"', "argparse:", parser.parse_args([f"--flag={text}"]).flag, "pydantic:", other)
PY
with_node zod@4.6.7 minimist@1.2.8 yargs@18.0.0 <<'JS'
import minimist from "minimist";
import yargs from "yargs";
import { z } from "zod";

for (const text of ["true", "1", "yes", "false", "0", "no", "off", ""]) {
  const words = z.stringbool().safeParse(text);
  console.log(
    JSON.stringify(text),
    "z.coerce.boolean:", z.coerce.boolean().parse(text),
    "z.stringbool:", words.success ? words.data : "refused",
    "minimist:", minimist([`--flag=${text}`], { boolean: ["flag"] }).flag,
    "yargs:", yargs([`--flag=${text}`]).boolean("flag").parse().flag,
  );
}
JS
expect <<'END'
"true" argparse: True pydantic: True
"1" argparse: True pydantic: True
"yes" argparse: True pydantic: True
"false" argparse: True pydantic: False
"0" argparse: True pydantic: False
"no" argparse: True pydantic: False
"off" argparse: True pydantic: False
"" argparse: False pydantic: refused
"true" z.coerce.boolean: true z.stringbool: true minimist: true yargs: true
"1" z.coerce.boolean: true z.stringbool: true minimist: true yargs: false
"yes" z.coerce.boolean: true z.stringbool: true minimist: true yargs: false
"false" z.coerce.boolean: true z.stringbool: false minimist: false yargs: false
"0" z.coerce.boolean: true z.stringbool: false minimist: true yargs: false
"no" z.coerce.boolean: true z.stringbool: false minimist: true yargs: false
"off" z.coerce.boolean: true z.stringbool: false minimist: true yargs: false
"" z.coerce.boolean: false z.stringbool: refused minimist: true yargs: false
END
