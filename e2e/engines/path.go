package main

import (
	"encoding/json"
	"sort"
	"strings"

	"k8s.io/client-go/util/jsonpath"
)

// follow does what kubectl and Argo Rollouts do with a path; the values are sorted, because maps have no order. A path without
// braces would be plain text: it is put between them, as kubectl does for its columns.
func follow(q question) (string, error) {
	var document any
	if err := json.Unmarshal([]byte(q.Doc), &document); err != nil {
		return "", err
	}
	text := q.Text
	if !strings.ContainsAny(text, "{}") {
		text = "{" + text + "}"
	}
	path := jsonpath.New("path")
	if err := path.Parse(text); err != nil {
		return "", err
	}
	results, err := path.FindResults(document)
	if err != nil {
		return "", err
	}
	var all []string
	for _, group := range results {
		for _, value := range group {
			text, err := json.Marshal(value.Interface())
			if err != nil {
				return "", err
			}
			all = append(all, string(text))
		}
	}
	sort.Strings(all)
	return "[" + strings.Join(all, ",") + "]", nil
}
