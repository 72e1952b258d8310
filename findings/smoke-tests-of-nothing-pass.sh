#!/usr/bin/env bash
# mocha 12.0.3, uvu 0.5.6, node --test of Node 20 (JavaScript), unittest of Python 3.11, against pytest 9.2.0.
#
# Guess: a test runner that is asked for tests by a name that none of them has fails: there was nothing to run.
#
# Really: all but pytest, which has a status of its own for it, end with status 0 (uvu goes by the names of files). In a
# folder without any test uvu, node and unittest end with 0 too.
#
# Matters: a webhook or a Job that runs `mocha --grep @checkout` against a canary passes for ever once somebody renames
# the tag, and the canary goes to all users untested. Give --fail-zero to mocha, and let a script count the tests
# elsewhere.
#
# Seen, where the only test fails when it runs: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python pytest==9.2.0 </dev/null
with_node mocha@12.0.3 uvu@0.5.6 </dev/null
cd "$work/node"
mkdir tests empty
fail='("checkout answers", () => { throw new Error("500"); })'
echo "it$fail;" >tests/mocha.cjs
echo "require('node:test')$fail;" >tests/node.cjs
echo "const { test } = require('uvu'); test$fail; test.run();" >tests/uvu.cjs
printf 'import unittest\n\n\nclass Checkout(unittest.TestCase):\n    def test_checkout(self):\n        self.fail("500")\n' >tests/test_smoke.py
export PYTHONPATH="$work/python:tests" PYTHONDONTWRITEBYTECODE=1 NO_COLOR=1
status() {
  local name=$1
  shift
  local status=0
  "$@" >"$work/log" 2>&1 || status=$?
  echo "$name: status $status" | tee -a "$work/seen"
}
for word in checkout chekcout; do
  status "mocha, $word" node_modules/.bin/mocha --grep "$word" tests/mocha.cjs
  status "mocha --fail-zero, $word" node_modules/.bin/mocha --fail-zero --grep "$word" tests/mocha.cjs
  status "uvu, $word" node_modules/.bin/uvu tests "${word/checkout/uvu}"
  status "node --test, $word" node --test --test-name-pattern="$word" tests/node.cjs
  status "unittest, $word" python3 -m unittest -k "$word" test_smoke
  status "pytest, $word" python3 -m pytest -q -p no:cacheprovider -k "$word" tests/test_smoke.py
done
cd empty
status "mocha, no tests" ../node_modules/.bin/mocha .
status "uvu, no tests" ../node_modules/.bin/uvu .
status "node --test, no tests" node --test
status "unittest, no tests" python3 -m unittest discover .
status "pytest, no tests" python3 -m pytest -q -p no:cacheprovider .
expect <<'END'
mocha, checkout: status 1
mocha --fail-zero, checkout: status 1
uvu, checkout: status 1
node --test, checkout: status 1
unittest, checkout: status 1
pytest, checkout: status 1
mocha, chekcout: status 0
mocha --fail-zero, chekcout: status 1
uvu, chekcout: status 0
node --test, chekcout: status 0
unittest, chekcout: status 0
pytest, chekcout: status 5
mocha, no tests: status 1
uvu, no tests: status 0
node --test, no tests: status 0
unittest, no tests: status 0
pytest, no tests: status 5
END
