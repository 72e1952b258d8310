package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"k8s.io/client-go/util/jsonpath"
)

// follow does what kubectl and Argo Rollouts do with a path; the values are sorted, because maps have no order. A path without
// braces would be plain text: it is put between them, as kubectl does for its columns.
func follow(q question) (string, error) {
	text := q.Text
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

// field reads one field of an object, by a path as kubectl takes it for its columns: with or without braces and first point.
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

// values that a path leads to in a document.
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
