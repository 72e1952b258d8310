package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"k8s.io/client-go/util/jsonpath"
)

// follow evaluates a path like kubectl and Argo Rollouts. The values are sorted, because maps have no order. A path without braces would be
// plain text, so it gets braces, as kubectl does for its columns.
func follow(q question) (string, error) {
	// kubectl prints blanks around the braces; Serin ignores them
	text := strings.TrimSpace(q.Text)
	if !strings.ContainsAny(text, "{}") {
		text = "{" + text + "}"
	}
	all, err := values(text, q.Doc)
	if err != nil {
		return "", err
	}
	texts := make([]string, len(all))
	for i, value := range all {
		text, err := json.Marshal(value)
		if err != nil {
			return "", err
		}
		texts[i] = string(text)
	}
	sort.Strings(texts)
	return "[" + strings.Join(texts, ",") + "]", nil
}

// field reads one field of an object, by a path in the form of kubectl's columns: with or without braces and a leading dot.
func field(q question) (string, error) {
	text := strings.TrimPrefix(strings.Trim(strings.TrimSpace(q.Text), "{}"), "$")
	if !strings.HasPrefix(text, ".") && !strings.HasPrefix(text, "[") {
		text = "." + text
	}
	all, err := values("{"+text+"}", q.Doc)
	if err != nil {
		return "", err
	}
	if len(all) != 1 {
		return "", fmt.Errorf("%d values", len(all))
	}
	return fmt.Sprint(all[0]), nil
}

// values returns the values of a path in a document.
func values(path, document string) ([]any, error) {
	var root any
	if err := json.Unmarshal([]byte(document), &root); err != nil {
		return nil, err
	}
	read := jsonpath.New("path")
	if err := read.Parse(path); err != nil {
		return nil, err
	}
	results, err := read.FindResults(root)
	if err != nil {
		return nil, err
	}
	var all []any
	for _, group := range results {
		for _, value := range group {
			all = append(all, value.Interface())
		}
	}
	return all, nil
}
