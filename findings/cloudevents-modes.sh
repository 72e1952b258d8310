#!/usr/bin/env bash
# cloudevents 10.0.0 (JavaScript).
#
# Guess: an event means the same in binary and in structured mode, and the SDK reads what it wrote.
#
# Really: in binary mode text is sent as it is, also with datacontenttype application/json. The text {"errors":0}
# arrives as an object, "hello" is a body that is no JSON (in structured mode both stay text), null arrives as the
# text "null", and a number cannot be read back at all.
#
# Matters: a receiver in Go or Rust that parses the body of a JSON event refuses it or sees another type, depending on
# the mode that the sender chose. Send objects.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node cloudevents@10.0.0 <<'JS'
import { CloudEvent, HTTP } from "cloudevents";

for (const data of ["hello", '{"errors":0}', null, 5]) {
  const event = new CloudEvent({ type: "t", source: "s", datacontenttype: "application/json", data });
  const structured = JSON.parse(HTTP.structured(event).body).data;
  let back;
  try {
    back = JSON.stringify(HTTP.toEvent(HTTP.binary(event)).data);
  } catch (error) {
    back = error.message;
  }
  console.log(JSON.stringify(data), "| structured:", JSON.stringify(structured), "| binary body:", String(HTTP.binary(event).body), "| read back:", back);
}
JS
expect <<'END'
"hello" | structured: "hello" | binary body: hello | read back: "hello"
"{\"errors\":0}" | structured: "{\"errors\":0}" | binary body: {"errors":0} | read back: {"errors":0}
null | structured: null | binary body: null | read back: "null"
5 | structured: 5 | binary body: 5 | read back: invalid payload type, allowed are: string or object
END
