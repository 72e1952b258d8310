#!/usr/bin/env bash
# golang.org/x/net 0.62.0, requests 2.34.2, httpx 0.28.1 and urllib of Python, proxy-from-env 2.1.0 (JavaScript; axios).
#
# Guess: NO_PROXY=*.svc,10.0.0.0/8 keeps calls inside the cluster from the proxy, whatever the client.
#
# Really: "*.svc" is understood by Go and JavaScript and by none in Python, a range by Go and requests alone, "svc" without
# a dot by all but JavaScript. Only ".svc" means the same everywhere, and for addresses only the address itself.
#
# Matters: webhooks of one cluster in several languages, with one NO_PROXY for all, ask the metrics server through the
# proxy of the company, which does not know its name: the check is an error in one language only. Write .svc, and names
# instead of ranges.
#
# Seen: see `expect` below. Nothing is sent: each library is asked which way it would take.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_go golang.org/x/net@v0.62.0 <<'GO'
package main

import (
	"fmt"
	"net/url"

	"golang.org/x/net/http/httpproxy"
)

func main() {
	for _, setting := range []string{".svc", "*.svc", "svc", "10.0.0.0/8", "10.1.2.3"} {
		way := (&httpproxy.Config{HTTPProxy: "http://proxy:3128", NoProxy: setting}).ProxyFunc()
		fmt.Print("Go: ", setting)
		for _, text := range []string{"http://prometheus.monitoring.svc:9090/", "http://10.1.2.3:9090/"} {
			address, _ := url.Parse(text)
			proxy, _ := way(address)
			fmt.Print(map[bool]string{true: " direct", false: " proxy"}[proxy == nil])
		}
		fmt.Println()
	}
}
GO
with_node proxy-from-env@2.1.0 <<'JS'
import { getProxyForUrl } from "proxy-from-env";

process.env.http_proxy = "http://proxy:3128";
for (const setting of [".svc", "*.svc", "svc", "10.0.0.0/8", "10.1.2.3"]) {
  process.env.no_proxy = setting;
  const addresses = ["http://prometheus.monitoring.svc:9090/", "http://10.1.2.3:9090/"];
  console.log("proxy-from-env:", setting, ...addresses.map((address) => (getProxyForUrl(address) ? "proxy" : "direct")));
}
JS
with_python requests==2.34.2 httpx==0.28.1 <<'PY'
import os
import urllib.request
import httpx
import requests.utils

os.environ["http_proxy"] = "http://proxy:3128"
ways = {
    "requests": lambda address: bool(requests.utils.get_environ_proxies(address)),
    "urllib": lambda address: not urllib.request.proxy_bypass(address.split("/")[2]),
    "httpx": lambda address: (client := httpx.Client())._transport_for_url(httpx.URL(address)) is not client._transport,
}
for name, through_proxy in ways.items():
    for setting in (".svc", "*.svc", "svc", "10.0.0.0/8", "10.1.2.3"):
        os.environ["no_proxy"] = setting
        addresses = ("http://prometheus.monitoring.svc:9090/", "http://10.1.2.3:9090/")
        print(name + ":", setting, *("proxy" if through_proxy(address) else "direct" for address in addresses))
PY
expect <<'END'
Go: .svc direct proxy
Go: *.svc direct proxy
Go: svc direct proxy
Go: 10.0.0.0/8 proxy direct
Go: 10.1.2.3 proxy direct
proxy-from-env: .svc direct proxy
proxy-from-env: *.svc direct proxy
proxy-from-env: svc proxy proxy
proxy-from-env: 10.0.0.0/8 proxy proxy
proxy-from-env: 10.1.2.3 proxy direct
requests: .svc direct proxy
requests: *.svc proxy proxy
requests: svc direct proxy
requests: 10.0.0.0/8 proxy direct
requests: 10.1.2.3 proxy direct
urllib: .svc direct proxy
urllib: *.svc proxy proxy
urllib: svc direct proxy
urllib: 10.0.0.0/8 proxy proxy
urllib: 10.1.2.3 proxy direct
httpx: .svc direct proxy
httpx: *.svc proxy proxy
httpx: svc direct proxy
httpx: 10.0.0.0/8 proxy proxy
httpx: 10.1.2.3 proxy direct
END
