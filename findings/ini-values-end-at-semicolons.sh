#!/usr/bin/env bash
# ini 6.0.0 (JavaScript) and gopkg.in/ini.v1 1.68.0 (Go), against configparser of Python 3.11.
#
# Guess: a value of an INI file goes to the end of its line; a comment stands on a line of its own, or behind a blank.
#
# Really: the library for JavaScript cuts each value at the first `;` or `#`, also inside of a word, and so does ini.v1, which has
# SpaceBeforeInlineComment and IgnoreInlineComment against it. configparser takes the whole line, the comment too. ini.v1 reads
# `\;` as a backslash, and JavaScript as a semicolon. Quotes keep the value whole in both, and are part of it in Python.
#
# Matters: a token with a `#` in it is cut, and each question to the metrics server is answered by 401; a service that moves from
# Python to Go reads other values from the same file. Put values in quotes, and read the file with one library.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
export FILE="$work/settings.ini"
cat >"$FILE" <<'INI'
[metrics]
token = abc#def
address = http://prometheus:9090/;tenant=web
query = rate(failed[1m]) # per second
escaped = abc\;def
quoted = "abc;def"
INI
with_node ini@6.0.0 <<'JS'
import { readFileSync } from "node:fs";
import ini from "ini";

for (const [name, value] of Object.entries(ini.parse(readFileSync(process.env.FILE, "utf8")).metrics)) {
  console.log(`JavaScript, ${name}: ${value}`);
}
JS
with_go gopkg.in/ini.v1@v1.68.0 <<'GO'
package main

import (
	"fmt"
	"os"

	"gopkg.in/ini.v1"
)

func main() {
	file, err := ini.Load(os.Getenv("FILE"))
	if err != nil {
		panic(err)
	}
	for _, key := range file.Section("metrics").Keys() {
		fmt.Printf("Go, %s: %s\n", key.Name(), key.Value())
	}
	file, err = ini.LoadSources(ini.LoadOptions{SpaceBeforeInlineComment: true}, os.Getenv("FILE"))
	if err != nil {
		panic(err)
	}
	fmt.Println("Go with SpaceBeforeInlineComment, token:", file.Section("metrics").Key("token"))
}
GO
python3 - <<'PY' | tee -a "$work/seen"
import configparser
import os

reader = configparser.ConfigParser(interpolation=None)
reader.read(os.environ["FILE"])
for name, value in reader["metrics"].items():
    print(f"Python, {name}: {value}")
PY
expect <<'END'
JavaScript, token: abc
JavaScript, address: http://prometheus:9090/
JavaScript, query: rate(failed[1m])
JavaScript, escaped: abc;def
JavaScript, quoted: abc;def
Go, token: abc
Go, address: http://prometheus:9090/
Go, query: rate(failed[1m])
Go, escaped: abc\
Go, quoted: abc;def
Go with SpaceBeforeInlineComment, token: abc#def
Python, token: abc#def
Python, address: http://prometheus:9090/;tenant=web
Python, query: rate(failed[1m]) # per second
Python, escaped: abc\;def
Python, quoted: "abc;def"
END
