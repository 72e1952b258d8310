#!/usr/bin/env bash
# undici 7.30.2 (JavaScript), its RetryAgent.
#
# Guess: a GET whose answer breaks off in the middle is asked again from the start, or ends in an error.
#
# Really: it asks for the rest of the bytes only, by Range, and joins both: behind a Service that sends the second request
# to another pod the answer is the first half of one version and the second half of the other, with status 200. A strong
# ETag that differs is an error. A weak one (W/"…") is not looked at, and without one nothing is. An answer that had a
# Content-Length is not asked for again at all: it ends in an error.
#
# Matters: during a canary a large JSON or a script is of two releases, which no counter of either shows: both count their
# part. Send strong ETags, or a name for each version in the path.
#
# Seen: see `expect` below. The first pod answers 20000 times "a" and breaks off after 10000, the second one 20000 "b".
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node undici@7.30.2 <<'JS'
import http from "node:http";
import { Agent, RetryAgent, request } from "undici";

const size = 20000;
for (const [first, second, length] of [[null, null, false], ['W/"a"', 'W/"b"', false], ['"a"', '"b"', false], [null, null, true]]) {
  const asked = [];
  const service = http.createServer((question, answer) => {
    const pod = asked.length ? "b" : "a";
    const tag = pod === "a" ? first : second;
    const range = question.headers.range;
    asked.push(`${pod}: ${range ?? "all"}`);
    answer.setHeader("connection", "close");
    if (tag) answer.setHeader("etag", tag);
    if (range) {
      const from = Number(range.match(/\d+/)[0]);
      answer.writeHead(206, { "content-range": `bytes ${from}-${size - 1}/${size}`, "content-length": size - from });
      answer.end(pod.repeat(size - from));
    } else if (pod === "a") {
      answer.writeHead(200, length ? { "content-length": size } : {});
      answer.write(pod.repeat(size / 2));
      setTimeout(() => answer.destroy(), 200);
    } else answer.end(pod.repeat(size));
  });
  await new Promise((done) => service.listen(0, "127.0.0.1", done));
  const dispatcher = new RetryAgent(new Agent(), { minTimeout: 10 });
  let result;
  try {
    const { statusCode, body } = await request(`http://127.0.0.1:${service.address().port}/`, { dispatcher });
    const text = await body.text();
    result = `${statusCode} with ${text.split("a").length - 1} "a" and ${text.split("b").length - 1} "b"`;
  } catch (error) {
    result = error.message;
  }
  console.log(`ETags ${first} and ${second}, ${length ? "with" : "without"} a length; ${asked.join(", ")}; ${result}`);
  service.close();
  await dispatcher.close();
}
JS
expect <<'END'
ETags null and null, without a length; a: all, b: bytes=10000-; 200 with 10000 "a" and 10000 "b"
ETags W/"a" and W/"b", without a length; a: all, b: bytes=10000-; 200 with 10000 "a" and 10000 "b"
ETags "a" and "b", without a length; a: all, b: bytes=10000-; ETag mismatch
ETags null and null, with a length; a: all; Response body length does not match content-length header
END
