#!/usr/bin/env bash
# gopher-lua 1.1.2 (Argo CD), Lua 5.1 and Lua 5.4 of lupa 2.8 (Python).
#
# Guess: a health script that was tried out with the Lua of today says the same in Argo CD, whose Lua is 5.1: numbers are
# numbers.
#
# Really: since 5.3 whole numbers and fractions are two types. 10 / 2 is written 5.0, and what JSON gave as 3.0 stays 3.0,
# where 5.1 and gopher-lua write 5 and 3; string.format("%d", 2.5) is an error, where they cut it to 2; // does not exist
# there, math.pow not here.
#
# Matters: messages and comparisons of text, "3/3 ready" == ready .. "/" .. wanted, hold in one and not in the other: an
# Application is Progressing for ever in the cluster, or in the test only. Try scripts out with Lua 5.1, and compare
# numbers.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/scripts" <<'LUA'
return tostring(10 / 2)
return "ready " .. 3.0 .. "/" .. 3
return "5" == tostring(10 / 2)
return string.format("%d", 2.5)
return 7 // 2
return math.pow(2, 3)
LUA
export work
with_python lupa==2.8 <<'PY'
import os
from lupa import lua51, lua54

for script in open(os.environ["work"] + "/scripts").read().splitlines():
    for name, lua in (("5.1", lua51), ("5.4", lua54)):
        try:
            print(script, "| Lua", name, "|", lua.LuaRuntime().execute(script))
        except Exception as error:
            print(script, "| Lua", name, "| an error")
PY
with_go github.com/yuin/gopher-lua@v1.1.2 <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func main() {
	text, _ := os.ReadFile(os.Getenv("work") + "/scripts")
	for _, script := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		state := lua.NewState()
		if err := state.DoString(script); err != nil {
			fmt.Println(script, "| gopher-lua | an error")
			continue
		}
		fmt.Println(script, "| gopher-lua |", state.Get(-1))
	}
}
GO
expect <<'END'
return tostring(10 / 2) | Lua 5.1 | 5
return tostring(10 / 2) | Lua 5.4 | 5.0
return "ready " .. 3.0 .. "/" .. 3 | Lua 5.1 | ready 3/3
return "ready " .. 3.0 .. "/" .. 3 | Lua 5.4 | ready 3.0/3
return "5" == tostring(10 / 2) | Lua 5.1 | True
return "5" == tostring(10 / 2) | Lua 5.4 | False
return string.format("%d", 2.5) | Lua 5.1 | 2
return string.format("%d", 2.5) | Lua 5.4 | an error
return 7 // 2 | Lua 5.1 | an error
return 7 // 2 | Lua 5.4 | 3
return math.pow(2, 3) | Lua 5.1 | 8
return math.pow(2, 3) | Lua 5.4 | an error
return tostring(10 / 2) | gopher-lua | 5
return "ready " .. 3.0 .. "/" .. 3 | gopher-lua | ready 3/3
return "5" == tostring(10 / 2) | gopher-lua | true
return string.format("%d", 2.5) | gopher-lua | 2
return 7 // 2 | gopher-lua | an error
return math.pow(2, 3) | gopher-lua | 8
END
