#!/usr/bin/env bash
# asteval 1.0.10, against simpleeval 1.0.8 (Python).
#
# Guess: an expression that fails raises an exception.
#
# Really: calling the interpreter of asteval prints the error to standard error and returns None, for a name that is not there,
# for None > 5, for a division by zero and for what does not parse. simpleeval raises. `raise_errors=True` is asked for at
# each call.
#
# Matters: `if interpreter("errors > 5"): rollback()` never rolls back when errors is missing, and a condition of success that
# is turned around passes. Look at interpreter.error, or give raise_errors.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python asteval==1.0.10 simpleeval==1.0.8 <<'PY'
import contextlib
import io

import asteval
import simpleeval

names = {"rate": None, "total": 0}

def try_it(evaluate):
    try:
        return evaluate()
    except BaseException as error:
        return f"raises {type(error).__name__}"

for text in ["failures > 5", "rate > 5", "5 / total", "total >", "total < 5"]:
    with contextlib.redirect_stderr(io.StringIO()):
        seen = {
            "asteval": try_it(lambda: asteval.Interpreter(user_symbols=dict(names))(text)),
            "asteval, raise_errors": try_it(lambda: asteval.Interpreter(user_symbols=dict(names))(text, raise_errors=True)),
            "simpleeval": try_it(lambda: simpleeval.simple_eval(text, names=names)),
        }
    print(f"{text}: {', '.join(f'{name} {value}' for name, value in seen.items())}")
PY
expect <<'END'
failures > 5: asteval None, asteval, raise_errors raises NameError, simpleeval raises NameNotDefined
rate > 5: asteval None, asteval, raise_errors raises TypeError, simpleeval raises TypeError
5 / total: asteval None, asteval, raise_errors raises ZeroDivisionError, simpleeval raises ZeroDivisionError
total >: asteval None, asteval, raise_errors raises SyntaxError, simpleeval raises SyntaxError
total < 5: asteval True, asteval, raise_errors True, simpleeval True
END
