#!/usr/bin/env bash
# k8s.io/kubectl 0.36.3 (Go), which is what `kubectl get --sort-by` runs.
#
# Guess: --sort-by of numbers sorts them, whole or not, and of durations or versions sorts by length or by number.
#
# Really: one 99.5 among whole numbers ends the command with "unsortable interface", without a list. Numbers that are texts
# are read as quantities, and sorted; durations, versions and percentages go by their characters: 10m comes before 30s,
# 1.10.0 before 1.9.0. 5m is a quantity where its neighbour is one, and less than 2.
#
# Matters: `kubectl get canaries --sort-by=…` over a value works until one is a fraction, and the last line, which a script
# takes for the newest version or the longest interval, is another. Sort the JSON by a program.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go k8s.io/kubectl@v0.36.3 <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/kubectl/pkg/cmd/get"
)

// sorted prints the values in their order, or ends the program, as kubectl does.
func sorted(list string) {
	var objects []runtime.Object
	for _, value := range strings.Fields(list) {
		object := &unstructured.Unstructured{}
		text := fmt.Sprintf(`{"apiVersion":"serin.dev/v1","kind":"Row","metadata":{"name":"a"},"status":{"value":%s}}`, value)
		if err := object.UnmarshalJSON([]byte(text)); err != nil {
			panic(err)
		}
		objects = append(objects, object)
	}
	if _, err := get.SortObjects(scheme.Codecs.UniversalDecoder(), objects, "{.status.value}"); err != nil {
		panic(err)
	}
	for _, object := range objects {
		value, _, _ := unstructured.NestedFieldNoCopy(object.(*unstructured.Unstructured).Object, "status", "value")
		text, _ := json.Marshal(value)
		fmt.Print(string(text), " ")
	}
}

func main() {
	if len(os.Args) > 1 {
		sorted(os.Args[1])
		return
	}
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	for _, list := range []string{`100 99 9`, `100 99.5 9`, `"100" "99.5" "9"`, `"90s" "30s" "10m"`, `"1.10.0" "1.9.0"`, `"10%" "9%"`, `"2" "5m"`} {
		out, err := exec.Command(program, list).Output()
		if err != nil {
			out = []byte("no list")
		}
		fmt.Println(list, "->", strings.TrimSpace(string(out)))
	}
}
GO
expect <<'END'
100 99 9 -> 9 99 100
100 99.5 9 -> no list
"100" "99.5" "9" -> "9" "99.5" "100"
"90s" "30s" "10m" -> "10m" "30s" "90s"
"1.10.0" "1.9.0" -> "1.10.0" "1.9.0"
"10%" "9%" -> "10%" "9%"
"2" "5m" -> "5m" "2"
END
