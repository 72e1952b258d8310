#!/usr/bin/env bash
# envalid 8.2.0 and convict 6.2.5, against env-var 7.5.0 (JavaScript).
#
# Guess: a package that validates variables of the environment refuses "30s", "5m" or "99,5" for a number.
#
# Really: envalid and convict read as far as there are digits: 30, 5 and 99, without an error. As an integer convict
# reads 99 for "99.9" and 1 for "1e3". env-var refuses them.
#
# Matters: a bot takes INTERVAL=5m for 5 and asks each 5 seconds or milliseconds, and a gate takes 99,5 or 99.9 for 99
# and passes a canary that should fail, although its settings were validated at the start. Use a validator of your own
# that compares String(number) with the text, or env-var.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node envalid@8.2.0 convict@6.2.5 env-var@7.5.0 <<'JS'
import convict from "convict";
import envVar from "env-var";
import { cleanEnv, num } from "envalid";

const refuse = () => {
  throw new Error("refused");
};
const byConvict = (format) => (N) => {
  const settings = convict({ n: { format, default: 0, env: "N" } }, { env: { N }, args: [] });
  settings.validate();
  return settings.get("n");
};
const readers = {
  "envalid num()": (N) => cleanEnv({ N }, { N: num() }, { reporter: ({ errors }) => errors.N && refuse() }).N,
  "convict Number": byConvict(Number),
  "convict int": byConvict("int"),
  "env-var asFloat()": (N) => envVar.from({ N }).get("N").asFloat(),
};
for (const text of ["99.9", "99,5", "30s", "5m", "1e3"]) {
  const seen = Object.entries(readers).map(([name, read]) => {
    try {
      return `${name} ${read(text)}`;
    } catch {
      return `${name} refuses it`;
    }
  });
  console.log(`${text}: ${seen.join(", ")}`);
}
JS
expect <<'END'
99.9: envalid num() 99.9, convict Number 99.9, convict int 99, env-var asFloat() 99.9
99,5: envalid num() 99, convict Number 99, convict int 99, env-var asFloat() refuses it
30s: envalid num() 30, convict Number 30, convict int 30, env-var asFloat() refuses it
5m: envalid num() 5, convict Number 5, convict int 5, env-var asFloat() refuses it
1e3: envalid num() 1000, convict Number 1000, convict int 1, env-var asFloat() 1000
END
