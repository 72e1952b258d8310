// Reads the statuses that `cargo test -p serin-e2e --test waiting` writes (STATUSES=file), and checks how the libraries of waiting tools
// interpret each:
//
//   - kstatus, in Flux's version (github.com/fluxcd/cli-utils) and in the earlier one (sigs.k8s.io/cli-utils), must return
//     the wanted result;
//   - Argo CD's own health script for Canaries, from its module, must not fail;
//   - deploy/argocd/health.lua must return what docs/waiting.md documents;
//   - deploy/argocd/actions.yaml must offer suitable actions, and write requests that the operator can read.
//
// Usage: gitops STATUSES ACTIONS.YAML HEALTH.LUA [ARGO-CD.LUA]
package main

import (
	"bufio"
	"fmt"
	"os"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	// whole numbers are decoded as int64, as kstatus expects
	"k8s.io/apimachinery/pkg/util/json"
	sigs "sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type told struct {
	scenario, want string
	canary         map[string]any
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("usage: gitops STATUSES ACTIONS.YAML HEALTH.LUA [ARGO-CD.LUA]")
	}
	acts, err := readActions(args[1])
	if err != nil {
		return err
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	scripts := make([]string, 0, 2)
	for _, path := range args[2:] {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		scripts = append(scripts, string(text))
	}
	statuses, wrong := 0, 0
	health, offered := map[string]int{}, map[string]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var line map[string]any
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return err
		}
		one := told{scenario: line["scenario"].(string), want: line["want"].(string), canary: line["canary"].(map[string]any)}
		statuses++
		for _, fault := range append(faults(one, scripts, health), acts.faults(one, offered)...) {
			wrong++
			if wrong <= 20 {
				status, _ := json.Marshal(one.canary["status"])
				fmt.Printf("%s: %s\n  %s\n", one.scenario, fault, status)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	fmt.Printf("%d statuses, %d wrong; health by our script: %v; actions: %v\n", statuses, wrong, health, offered)
	if len(offered) < len(acts.Definitions) {
		return fmt.Errorf("of %d actions only these are ever offered: %v", len(acts.Definitions), offered)
	}
	if wrong > 0 || statuses < 1000 {
		return fmt.Errorf("%d wrong of %d statuses", wrong, statuses)
	}
	return nil
}

func faults(one told, scripts []string, counts map[string]int) []string {
	var out []string
	object := &unstructured.Unstructured{Object: one.canary}
	conditions, _, _ := unstructured.NestedSlice(one.canary, "status", "conditions")
	// an earlier status, written by Flagger or an earlier version, does not have the conditions yet
	observed, found, _ := unstructured.NestedInt64(one.canary, "status", "observedGeneration")
	unseen := found && observed < 0
	if len(conditions) > 0 || unseen {
		if result, err := flux.Compute(object); err != nil || result.Status.String() != one.want {
			out = append(out, fmt.Sprintf("Flux's kstatus reads %v (%v), wanted %s", result, err, one.want))
		}
		if result, err := sigs.Compute(object); err != nil || result.Status.String() != one.want {
			out = append(out, fmt.Sprintf("kstatus reads %v (%v), wanted %s", result, err, one.want))
		}
	}
	ours, err := runScript(scripts[0], one.canary)
	if err != nil {
		return append(out, fmt.Sprintf("our script fails: %v", err))
	}
	counts[ours]++
	if want := wanted(one); ours != want {
		out = append(out, fmt.Sprintf("our script says %s, wanted %s", ours, want))
	}
	// Argo CD runs no script for an object that is being deleted
	deleted := object.GetDeletionTimestamp() != nil
	for _, script := range scripts[1:] {
		if len(conditions) == 0 && !unseen || deleted {
			continue
		}
		theirs, err := runScript(script, one.canary)
		if err != nil {
			out = append(out, fmt.Sprintf("Argo CD's script fails: %v", err))
		} else if fault := disagrees(one, theirs); fault != "" {
			out = append(out, fault)
		}
	}
	return out
}

// wanted is the health that docs/waiting.md documents.
func wanted(one told) string {
	phase, _, _ := unstructured.NestedString(one.canary, "status", "phase")
	gate := phase == "Waiting" || phase == "WaitingPromotion"
	suspended, _, _ := unstructured.NestedBool(one.canary, "spec", "suspend")
	switch one.want {
	case "Current":
		return "Healthy"
	case "Failed":
		return "Degraded"
	case "InProgress":
		if behind(one.canary) {
			return "Progressing"
		}
		if held(one.canary) || gate && !queued(one.canary) || suspended && phase != "Initialized" && phase != "Succeeded" {
			return "Suspended"
		}
	}
	return "Progressing"
}

// queued reports whether the revision waits for other runs to end, and not for people.
func queued(canary map[string]any) bool {
	return stands(canary, "Queued")
}

// held reports whether a user has paused the run at its weight.
func held(canary map[string]any) bool {
	return stands(canary, "Held")
}

func stands(canary map[string]any, kind string) bool {
	conditions, _, _ := unstructured.NestedSlice(canary, "status", "conditions")
	for _, condition := range conditions {
		if fields, _ := condition.(map[string]any); fields["type"] == kind && fields["status"] == "True" {
			return true
		}
	}
	return false
}

func behind(canary map[string]any) bool {
	seen, _, _ := unstructured.NestedInt64(canary, "status", "observedGeneration")
	is, _, _ := unstructured.NestedInt64(canary, "metadata", "generation")
	return seen != is
}

// disagrees returns the avoidable errors of Argo CD's own script: a failed release is never Healthy, and a completed one is never
// Progressing.
func disagrees(one told, health string) string {
	phase, _, _ := unstructured.NestedString(one.canary, "status", "phase")
	known := map[string]string{
		"Initialized": "Healthy", "Succeeded": "Healthy", "Failed": "Degraded",
		"Progressing": "Progressing", "Promoting": "Progressing", "Finalising": "Progressing",
	}
	if want, ok := known[phase]; ok && health != want {
		return fmt.Sprintf("Argo CD's script says %s of phase %s, wanted %s", health, phase, want)
	}
	return ""
}

// runScript runs a health script like Argo CD: with the object as `obj`, for a table with a status and a message.
func runScript(script string, object map[string]any) (string, error) {
	state, err := opened(object)
	if err != nil {
		return "", err
	}
	defer state.Close()
	if err := state.DoString(script); err != nil {
		return "", err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", fmt.Errorf("no table is returned")
	}
	if state.GetField(table, "message").Type() != lua.LTString {
		return "", fmt.Errorf("no message is returned")
	}
	return state.GetField(table, "status").String(), nil
}

// opened returns an interpreter with the libraries that Argo CD gives to scripts, and the object as `obj`.
func opened(object map[string]any) (*lua.LState, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	for _, lib := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage},
		{lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable},
		{lua.StringLibName, lua.OpenString},
		{lua.MathLibName, lua.OpenMath},
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(lib.open), Protect: true}, lua.LString(lib.name)); err != nil {
			return nil, err
		}
	}
	state.SetGlobal("obj", value(state, object))
	return state, nil
}

// value returns the Lua value of a JSON value.
func value(state *lua.LState, of any) lua.LValue {
	switch of := of.(type) {
	case string:
		return lua.LString(of)
	case bool:
		return lua.LBool(of)
	case int64:
		return lua.LNumber(of)
	case float64:
		return lua.LNumber(of)
	case []any:
		table := state.NewTable()
		for _, item := range of {
			table.Append(value(state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range of {
			table.RawSetString(key, value(state, item))
		}
		return table
	}
	return lua.LNil
}
