# shellcheck shell=bash
# Sourced by the scripts about the functions of Helm's templates: builds the pinned Sprig, which is where Helm has them
# from, into a temporary folder, which goes when the script ends.

. "$(dirname "${BASH_SOURCE[0]}")/work.sh"

# sprig <version>: reads values as one line of JSON and templates, one a line; executes each 100 times
sprig() {
  mkdir "$work/sprig"
  cat >"$work/sprig/main.go" <<'GO'
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

func execute(text, values string) string {
	var data any
	if err := json.Unmarshal([]byte(values), &data); err != nil {
		panic(err)
	}
	var out strings.Builder
	if err := template.Must(template.New("t").Funcs(sprig.TxtFuncMap()).Parse(text)).Execute(&out, data); err != nil {
		return err.Error()
	}
	return out.String()
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Scan()
	for values := lines.Text(); lines.Scan(); {
		results := map[string]bool{}
		for range 100 {
			results[execute(lines.Text(), values)] = true
		}
		result := "not the same each time"
		if len(results) == 1 {
			result = execute(lines.Text(), values)
		}
		fmt.Printf("%s = %s\n", lines.Text(), result)
	}
}
GO
  (cd "$work/sprig" && go mod init templates && go get "github.com/Masterminds/sprig/v3@$1" && go build -o templates .) \
    2>"$work/log" || { cat "$work/log" >&2; return 1; }
  "$work/sprig/templates" | tee "$work/seen"
}

# expect: fails if the results are not those on standard input
expect() { diff "$work/seen" - || { echo "the behaviour has changed" >&2; return 1; }; }
