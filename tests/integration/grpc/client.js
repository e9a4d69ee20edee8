// Calls a node as any client of gRPC does, by contracts that it is given or that it asks for, and says
// "agrees" when everything is as docs/grpc.md has it.
//
//   node client.js calls|watch|serial ADDRESS REPOSITORY [CERTIFICATE]
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import protobuf from "protobufjs";

const [what, address, repository, certificate] = process.argv.slice(2);
const protos = `${repository}/cluster/gateway/grpc/protos`;
const includeDirs = [`${repository}/domains`, `${repository}/actors/contracts`, protos];
const form = { keepCase: true, longs: String, enums: String, defaults: true, includeDirs };
const credentials = certificate
  ? grpc.credentials.createSsl(readFileSync(certificate))
  : grpc.credentials.createInsecure();
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(file, form));
const { banking } = load("banking/v1/accounts.proto");
const { grpc: own } = load(["grpc/health/v1/health.proto", "grpc/reflection/v1alpha/reflection.proto"]);
const rpc = protobuf.loadSync([`${protos}/google/rpc/status.proto`, `${protos}/google/rpc/error_details.proto`]);

const accounts = new banking.v1.Accounts(address, credentials);
const health = new own.health.v1.Health(address, credentials);
const soon = () => ({ deadline: Date.now() + 20_000 });

// The reply, and what the metadata before it says.
function call(client, method, request, metadata = {}, options = soon()) {
  const sent = new grpc.Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  return new Promise((resolve, reject) => {
    let headers;
    client[method](request, sent, options, (error, reply) => {
      if (error) reject(error);
      else resolve({ reply, headers: Object.fromEntries(Object.entries(headers.getMap())) });
    }).on("metadata", (received) => { headers = received; });
  });
}

async function refused(code, promise) {
  const error = await promise.then(() => assert.fail("it was not refused"), (reason) => reason);
  assert.equal(error.code, code, String(error));
  return error;
}

function reason(error) {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  const status = rpc.lookupType("google.rpc.Status").decode(bytes);
  assert.equal(status.code, error.code);
  assert.equal(status.message, error.details);
  const { type_url, value } = status.details[0];
  assert.equal(type_url, "type.googleapis.com/google.rpc.ErrorInfo");
  const info = rpc.lookupType("google.rpc.ErrorInfo").decode(value);
  assert.equal(info.domain, "troupe");
  return info.reason;
}

const euros = (minor_units) => ({ currency: "EUR", minor_units });

async function commands() {
  const opened = await call(accounts, "Open", { account: "a", owner: "Ada", currency: "EUR" });
  assert.equal(opened.reply.status, "OPEN");
  assert.match(opened.headers.etag, /^"\d+"$/);
  assert.match(opened.headers["troupe-position"], /^banking\.v1\.Accounts\/\d+@\d+$/);

  const deposit = { account: "a", amount: euros(500) };
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const once = { "idempotency-key": "deposit-1", traceparent: `00-${trace}-00f067aa0ba902b7-01` };
  const first = await call(accounts, "Deposit", deposit, once);
  const again = await call(accounts, "Deposit", deposit, once);
  assert.equal(first.reply.balance.minor_units, "500");
  assert.deepEqual(again.reply, first.reply);
  assert.deepEqual([first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]],
                   [undefined, "true"]);
  assert.equal(first.headers.traceparent.split("-")[1], trace);

  const { INVALID_ARGUMENT, FAILED_PRECONDITION } = grpc.status;
  const other = call(accounts, "Deposit", deposit, { "idempotency-key": "deposit-1 and more" });
  assert.equal(reason(await refused(INVALID_ARGUMENT, other)), "IDEMPOTENCY_KEY_INVALID");
  const stale = call(accounts, "Deposit", deposit, { "if-match": opened.headers.etag });
  assert.equal(reason(await refused(FAILED_PRECONDITION, stale)), "VERSION_MISMATCH");
  await call(accounts, "Deposit", deposit, { "if-match": first.headers.etag });
  const poor = call(accounts, "Withdraw", { account: "a", amount: euros(5000) });
  assert.equal(reason(await refused(FAILED_PRECONDITION, poor)), "INSUFFICIENT_FUNDS");
  assert.equal((await call(accounts, "Get", { account: "a" })).reply.balance.minor_units, "1000");
}

async function refusals() {
  const { UNIMPLEMENTED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED } = grpc.status;
  const raw = new grpc.Client(address, credentials);
  const unary = (path, bytes, options = soon()) => new Promise((resolve, reject) => {
    raw.makeUnaryRequest(path, (value) => value, (value) => value, Buffer.from(bytes),
                         new grpc.Metadata(), options,
                         (error, reply) => (error ? reject(error) : resolve(reply)));
  });
  const deposit = "/banking.v1.Accounts/Deposit";
  const unknown = await refused(UNIMPLEMENTED, unary("/banking.v1.Accounts/Rob", ""));
  assert.equal(reason(unknown), "GRPC_METHOD_UNKNOWN");
  await refused(UNIMPLEMENTED, unary("/banking.v1.Nobody/Deposit", ""));
  await refused(INVALID_ARGUMENT, unary(deposit, [0xff, 0xff]));
  await refused(RESOURCE_EXHAUSTED, unary(deposit, Buffer.alloc(2 << 20)));
  await refused(DEADLINE_EXCEEDED, unary(deposit, "", { deadline: Date.now() - 1 }));
  const squeezed = new grpc.Client(address, credentials,
                                   { "grpc.default_compression_algorithm": 2 });
  await refused(UNIMPLEMENTED, new Promise((resolve, reject) => {
    squeezed.makeUnaryRequest(deposit, (value) => value, (value) => value, Buffer.alloc(10_000),
                              new grpc.Metadata(), soon(),
                              (error) => (error ? reject(error) : resolve()));
  }));
}

async function healthy() {
  for (const service of ["", "banking.v1.Accounts"])
    assert.equal((await call(health, "Check", { service })).reply.status, "SERVING");
  await refused(grpc.status.NOT_FOUND, call(health, "Check", { service: "banking.v1.Nobody" }));
}

// A client that knows nothing but the address.
async function reflection() {
  const stream = new own.reflection.v1alpha.ServerReflection(address, credentials)
    .ServerReflectionInfo(soon());
  const answers = stream[Symbol.asyncIterator]();
  const ask = async (request) => {
    stream.write(request);
    return (await answers.next()).value;
  };
  const listed = await ask({ list_services: "" });
  const names = listed.list_services_response.service.map(({ name }) => name);
  for (const name of ["banking.v1.Accounts", "grpc.health.v1.Health"]) assert(names.includes(name), name);
  assert(!names.some((name) => name.startsWith("troupe")), String(names));
  const hidden = await ask({ file_containing_symbol: "troupe.cluster.NodeStatus" });
  assert.equal(hidden.error_response.error_code, grpc.status.NOT_FOUND);
  const told = await ask({ file_containing_symbol: "banking.v1.Accounts.Deposit" });
  stream.end();
  assert.equal((await answers.next()).done, true);

  const set = protobuf.Writer.create();
  for (const file of told.file_descriptor_response.file_descriptor_proto) set.uint32(10).bytes(file);
  const learnt = grpc.loadPackageDefinition(loader.loadFileDescriptorSetFromBuffer(Buffer.from(set.finish()), form));
  const client = new learnt.banking.v1.Accounts(address, credentials);
  assert.equal((await call(client, "Get", { account: "a" })).reply.owner, "Ada");
}

// Each status as it comes, and how the call ended.
function watch() {
  health.Watch({ service: "" })
    .on("data", ({ status }) => console.log(status))
    .on("error", (error) => console.log(grpc.status[error.code], reason(error)));
}

if (what === "watch") {
  watch();
} else {
  if (what === "calls") {
    await commands();
    await refusals();
    await reflection();
  }
  await healthy();
  console.log("agrees");
  process.exit(0);
}
