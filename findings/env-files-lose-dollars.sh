#!/usr/bin/env bash
# dotenv 18.0.10 with dotenv-expand 1000.0.0 and --env-file of Node 20, joho/godotenv 1.5.1 (Go), python-dotenv 1.2.4,
# python-decouple 3.8 and django-environ 0.14.0 (Python).
#
# Guess: a value of a .env file with a dollar sign, or with `#` inside of a word, is the same for each reader.
#
# Really: `#` begins a comment anywhere in JavaScript, and only behind a blank in Go and for python-dotenv; decouple and
# django-environ know no comments behind values. "$1" is nothing in Go. ${1}_primary is "_primary" for dotenv-expand, Go and
# python-dotenv, for the first and the last even in single quotes. dotenv-expand cuts pa$word. For django-environ a value that
# begins with a dollar sign is the name of another variable, and an error if there is none.
#
# Matters: a password or a PromQL query with label_replace works on the author's machine and is another one in the service that
# reads the same file in another language. Keep such values in files of their own.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export FILE="$work/settings.env"
cat >"$FILE" <<'ENV'
HASH=abc#def
COMMENT=abc #def
WORD=pa$word
DOLLAR="$1"
BRACES=${1}_primary
SINGLE='${1}_primary'
ENV
with_node dotenv@18.0.10 dotenv-expand@1000.0.0 <<'JS'
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import dotenv from "dotenv";
import { expand } from "dotenv-expand";

const parsed = dotenv.parse(readFileSync(process.env.FILE));
console.log("dotenv", JSON.stringify(parsed));
console.log("dotenv-expand", JSON.stringify(expand({ processEnv: {}, parsed }).parsed));
const program = `console.log(JSON.stringify(Object.fromEntries(${JSON.stringify(Object.keys(parsed))}.map((name) => [name, process.env[name]]))))`;
process.stdout.write("--env-file " + execFileSync(process.execPath, [`--env-file=${process.env.FILE}`, "-e", program]));
JS
with_go github.com/joho/godotenv@v1.5.1 <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/joho/godotenv"
)

func main() {
	values, err := godotenv.Read(os.Getenv("FILE"))
	text, _ := json.Marshal(values)
	fmt.Println("godotenv", string(text), err)
}
GO
with_python python-dotenv==1.2.4 python-decouple==3.8 django-environ==0.14.0 <<'PY'
import json
import os

import decouple
import dotenv
import environ

print("python-dotenv", json.dumps(dotenv.dotenv_values(os.environ["FILE"])))
print("decouple", json.dumps(decouple.RepositoryEnv(os.environ["FILE"]).data))
environ.Env.read_env(os.environ["FILE"])
seen = {}
for name in ("HASH", "COMMENT", "WORD", "DOLLAR", "BRACES", "SINGLE"):
    try:
        seen[name] = environ.Env()(name)
    except environ.ImproperlyConfigured as error:
        seen[name] = f"raises: {error}"
print("django-environ", json.dumps(seen))
PY
expect <<'END'
dotenv {"HASH":"abc","COMMENT":"abc","WORD":"pa$word","DOLLAR":"$1","BRACES":"${1}_primary","SINGLE":"${1}_primary"}
dotenv-expand {"HASH":"abc","COMMENT":"abc","WORD":"pa","DOLLAR":"$1","BRACES":"_primary","SINGLE":"_primary"}
--env-file {"HASH":"abc","COMMENT":"abc","WORD":"pa$word","DOLLAR":"$1","BRACES":"${1}_primary","SINGLE":"${1}_primary"}
godotenv {"BRACES":"_primary","COMMENT":"abc","DOLLAR":"","HASH":"abc#def","SINGLE":"${1}_primary","WORD":"pa$word"} <nil>
python-dotenv {"HASH": "abc#def", "COMMENT": "abc", "WORD": "pa$word", "DOLLAR": "$1", "BRACES": "_primary", "SINGLE": "_primary"}
decouple {"HASH": "abc#def", "COMMENT": "abc #def", "WORD": "pa$word", "DOLLAR": "$1", "BRACES": "${1}_primary", "SINGLE": "${1}_primary"}
django-environ {"HASH": "abc#def", "COMMENT": "abc #def", "WORD": "pa$word", "DOLLAR": "raises: Set the 1 environment variable", "BRACES": "raises: Set the {1}_primary environment variable", "SINGLE": "raises: Set the {1}_primary environment variable"}
END
