#!/usr/bin/env bash
# github.com/Masterminds/sprig/v3 v3.3.0, the functions of Helm's templates: `b64dec` of what is not Base64 is the text of
# the error.
#
# Guess: the template fails.
#
# Really: "illegal base64 data at input byte 4" is the value, and the chart is installed with it. URL-safe Base64 and
# Base64 without padding are no Base64 to it either.
#
# Matters: a token for a metrics server or an alert that was given plain, or in the alphabet of JWTs, ends in the Secret
# of a Canary as that sentence, and every check is answered by 401. Test the value: `regexMatch "^[A-Za-z0-9+/]*=*$"`.
#
# Seen: the results below.
set -euo pipefail
. "$(dirname "$0")/lib/sprig.sh"
sprig v3.3.0 <<'TXT'
{"right": "dG9rZW4=", "plain": "token-1", "unpadded": "dG9rZW4"}
{{ b64dec .right }}
{{ b64dec .plain }}
{{ b64dec .unpadded }}
TXT
expect <<'TXT'
{{ b64dec .right }} = token
{{ b64dec .plain }} = illegal base64 data at input byte 5
{{ b64dec .unpadded }} = illegal base64 data at input byte 4
TXT
