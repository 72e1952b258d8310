#!/usr/bin/env bash
# requests_mock 1.12.1, respx 0.23.1 and responses 0.26.3 (Python).
#
# Guess: a fake answer for /api/v1/query?query=errors{app="web"} is given to that query only, and of two answers for one
# address the first is given first.
#
# Really: requests_mock compares without regard to case and ignores parameters that it was not told of; respx ignores these
# too; responses compares the query if the address has one, and takes any query if not. Of two answers for one address
# responses gives one after the other, the others give the last one alone, and never the first. requests_mock stands in
# for the adapter, so that retries of urllib3 do not happen.
#
# Matters: the test of a gate passes for a query of another application, and the test of its retries passes without a
# failure to retry. Compare request_history with the whole query, and give a list of answers.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_python requests==2.34.2 httpx==0.28.1 requests_mock==1.12.1 respx==0.23.1 responses==0.26.3 <<'PY'
import httpx, requests, requests_mock, respx, responses
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

address = "http://prometheus/api/v1/query"
query = 'errors{app="web"}'
asked = {
    "the same": {"query": query},
    "other case": {"query": query.upper()},
    "one parameter more": {"query": query, "dedup": "false"},
    "another query": {"query": "up"},
}


def told(get, parameters):
    try:
        return get(address, params=parameters).text
    except (requests.ConnectionError, requests_mock.NoMockAddress, respx.models.AllMockedAssertionError):
        return "refused"


for what, parameters in asked.items():
    with requests_mock.Mocker() as mock:
        mock.get(requests.Request("GET", address, params={"query": query}).prepare().url, text="answered")
        one = told(requests.get, parameters)
    with respx.mock(assert_all_called=False) as mock:
        mock.get(address, params={"query": query}).respond(text="answered")
        two = told(httpx.get, parameters)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(requests.Request("GET", address, params={"query": query}).prepare().url, body="answered")
        three = told(requests.get, parameters)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(address, body="answered")
        four = told(requests.get, parameters)
    print(f"{what}: requests_mock {one}, respx {two}, responses {three}, without a query {four}")

with requests_mock.Mocker() as mock:
    mock.get(address, status_code=503)
    mock.get(address, status_code=200)
    print("503, then 200, requests_mock:", [requests.get(address).status_code for _ in range(3)])
with respx.mock(assert_all_called=False) as mock:
    mock.get(address).respond(503)
    mock.get(address).respond(200)
    print("503, then 200, respx:", [httpx.get(address).status_code for _ in range(3)])
with responses.RequestsMock() as mock:
    mock.get(address, status=503)
    mock.get(address, status=200)
    print("503, then 200, responses:", [requests.get(address).status_code for _ in range(3)])

session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=Retry(3, status_forcelist=[503], backoff_factor=0)))
with requests_mock.Mocker(session=session) as mock:
    mock.get(address, [{"status_code": 503}, {"status_code": 200}])
    print("with retries, requests_mock:", session.get(address).status_code)
with responses.RequestsMock() as mock:
    mock.get(address, status=503)
    mock.get(address, status=200)
    print("with retries, responses:", session.get(address).status_code)
PY
expect <<'END'
the same: requests_mock answered, respx answered, responses answered, without a query answered
other case: requests_mock answered, respx refused, responses refused, without a query answered
one parameter more: requests_mock answered, respx answered, responses refused, without a query answered
another query: requests_mock refused, respx refused, responses refused, without a query answered
503, then 200, requests_mock: [200, 200, 200]
503, then 200, respx: [200, 200, 200]
503, then 200, responses: [503, 200, 200]
with retries, requests_mock: 503
with retries, responses: 200
END
