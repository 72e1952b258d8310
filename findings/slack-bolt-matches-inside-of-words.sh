#!/usr/bin/env bash
# slack_bolt 1.30.0 (Python).
#
# Guess: a listener for the message "approve web" is called for that message, or for one that begins with it, written by a
# person.
#
# Really: it is called for each message that has these letters anywhere: "do not approve web", "disapprove web", "approve
# website", a quotation. With another listener for "reject", the one that was defined first is called alone. Messages of
# other bots count as well; "Approve web" does not.
#
# Matters: a bot that opens the gate of a Canary by a word opens it for a message that says no, for another application,
# and for an alert that quotes the instructions. Take a slash command or a button, or re.compile("^approve web$").
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python slack_bolt==1.30.0 slack_sdk==3.48.0 <<'PY'
import json, logging, re
from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult

logging.disable(logging.CRITICAL)


def authorize(**more):
    return AuthorizeResult(enterprise_id=None, team_id="T", bot_id="B", bot_user_id="U0", bot_token="xoxb-token")


def app(pattern):
    made = App(authorize=authorize, signing_secret="secret", request_verification_enabled=False, process_before_response=True)
    made.message(pattern)(lambda: seen.append("approved"))
    made.message("reject")(lambda: seen.append("rejected"))
    return made


def say(text, **more):
    seen.clear()
    message = {"type": "message", "channel": "C", "user": "U1", "text": text, "ts": "1.1", **more}
    body = json.dumps({"type": "event_callback", "team_id": "T", "event": message})
    to.dispatch(BoltRequest(body=body, headers={"content-type": ["application/json"]}))
    print(f"  {text}{' (of a bot)' if more else ''}: {seen}")


seen = []
for pattern in ("approve web", re.compile("^approve web$")):
    print(pattern)
    to = app(pattern)
    for text in ("approve web", "do not approve web", "disapprove web", "approve website", "reject it, who would approve web?", "Approve web"):
        say(text)
    say("Write: approve web", subtype="bot_message", bot_id="B2")
PY
expect <<'END'
approve web
  approve web: ['approved']
  do not approve web: ['approved']
  disapprove web: ['approved']
  approve website: ['approved']
  reject it, who would approve web?: ['approved']
  Approve web: []
  Write: approve web (of a bot): ['approved']
re.compile('^approve web$')
  approve web: ['approved']
  do not approve web: []
  disapprove web: []
  approve website: []
  reject it, who would approve web?: ['rejected']
  Approve web: []
  Write: approve web (of a bot): []
END
