#!/usr/bin/env bash
# unleash-client 6.12.1 (JavaScript).
#
# Guess: a gradual rollout of 100 % is everybody, whatever it is kept by; one of 10 % gives a caller without a user id the
# same answer each time. "0.5" is half a percent, "10%" ten or refused.
#
# Really: with stickiness "tenant", or "userId", a caller without that field gets nothing at 100 % either. With "default"
# and without ids each call draws anew: one visitor sees both versions in turn. "0.5" and "10%" are nobody, without an
# error.
#
# Matters: jobs, health checks and visitors without a login stay on the old code after the release is said to be out, and
# break when it is removed. A fault of the new code shows in a tenth of each visitor's requests instead of a tenth of the
# visitors. Keep by a field that every caller has.
#
# Seen, of 2000 calls: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node unleash-client@6.12.1 <<'JS'
import { Unleash } from "unleash-client";

const rollouts = [["default", "10"], ["userId", "10"], ["userId", "100"], ["tenant", "100"], ["userId", "0.5"], ["userId", "10%"]];
const data = rollouts.map(([stickiness, rollout]) => ({
  name: `${stickiness} ${rollout}`, enabled: true, type: "release",
  strategies: [{ name: "flexibleRollout", constraints: [], parameters: { rollout, stickiness, groupId: "web" } }],
}));
const unleash = new Unleash({ appName: "seen", url: "http://127.0.0.1:1/api/", refreshInterval: 0, disableMetrics: true, bootstrap: { data } });
unleash.on("error", () => {});
unleash.on("warn", () => {});
await new Promise((done) => unleash.on("ready", done));
const on = (name, context) => [...Array(2000).keys()].filter((call) => unleash.isEnabled(name, context(call))).length;
for (const { name } of data) {
  const same = on(name, () => ({}));
  console.log(`${name}: of users ${on(name, (call) => ({ userId: `user-${call}` }))}, without any id ${same > 100 && same < 300 ? "about a tenth of the calls" : same}`);
}
unleash.destroy();
process.exit(0);
JS
expect <<'END'
default 10: of users 198, without any id about a tenth of the calls
userId 10: of users 198, without any id 0
userId 100: of users 2000, without any id 0
tenant 100: of users 0, without any id 0
userId 0.5: of users 0, without any id 0
userId 10%: of users 0, without any id 0
END
