#!/usr/bin/env bash
# @openfeature/server-sdk 1.23.0 (JavaScript) and openfeature-sdk 0.10.0 (Python).
#
# Guess: a hook that counts evaluations or writes them to a log has no influence on the flag; its errors are logged.
#
# Really: an error in `before` or in `after` makes the evaluation an error, whose value is the default of the call.
# After `after` the value had been found, and is thrown away. Errors in `finally` and `error` are ignored.
#
# Matters: a hook for metrics that throws, since a label is missing or its client is closed, switches every flag of the
# service to its default: a release behind a flag goes back to nobody, or a kill switch no longer holds. The metrics
# that would show it are those that fail. Catch inside of the hook, or use `finally`.
#
# Seen, of a flag that is true and whose default is false: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node @openfeature/server-sdk@1.23.0 <<'JS'
import { InMemoryProvider, OpenFeature } from "@openfeature/server-sdk";

console.error = () => {};
const checkout = { variants: { on: true, off: false }, defaultVariant: "on", disabled: false };
await OpenFeature.setProviderAndWait(new InMemoryProvider({ checkout }));
const fail = () => {
  throw new Error("unknown label");
};
for (const stage of ["no hook", "before", "after", "finally"]) {
  const hooks = stage === "no hook" ? [] : [{ [stage]: fail }];
  const { value, reason } = await OpenFeature.getClient().getBooleanDetails("checkout", false, {}, { hooks });
  console.log(`JavaScript, ${stage}: ${value}, ${reason}`);
}
JS
with_python openfeature-sdk==0.10.0 <<'PY'
import logging

from openfeature import api
from openfeature.flag_evaluation import FlagEvaluationOptions
from openfeature.hook import Hook
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

logging.disable()
api.set_provider(InMemoryProvider({"checkout": InMemoryFlag("on", {"on": True, "off": False})}))


def fail(*_):
    raise ValueError("unknown label")


for stage, method in (("no hook", None), ("before", "before"), ("after", "after"), ("finally", "finally_after")):
    hooks = [type("Counting", (Hook,), {method: fail})()] if method else []
    details = api.get_client().get_boolean_details("checkout", False, None, FlagEvaluationOptions(hooks=hooks))
    print(f"Python, {stage}: {str(details.value).lower()}, {details.reason.value if hasattr(details.reason, 'value') else details.reason}")
PY
expect <<'END'
JavaScript, no hook: true, STATIC
JavaScript, before: false, ERROR
JavaScript, after: false, ERROR
JavaScript, finally: true, STATIC
Python, no hook: true, STATIC
Python, before: false, ERROR
Python, after: false, ERROR
Python, finally: true, STATIC
END
