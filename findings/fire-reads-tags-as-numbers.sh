#!/usr/bin/env bash
# fire 0.7.1, against click 8.5.1 (Python).
#
# Guess: --tag=1.10 of a program without types is the text "1.10".
#
# Really: fire reads each argument as a value of Python if it can. The tag 1.10 is 1.1, the short Git hash 4821907 a number,
# 12e4567 infinite, 20261129_0815 joins its digits, None is nothing, and a,b a tuple, also where the parameter is declared
# as `str`. click hands texts over.
#
# Matters: a bot that sets the image of a release by such a command releases 1.1 for 1.10, or an image that is not there for
# a short Git hash such as 12e4567. Quote twice, as in --tag='"1.10"', or take click.
#
# Seen, what the program is handed: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python fire==0.7.1 click==8.5.1 <<'PY'
import click, fire
from click.testing import CliRunner

seen = {}


def deploy(tag: str):
    seen[name] = tag


@click.command()
@click.option("--tag")
def command(tag):
    deploy(tag)


for library in ("fire", "click"):
    seen.clear()
    for name in ("1.10", "4821907", "12e4567", "20261129_0815", "None", "a,b", "1.10.0", "v1.10", '"1.10"'):
        if library == "fire":
            fire.Fire(deploy, [f"--tag={name}"])
        else:
            CliRunner().invoke(command, [f"--tag={name}"])
    print(library, seen)
PY
expect <<'END'
fire {'1.10': 1.1, '4821907': 4821907, '12e4567': inf, '20261129_0815': 202611290815, 'None': None, 'a,b': ('a', 'b'), '1.10.0': '1.10.0', 'v1.10': 'v1.10', '"1.10"': '1.10'}
click {'1.10': '1.10', '4821907': '4821907', '12e4567': '12e4567', '20261129_0815': '20261129_0815', 'None': 'None', 'a,b': 'a,b', '1.10.0': '1.10.0', 'v1.10': 'v1.10', '"1.10"': '"1.10"'}
END
