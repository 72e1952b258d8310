#!/usr/bin/env bash
# yargs 18.2.0, minimist 1.2.8, mri 1.2.0 and cac 7.1.0, against commander 14.0.3 and meow 14.1.0 (JavaScript).
#
# Guess: `--tag 1.10` gives the text "1.10". A command line has texts only.
#
# Really: four parsers of six turn the value of an option without a declared type into a number if it looks like one:
# 1.10 becomes 1.1, 51200e3 becomes 51200000, and for three of them 0123 becomes 123 and a long build number another
# one.
#
# Matters: a release script starts a canary of app:1.1 for `--tag 1.10`, an older version that exists and passes, or of
# an image named by a Git hash such as 51200e3 that does not exist. Declare such options as strings.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node yargs@18.2.0 minimist@1.2.8 mri@1.2.0 cac@7.1.0 commander@14.0.3 meow@14.1.0 <<'JS'
import { cac } from "cac";
import { Command } from "commander";
import meow from "meow";
import minimist from "minimist";
import mri from "mri";
import yargs from "yargs";

const parsers = {
  yargs: (argv) => yargs(argv).parse().tag,
  minimist: (argv) => minimist(argv).tag,
  mri: (argv) => mri(argv).tag,
  cac: (argv) => cac().parse(["node", "release", ...argv]).options.tag,
  commander: (argv) => new Command().option("--tag <tag>").parse(["node", "release", ...argv]).opts().tag,
  meow: (argv) => meow({ importMeta: import.meta, argv }).flags.tag,
};
for (const tag of ["1.10", "51200e3", "1e3", "0123", "20261129081500123", "1.10.0"]) {
  const seen = Object.entries(parsers).map(([name, parse]) => `${name} ${JSON.stringify(parse(["--tag", tag]))}`);
  console.log(`--tag ${tag}: ${seen.join(", ")}`);
}
JS
expect <<'END'
--tag 1.10: yargs 1.1, minimist 1.1, mri 1.1, cac 1.1, commander "1.10", meow "1.10"
--tag 51200e3: yargs 51200000, minimist 51200000, mri 51200000, cac 51200000, commander "51200e3", meow "51200e3"
--tag 1e3: yargs 1000, minimist 1000, mri 1000, cac 1000, commander "1e3", meow "1e3"
--tag 0123: yargs "0123", minimist 123, mri 123, cac 123, commander "0123", meow "0123"
--tag 20261129081500123: yargs "20261129081500123", minimist 20261129081500124, mri 20261129081500124, cac 20261129081500124, commander "20261129081500123", meow "20261129081500123"
--tag 1.10.0: yargs "1.10.0", minimist "1.10.0", mri "1.10.0", cac "1.10.0", commander "1.10.0", meow "1.10.0"
END
