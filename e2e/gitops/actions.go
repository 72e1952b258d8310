package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// actions are the ones in deploy/argocd/actions.yaml, in Argo CD's format.
type actions struct {
	Discovery   string `json:"discovery.lua"`
	Definitions []struct {
		Name   string `json:"name"`
		Action string `json:"action.lua"`
	} `json:"definitions"`
}

func readActions(path string) (actions, error) {
	var out actions
	text, err := os.ReadFile(path)
	if err != nil {
		return out, err
	}
	if err := yaml.UnmarshalStrict(text, &out); err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	if len(out.Definitions) < 8 {
		return out, fmt.Errorf("%s has %d actions", path, len(out.Definitions))
	}
	return out, nil
}

// request is the annotation's value as the operator reads it.
type request struct {
	ID       string `json:"id"`
	Verb     string `json:"verb"`
	By       string `json:"by"`
	Revision string `json:"revision"`
	Step     *int64 `json:"step"`
}

// faults returns the problems of the actions that are offered for a Canary, and of the requests that they write. It counts the offered
// actions.
func (a actions) faults(one told, offered map[string]int) []string {
	var out []string
	found, err := evaluated(a.Discovery, one.canary)
	if err != nil {
		return []string{fmt.Sprintf("the discovery of actions fails: %v", err)}
	}
	for _, definition := range a.Definitions {
		entry, ok := found.RawGetString(definition.Name).(*lua.LTable)
		if !ok {
			out = append(out, fmt.Sprintf("the action %s is not discovered", definition.Name))
			continue
		}
		if entry.RawGetString("disabled") == lua.LTrue {
			continue
		}
		offered[definition.Name]++
		if fault := misplaced(one.canary, definition.Name); fault != "" {
			out = append(out, fault)
		}
		if fault := written(definition.Action, definition.Name, one.canary); fault != "" {
			out = append(out, fault)
		}
	}
	return out
}

// misplaced returns the reason why an action must not be offered.
func misplaced(canary map[string]any, verb string) string {
	status, _, _ := unstructured.NestedMap(canary, "status")
	phase, _ := status["phase"].(string)
	run, _ := status["run"].(map[string]any)
	switch {
	case run != nil && run["ending"] != nil:
		return verb + " is offered while the run is being ended"
	case run == nil && verb != "retry" && phase != "Waiting":
		return verb + " is offered without a run, in phase " + phase
	case verb == "retry" && (run != nil || status["lastAppliedSpec"] == status["lastPromotedSpec"]):
		return "retry is offered of what is promoted, or on trial"
	case (verb == "resume") != (run != nil && run["paused"] != nil) && (verb == "resume" || verb == "pause"):
		return verb + " is offered of a run that is paused, or is not"
	}
	return ""
}

// written returns the problems of the request that an action writes.
func written(script, verb string, canary map[string]any) string {
	changed, err := evaluated(script, canary)
	if err != nil {
		return fmt.Sprintf("the action %s fails: %v", verb, err)
	}
	metadata, _ := changed.RawGetString("metadata").(*lua.LTable)
	annotations, _ := metadata.RawGetString("annotations").(*lua.LTable)
	text := annotations.RawGetString("serin.dev/request").String()
	var asked request
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return fmt.Sprintf("the action %s writes %s: %v", verb, text, err)
	}
	status, _, _ := unstructured.NestedMap(canary, "status")
	revision, _ := status["lastAppliedSpec"].(string)
	if waiting, ok, _ := unstructured.NestedString(status, "waiting", "revision"); ok && status["run"] == nil {
		revision = waiting
	}
	if asked.Verb != verb || asked.Revision != revision || !strings.HasPrefix(asked.ID, verb+"-") || len(asked.ID) > 64 {
		return fmt.Sprintf("the action %s writes %s", verb, text)
	}
	return ""
}

// evaluated runs a script like Argo CD, with the object as `obj`, and returns its table.
func evaluated(script string, object map[string]any) (*lua.LTable, error) {
	state, err := opened(object)
	if err != nil {
		return nil, err
	}
	defer state.Close()
	// Argo CD gives actions only the time functions of the library
	system := state.NewTable()
	system.RawSetString("time", state.NewFunction(func(state *lua.LState) int {
		state.Push(lua.LNumber(time.Now().Unix()))
		return 1
	}))
	state.SetGlobal("os", system)
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return nil, fmt.Errorf("no table is returned")
	}
	return table, nil
}
