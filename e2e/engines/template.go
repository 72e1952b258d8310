package main

import (
	"errors"
	"strings"
	"text/template"
)

// bounded stops endless output.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > 1<<20 {
		return 0, errors.New("too long")
	}
	return b.Builder.Write(p)
}

// render renders a query like Flagger, but a missing key is an error.
func render(q question) (string, error) {
	text := func(s string) func() string { return func() string { return s } }
	texts := func(m map[string]string) func() map[string]string { return func() map[string]string { return m } }
	args := map[string]string{"team": "blue"}
	if q.Secret != "" {
		args["id"] = q.Secret
	}
	functions := template.FuncMap{
		"name": text("podinfo"), "namespace": text("prod"), "target": text("podinfo"), "service": text("podinfo-svc"),
		"ingress": text("podinfo"), "route": text("podinfo"), "interval": text("1m"),
		"variables": texts(q.Vars), "args": texts(args),
	}
	parsed, err := template.New("tmpl").Option("missingkey=error").Funcs(functions).Parse(q.Text)
	if err != nil {
		return "", err
	}
	var out bounded
	if err := parsed.Execute(&out, nil); err != nil {
		return "", err
	}
	return out.String(), nil
}
