#!/usr/bin/env bash
# Drives one node over HTTP as a user would, then three of which one is killed under load; then a fourth
# comes, and one is given up.
# usage: demo.sh [TROUPE_BINARY]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
troupe=$(realpath "${1:-$root/build/dev/bin/troupe}")
manifest=$root/config/examples/single.toml
gateway=http://127.0.0.1:8080
admin=http://127.0.0.1:7480

folder=$(mktemp -d)
node=
three=
cleanup() {
  if [[ -n $three ]]; then kill -TERM "$three" 2>/dev/null || true; wait "$three" 2>/dev/null || true; fi
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

say "5. Stop in good order"
kill -TERM "$node"
wait "$node" || fail "the node stopped with status $?"
node=
echo "stopped"

python3 "$root/tests/integration/demo_three.py" --binary "$troupe" &
three=$!
wait "$three" || { status=$?; three=; exit "$status"; }
three=
