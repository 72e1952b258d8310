#!/usr/bin/env bash
# casbin/govaluate 1.10.0 (Go; the maintained fork of Knetic/govaluate).
#
# Guess: tag == '2024-01-02' holds for a tag with this text.
#
# Really: a literal that looks like a date or a time is turned into a number of seconds, the value of the variable is not,
# so that == never holds and != always does. Which texts are dates is by a list: '2024-01-02' is one, '2024.01.02' is not.
#
# Matters: a condition on an image tag, a release or a freeze that is named by its day never holds, or always, without an
# error, and one on 'v1.2.3' does what it says. Give the date as a variable too.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go github.com/casbin/govaluate@v1.10.0 <<'GO'
package main

import (
	"fmt"

	"github.com/casbin/govaluate"
)

func main() {
	for _, tag := range []string{"v1.2.3", "2024.01.02", "2024-01-02"} {
		for _, operator := range []string{"==", "!="} {
			condition, _ := govaluate.NewEvaluableExpression(fmt.Sprintf("tag %s '%s'", operator, tag))
			result, err := condition.Evaluate(map[string]any{"tag": tag})
			fmt.Println(condition, "is", result, err)
		}
	}
	condition, _ := govaluate.NewEvaluableExpression("tag in ('2024-01-02', '2024-01-03')")
	result, err := condition.Evaluate(map[string]any{"tag": "2024-01-02"})
	fmt.Println(condition, "is", result, err)
	condition, _ = govaluate.NewEvaluableExpression("tag == frozen")
	result, err = condition.Evaluate(map[string]any{"tag": "2024-01-02", "frozen": "2024-01-02"})
	fmt.Println(condition, "is", result, err)
}
GO
expect <<'END'
tag == 'v1.2.3' is true <nil>
tag != 'v1.2.3' is false <nil>
tag == '2024.01.02' is true <nil>
tag != '2024.01.02' is false <nil>
tag == '2024-01-02' is false <nil>
tag != '2024-01-02' is true <nil>
tag in ('2024-01-02', '2024-01-03') is false <nil>
tag == frozen is true <nil>
END
