// A client whose types openapi-typescript made of the document: it compiles only if the document says
// what is used here. Against a node: node dist/client.js http://127.0.0.1:8080
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Account = components["schemas"]["banking.v1.Account"];

const client = createClient<paths>({ baseUrl: process.argv[2] });

function equal<T>(what: string, found: T, wanted: T): void {
  if (found !== wanted) throw new Error(`${what}: ${String(found)} instead of ${String(wanted)}`);
}

function answered(result: { data?: Account; error?: unknown }): Account {
  if (result.data === undefined) throw new Error(JSON.stringify(result.error));
  return result.data;
}

const path = { account: "a/1 ü" };

answered(
  await client.POST("/v1/accounts/{account}:open", {
    params: { path },
    body: { owner: "Ada", currency: "EUR" },
  }),
);
const headers = { "Idempotency-Key": "11111111-2222-3333-4444-555555555555" };
for (let time = 0; time < 2; ++time) {
  const deposit = await client.POST("/v1/accounts/{account}:deposit", {
    params: { path, header: headers },
    body: { amount: { currency: "EUR", minorUnits: "1250" } },
  });
  equal("the balance", answered(deposit).balance?.minorUnits, "1250");
  equal("replayed", deposit.response.headers.get("Idempotency-Replayed"), time === 0 ? null : "true");
}
const read = answered(await client.GET("/v1/accounts/{account}", { params: { path } }));
equal("the name", read.account, path.account);
equal("the status", read.status, "OPEN");

const page = await client.GET("/v1/accounts/{account}/statement", {
  params: { path, query: { pageSize: 1 } },
});
equal("entries of a page", page.data?.entries?.length, 1);

const refused = await client.POST("/v1/accounts/{account}:withdraw", {
  params: { path },
  body: { amount: { currency: "EUR", minorUnits: "999999" } },
});
equal("the refusal", refused.error?.reason, "INSUFFICIENT_FUNDS");

// @ts-expect-error: an owner is a text
client.POST("/v1/accounts/{account}:open", { params: { path }, body: { owner: 1 } }).catch(() => {});
console.log("the generated client agrees with the node");
