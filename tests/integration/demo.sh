#!/usr/bin/env bash
# Drives one node over HTTP as a user would, kills it under load, and counts what is left.
# usage: demo.sh [TROUPE_BINARY]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
troupe=$(realpath "${1:-$root/build/dev/bin/troupe}")
manifest=$root/config/examples/single.toml
gateway=http://127.0.0.1:8080
admin=http://127.0.0.1:7480

folder=$(mktemp -d)
node=
load=
cleanup() {
  [[ -z $load ]] || kill "$load" 2>/dev/null || true
  if [[ -n $node ]]; then kill -KILL "$node" 2>/dev/null || true; wait "$node" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
cd "$folder"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; [[ ! -f node.log ]] || tail -n 20 node.log >&2; exit 1; }

# Shows a call and its answer.
call() {
  local method=$1 path=$2
  shift 2
  printf '$ curl -X %s %s' "$method" "$gateway$path"
  [[ $# -eq 0 ]] || printf " '%s'" "$@"
  printf '\n'
  curl -sS -X "$method" "$gateway$path" -H 'Content-Type: application/json' "$@" -w '  -> %{http_code}\n'
}

launch() {
  "$troupe" up "$manifest" >up.log 2>>node.log &
  node=$!
  # --retry-connrefused: curl asks again until the node answers that it is ready.
  curl -sf -o /dev/null --retry 600 --retry-delay 0 --retry-max-time 60 --retry-all-errors "$admin/readyz" 2>/dev/null ||
    fail "the node did not become ready (are the ports 8080 and 7480 free?)"
  kill -0 "$node" 2>/dev/null || fail "the node ended at once"
}

say "1. Launch the node of config/examples/single.toml"
echo "\$ troupe up config/examples/single.toml"
launch
cat up.log

say "2. Open two accounts, deposit, repeat the deposit with the same key"
call POST /v1/accounts/alice:open -d '{"owner":"Alice","currency":"EUR"}'
call POST /v1/accounts/bob:open -d '{"owner":"Bob","currency":"EUR"}'
deposit='{"amount":{"currency":"EUR","minorUnits":"5000"}}'
call POST /v1/accounts/alice:deposit -H 'Idempotency-Key: first-deposit' -d "$deposit"
echo "the same once more: the first answer again, and no second deposit"
call POST /v1/accounts/alice:deposit -H 'Idempotency-Key: first-deposit' -d "$deposit"

say "3. Withdraw more than there is: refused"
call POST /v1/accounts/alice:withdraw -d '{"amount":{"currency":"EUR","minorUnits":"9999999"}}'
call GET /v1/accounts/alice

say "4. Look inside"
for question in status tree; do
  echo "\$ troupe $question"
  "$troupe" "$question" --manifest "$manifest"
done

say "5. Kill the process with SIGKILL while 8 clients deposit one cent at a time into bob's account"
total=2000
seq 1 "$total" >keys
# One line per acknowledged deposit: its key.
deposit_cents() {
  xargs -P 8 -n 50 bash -c '
    for key in "$@"; do
      code=$(curl -s -o /dev/null -w "%{http_code}" -X POST "'"$gateway"'/v1/accounts/bob:deposit" \
        -H "Content-Type: application/json" -H "Idempotency-Key: cent-$key" \
        -d "{\"amount\":{\"currency\":\"EUR\",\"minorUnits\":\"1\"}}") || true
      [[ $code != 200 ]] || echo "$key"
    done' _
}
>acknowledged
deposit_cents <keys >acknowledged 2>/dev/null &
load=$!
until [[ $(wc -l <acknowledged) -ge 300 ]]; do kill -0 "$load" 2>/dev/null || fail "the load ended early"; done
kill -KILL "$node"
wait "$node" 2>/dev/null || true
node=
wait "$load" || true
load=
echo "killed; $(wc -l <acknowledged) of $total deposits had been acknowledged, the others failed"

say "6. Start it again: every acknowledged deposit is there"
launch
balance() { curl -sS "$gateway/v1/accounts/bob" | sed -n 's/.*"minorUnits": *"\([0-9]*\)".*/\1/p'; }
after=$(balance)
acknowledged=$(wc -l <acknowledged)
echo "bob has $after cents: $acknowledged acknowledged, $((after - acknowledged)) that had no answer when the node died"
[[ $after -ge $acknowledged ]] || fail "acknowledged deposits are lost"

say "7. The clients send all $total again with the same keys: each counts once"
deposit_cents <keys >acknowledged
balance=$(balance)
echo "$(wc -l <acknowledged) acknowledged; bob has $balance cents"
[[ $balance -eq $total ]] || fail "bob should have $total cents"

say "8. Stop in good order"
kill -TERM "$node"
wait "$node" || fail "the node stopped with status $?"
node=
echo "stopped; nothing is left running"
