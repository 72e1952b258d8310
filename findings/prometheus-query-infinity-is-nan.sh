#!/usr/bin/env bash
# prometheus-query 3.5.1 (npm).
#
# Guess: the answer "+Inf" is Infinity, and an answer with warnings can be told from a whole one.
#
# Really: values go through parseFloat(), which knows "Infinity" and not "+Inf": it is NaN, as an answer NaN is. The
# warnings of an answer are dropped. An answer with a native histogram is a TypeError.
#
# Matters: a gate `value > 0.5 ? rollback : go` lets a canary pass whose p99 lies above the last bucket, or whose ratio
# divides by 0, and judges half of the data when a store behind Thanos is away. Ask Number.isFinite() first.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node prometheus-query@3.5.1 <<'JS'
import http from "node:http";
import { PrometheusDriver } from "prometheus-query";

const answer = {
  status: "success",
  warnings: ["a store is down"],
  data: { resultType: "vector", result: ["0.9", "+Inf", "-Inf", "NaN"].map((value) => ({ metric: {}, value: [1, value] })) },
};
const server = http.createServer((_, response) => response.setHeader("content-type", "application/json").end(JSON.stringify(answer)));
server.listen(0, "127.0.0.1", async () => {
  const driver = new PrometheusDriver({ endpoint: `http://127.0.0.1:${server.address().port}`, baseURL: "/api/v1" });
  const told = await driver.instantQuery("p99");
  console.log("values:", ...told.result.map((series) => series.value.value));
  console.log("fields:", ...Object.keys(told));
  process.exit();
});
JS
expect <<'END'
values: 0.9 NaN NaN NaN
fields: resultType result
END
