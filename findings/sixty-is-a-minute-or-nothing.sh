#!/usr/bin/env bash
# lru-cache 11.5.3, keyv 5.6.0, cache-manager 7.2.9 and @isaacs/ttlcache 2.1.5, against cache-manager 4.1.0, node-cache
# 5.1.2 (JavaScript) and cachetools 8.0.2 (Python).
#
# Guess: a time to live of 60 is a minute, as in Redis and in every Cache-Control.
#
# Really: it is 60 milliseconds for the first four. cache-manager took seconds up to version 4 and takes milliseconds
# since.
#
# Matters: a gate or a bot in JavaScript that keeps what the metrics server said for a minute keeps it for nothing after
# an update of its cache, and asks for every user who looks; the other way round 60000 is 16 hours, in which it says what
# was. Name the unit in the setting.
#
# Seen, what is left of a time to live of 1 after a tenth of a second: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node lru-cache@11.5.3 keyv@5.6.0 cache-manager@7.2.9 old@npm:cache-manager@4.1.0 @isaacs/ttlcache@2.1.5 node-cache@5.1.2 <<'JS'
import { TTLCache } from "@isaacs/ttlcache";
import { createCache } from "cache-manager";
import { Keyv } from "keyv";
import { LRUCache } from "lru-cache";
import NodeCache from "node-cache";
import old from "old";

const lru = new LRUCache({ max: 10, ttl: 1 });
const ttl = new TTLCache({ ttl: 1 });
const keyv = new Keyv({ ttl: 1 });
const manager = createCache({ ttl: 1 });
const oldManager = old.caching({ store: "memory", ttl: 1 });
const node = new NodeCache({ stdTTL: 1 });
for (const cache of [lru, ttl, keyv, manager, oldManager, node]) await cache.set("weight", 50);
await new Promise((resolve) => setTimeout(resolve, 100));
const left = { "lru-cache": lru.get("weight"), ttlcache: ttl.get("weight"), keyv: await keyv.get("weight"), "cache-manager 7": await manager.get("weight") };
Object.assign(left, { "cache-manager 4": await oldManager.get("weight"), "node-cache": node.get("weight") });
for (const [name, value] of Object.entries(left)) console.log(`${name}: ${value ?? "gone"}`);
process.exit(0);
JS
with_python cachetools==8.0.2 <<'PY'
import time
from cachetools import TTLCache

cache = TTLCache(10, ttl=1)
cache["weight"] = 50
time.sleep(0.1)
print("cachetools:", cache.get("weight", "gone"))
PY
expect <<'END'
lru-cache: gone
ttlcache: gone
keyv: gone
cache-manager 7: gone
cache-manager 4: 50
node-cache: 50
cachetools: 50
END
