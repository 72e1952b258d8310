#!/usr/bin/env bash
# openfeature-sdk 0.10.0 (Python), open-feature/go-sdk 1.20.0, @openfeature/server-sdk 1.23.0 (JavaScript).
#
# Guess: a flag whose variant is 1 is 1 also when it is asked for as a fraction, in each language.
#
# Really: in Python the default comes back, since 1 is an int: only 1.0 is a float. Nothing is raised, the details alone
# say TYPE_MISMATCH. Asked for as a whole number, 1.0 is the default in Python and Go. JavaScript knows one kind.
#
# Matters: flags come from JSON or YAML, where nobody writes 1.0. A share that goes from 0.5 to 1 falls back to the default
# in Python in the moment of the change: a rollout to 100 % is one to 0 %. Write 1.0 where the provider keeps it, or look at
# the details.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python openfeature-sdk==0.10.0 <<'PY'
from openfeature import api
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

values = {"half": 0.5, "whole": 1, "written": 1.0}
api.set_provider(InMemoryProvider({name: InMemoryFlag("on", {"on": value}) for name, value in values.items()}))
client = api.get_client()
for name, value in values.items():
    print("Python:", value, "as a fraction", client.get_float_value(name, 0.0), "as a whole number", client.get_integer_value(name, 0))
PY
with_go github.com/open-feature/go-sdk@v1.20.0 <<'GO'
package main

import (
	"context"
	"fmt"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"
)

func main() {
	flags := map[string]memprovider.InMemoryFlag{}
	for name, value := range map[string]any{"half": 0.5, "whole": 1, "written": 1.0} {
		flags[name] = memprovider.InMemoryFlag{
			Key: name, State: memprovider.Enabled, DefaultVariant: "on", Variants: map[string]any{"on": value},
		}
	}
	openfeature.SetProviderAndWait(memprovider.NewInMemoryProvider(flags))
	client := openfeature.NewClient("shop")
	for _, name := range []string{"half", "whole", "written"} {
		fraction, _ := client.FloatValue(context.Background(), name, 0, openfeature.EvaluationContext{})
		whole, _ := client.IntValue(context.Background(), name, 0, openfeature.EvaluationContext{})
		fmt.Printf("Go: %#v as a fraction %v as a whole number %v\n", flags[name].Variants["on"], fraction, whole)
	}
}
GO
with_node @openfeature/server-sdk@1.23.0 <<'JS'
import { InMemoryProvider, OpenFeature } from "@openfeature/server-sdk";

const flags = { half: 0.5, whole: 1 };
const provider = new InMemoryProvider(
  Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [name, { variants: { on: value }, defaultVariant: "on", disabled: false }]),
  ),
);
await OpenFeature.setProviderAndWait(provider);
for (const name of Object.keys(flags)) {
  console.log("JavaScript:", flags[name], "as a number", await OpenFeature.getClient().getNumberValue(name, 0));
}
JS
expect <<'END'
Python: 0.5 as a fraction 0.5 as a whole number 0
Python: 1 as a fraction 0.0 as a whole number 1
Python: 1.0 as a fraction 1.0 as a whole number 0
Go: 0.5 as a fraction 0.5 as a whole number 0
Go: 1 as a fraction 1 as a whole number 1
Go: 1 as a fraction 1 as a whole number 0
JavaScript: 0.5 as a number 0.5
JavaScript: 1 as a number 1
END
