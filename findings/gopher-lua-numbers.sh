#!/usr/bin/env bash
# github.com/yuin/gopher-lua 1.1.2 (Go; runs Argo CD's health scripts), against Lua 5.1 (PyPI lupa 2.8).
#
# Guess: gopher-lua is Lua 5.1, so a health script may be tried out with the lua command.
#
# Really: tonumber("1e3") is nil, math.huge is a finite number, below 1/0, and numbers turn into text in another way.
#
# Matters: a health script that compares tonumber() of an annotation or a quantity works with lua and compares nil
# with a number in Argo CD: an error, and health is Unknown.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/yuin/gopher-lua@v1.1.2 <<'GO'
package main

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

func main() {
	state := lua.NewState()
	for _, text := range []string{`tonumber("1e3")`, `tonumber("1000")`, `math.huge == 1/0`, `tostring(1e15)`, `tostring(100/3)`} {
		if err := state.DoString("return tostring(" + text + ")"); err != nil {
			panic(err)
		}
		fmt.Println("gopher-lua", text, state.Get(-1))
	}
}
GO
with_python lupa==2.8 <<'PY'
from lupa.lua51 import LuaRuntime

for text in ('tonumber("1e3")', 'tonumber("1000")', "math.huge == 1/0", "tostring(1e15)", "tostring(100/3)"):
    print("Lua 5.1", text, LuaRuntime().eval(f"tostring({text})"))
PY
expect <<'END'
gopher-lua tonumber("1e3") nil
gopher-lua tonumber("1000") 1000
gopher-lua math.huge == 1/0 false
gopher-lua tostring(1e15) 1000000000000000
gopher-lua tostring(100/3) 33.333333333333336
Lua 5.1 tonumber("1e3") 1000
Lua 5.1 tonumber("1000") 1000
Lua 5.1 math.huge == 1/0 true
Lua 5.1 tostring(1e15) 1e+15
Lua 5.1 tostring(100/3) 33.333333333333
END
