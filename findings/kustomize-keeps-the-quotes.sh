#!/usr/bin/env bash
# sigs.k8s.io/kustomize/api 0.21.1, against dotenv 17.2.3 (npm) and python-dotenv 1.2.1.
#
# Guess: `envs: [.env]` of a configMapGenerator reads the file as the libraries do that read it in development.
#
# Really: everything behind the = is the value: quotes, blanks in front and comments. `export A=1` has the key "export A",
# which the API server refuses.
#
# Matters: an application that works on the developer's machine gets an address with quotes around it in the cluster, and
# a comment as a part of its password: the canary fails its checks for a reason that is in no diff of the code. Write
# such files without quotes and comments.
#
# Seen: see below.
set -euo pipefail
. "$(dirname "$0")/lib/kustomize.sh"
mkdir "$work/overlay"
cat >"$work/overlay/.env" <<'ENV'
A="http://shop"
B=5 # seconds
C= x
ENV
echo 'configMapGenerator: [{name: app, options: {disableNameSuffixHash: true}, envs: [.env]}]' >"$work/overlay/kustomization.yaml"
node_packages dotenv@17.2.3
python_packages python-dotenv==1.2.1
{
  kustomize v0.21.1 "$work/overlay" | sed -n 's/^  \([ABC]: .*\)/kustomize \1/p'
  node -e 'const fs = require("fs"), { parse } = require(process.argv[1] + "/node_modules/dotenv");
    for (const [name, value] of Object.entries(parse(fs.readFileSync(process.argv[1] + "/overlay/.env")))) console.log(`npm ${name}: ${value}`)' "$work"
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$work/python" python3 -c 'import dotenv, sys
for name, value in dotenv.dotenv_values(sys.argv[1]).items(): print(f"Python {name}: {value}")' "$work/overlay/.env"
} | tee "$work/seen"
diff "$work/seen" - <<'END'
kustomize A: '"http://shop"'
kustomize B: '5 # seconds'
kustomize C: ' x'
npm A: http://shop
npm B: 5
npm C: x
Python A: http://shop
Python B: 5
Python C: x
END
