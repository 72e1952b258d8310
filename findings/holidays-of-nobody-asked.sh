#!/usr/bin/env bash
# holidays 0.109 (Python).
#
# Guess: country_holidays("DE") is the table of the holidays of Germany, of this year at least: a loop over it goes through
# them, and len() counts them.
#
# Really: without years it is empty, false, and a loop over it ends at once. A year is filled in when one of its days is
# looked up with `in` or get(), so that the same loop finds that year afterwards. A copy by dict() has what was asked for
# so far.
#
# Matters: a bot that sets freezes for the coming holidays in a loop sets none, without an error, while its test, which
# asks for one day first, is fine; `if not table` takes a country for one without holidays. Give years.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python holidays==0.109 <<'PY'
import datetime
import holidays

table = holidays.country_holidays("DE")
print("at first:", len(table), bool(table), [str(day) for day in table], dict(table))
print("25 December 2026:", datetime.date(2026, 12, 25) in table)
print("then:", len(table), bool(table), [str(day) for day in sorted(table)][:2])
print("with years:", len(holidays.country_holidays("DE", years=[2026, 2027])))
PY
expect <<'END'
at first: 0 False [] {}
25 December 2026: True
then: 9 True ['2026-01-01', '2026-04-03']
with years: 18
END
