#!/usr/bin/env bash
# github.com/go-viper/mapstructure 2.5.0 (Go; what viper, koanf and many operators read their settings with).
#
# Guess: 99.9 for an int is an error, as it is for encoding/json, and so is 3000000000 for an int32; "a, b" with the hook
# for lists is two words.
#
# Really: 99.9 is 99, and 3000000000 is -1294967296 where it came as a fraction, as all numbers of JSON do, without
# WeaklyTypedInput. 30 for a time.Duration is 30 nanoseconds, and "a, b" is "a" and " b".
#
# Matters: a tool in Go whose limit is an int passes a success rate of 99 where 99.9 was asked for; an interval without a
# unit makes it ask all the time; and of a list of namespaces it finds the first only. Declare float64, write units, and
# leave out blanks.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/go-viper/mapstructure/v2@v2.5.0 <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-viper/mapstructure/v2"
)

type settings struct {
	Threshold  int
	MaxBytes   int32
	Interval   time.Duration
	Namespaces []string
}

func main() {
	for _, text := range []string{
		`{"threshold": 99.9}`, `{"maxBytes": 3000000000}`, `{"interval": 30}`, `{"interval": "30s"}`, `{"namespaces": "a, b"}`,
	} {
		var values map[string]any
		json.Unmarshal([]byte(text), &values)
		var read settings
		decoder, _ := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: &read, DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(","))})
		fmt.Printf("%s: error %v, %d %d %v %q\n", text, decoder.Decode(values), read.Threshold, read.MaxBytes, read.Interval, read.Namespaces)
	}
	var read settings
	fmt.Println("encoding/json takes 99.9:", json.Unmarshal([]byte(`{"threshold": 99.9}`), &read) == nil)
}
GO
expect <<'END'
{"threshold": 99.9}: error <nil>, 99 0 0s []
{"maxBytes": 3000000000}: error <nil>, 0 -1294967296 0s []
{"interval": 30}: error <nil>, 0 0 30ns []
{"interval": "30s"}: error <nil>, 0 0 30s []
{"namespaces": "a, b"}: error <nil>, 0 0 0s ["a" " b"]
encoding/json takes 99.9: false
END
