#!/usr/bin/env bash
# cloudevents 2.2.0 (Python): cloudevents.v1, the interface of 1.x, against cloudevents.core.
#
# Guess: the data of an event with the type text/plain are the body as it is, in both directions.
#
# Really: in binary mode from_http() of v1 reads each body as JSON if it can, whatever its type: 1.10 is the number 1.1,
# true a boolean, null nothing, and v1.10 bytes. to_binary() writes a text as JSON, with quotes around it, under the type
# text/plain. Both undo each other, so that a test with one library sees nothing. core leaves the body alone.
#
# Matters: a receiver that starts a release from an event with its version starts 1.1 for 1.10, and the event of a bot in
# Python arrives elsewhere with quotes in it. Send objects, or give data_marshaller and data_unmarshaller.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python cloudevents==2.2.0 <<'PY'
from cloudevents.core.bindings import http
from cloudevents.v1.conversion import to_binary
from cloudevents.v1.http import CloudEvent, from_http

headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/ci", "ce-type": "release", "content-type": "text/plain"}
bodies = ("1.10", "4821907", "true", "null", "v1.10")
print("v1 reads:", {body: from_http(dict(headers), body.encode()).data for body in bodies})
print("core reads:", {body: http.from_http_event(http.HTTPMessage(headers, body.encode())).get_data() for body in bodies})
sent, body = to_binary(CloudEvent({"type": "release", "source": "/ci", "datacontenttype": "text/plain"}, "v1.10"))
print("v1 writes:", body.decode(), "as", sent["content-type"])
print("read again by v1:", repr(from_http(sent, body).data))
print("read again by core:", repr(http.from_http_event(http.HTTPMessage(sent, body)).get_data()))
PY
expect <<'END'
v1 reads: {'1.10': 1.1, '4821907': 4821907, 'true': True, 'null': None, 'v1.10': b'v1.10'}
core reads: {'1.10': '1.10', '4821907': '4821907', 'true': 'true', 'null': 'null', 'v1.10': 'v1.10'}
v1 writes: "v1.10" as text/plain
read again by v1: 'v1.10'
read again by core: '"v1.10"'
END
