#!/usr/bin/env bash
# graphql-http 1.23.1 and graphql-yoga 5.24.1 (JavaScript), strawberry-graphql 0.341.2 and ariadne 1.1.1 (Python).
#
# Guess: a resolver that raises is a 200 with `errors`, or a 5xx, alike for all servers; a query that does not parse is a
# 400.
#
# Really: the resolver's failure is a 200 for three and a 400 for ariadne, never a 5xx. The query that does not parse is a
# 200 or a 400 by the client's Accept header for the two in JavaScript, always 200 for strawberry.
#
# Matters: `status!~"5.."` is 100 % for a canary whose every resolver fails, with each of them; and a watch on 4xx sees it
# with ariadne alone, beside the mistakes of clients, whose share changes with their library and not with the release. Count
# errors in the server.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
with_node graphql-http@1.23.1 graphql-yoga@5.24.1 graphql@16.15.0 <<'JS'
import { buildSchema } from "graphql";
import { createHandler } from "graphql-http/lib/use/fetch";
import { createSchema, createYoga } from "graphql-yoga";

const typeDefs = "type Query { order: String! }";
const order = () => {
  throw new Error("database is down");
};
const yoga = createYoga({ logging: false, schema: createSchema({ typeDefs, resolvers: { Query: { order } } }) });
const servers = { "graphql-http": createHandler({ schema: buildSchema(typeDefs), rootValue: { order } }), "graphql-yoga": (request) => yoga.fetch(request) };
for (const [name, server] of Object.entries(servers)) {
  for (const query of ["{ order }", "{ order"]) {
    const statuses = [];
    for (const accept of ["application/json", "application/graphql-response+json"]) {
      const headers = { accept, "content-type": "application/json" };
      statuses.push((await server(new Request("http://localhost/graphql", { method: "POST", headers, body: JSON.stringify({ query }) }))).status);
    }
    console.log(`${name} "${query}":`, ...statuses);
  }
}
process.exit(0);
JS
with_python strawberry-graphql==0.341.2 ariadne==1.1.1 fastapi==0.165.0 httpx==0.28.1 <<'PY'
import logging
import warnings

logging.disable()
warnings.simplefilter("ignore")
import strawberry
from ariadne import QueryType, make_executable_schema
from ariadne.asgi import GraphQL
from fastapi import FastAPI
from fastapi.testclient import TestClient
from strawberry.fastapi import GraphQLRouter


def fails(*_):
    raise ConnectionError("database is down")


@strawberry.type
class Query:
    @strawberry.field
    def order(self) -> str:
        return fails()


application = FastAPI()
application.include_router(GraphQLRouter(strawberry.Schema(Query)), prefix="/graphql")
query_type = QueryType()
query_type.set_field("order", fails)
for name, server in (("strawberry", application), ("ariadne", GraphQL(make_executable_schema("type Query { order: String! }", query_type)))):
    for query in ("{ order }", "{ order"):
        statuses = [
            TestClient(server).post("/graphql", json={"query": query}, headers={"accept": accept}).status_code
            for accept in ("application/json", "application/graphql-response+json")
        ]
        print(f'{name} "{query}":', *statuses)
PY
expect <<'END'
graphql-http "{ order }": 200 200
graphql-http "{ order": 200 400
graphql-yoga "{ order }": 200 200
graphql-yoga "{ order": 200 400
strawberry "{ order }": 200 200
strawberry "{ order": 200 200
ariadne "{ order }": 400 400
ariadne "{ order": 400 400
END
