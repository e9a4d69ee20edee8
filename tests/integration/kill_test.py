#!/usr/bin/env python3
"""SIGKILL at random moments, also during start-up, under concurrent HTTP clients that retry.

Every deposit has an amount of its own, so that the statement names it: each acknowledged deposit must
be there exactly once, each unknown one at most once, and the balance must be their sum.
"""

import argparse
import http.client
import random
import sys
import threading
import time

from troupe_node import Node, NodeDied, manifest, scratch

ACCOUNTS = 40


class Ledger:
    """What the clients know, under one lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.next_amount = 0
        self.acknowledged = {f"a{n}": set() for n in range(ACCOUNTS)}
        self.unknown = {f"a{n}": set() for n in range(ACCOUNTS)}
        self.retries = 0
        self.repeated = 0

    def amount(self):
        with self.lock:
            self.next_amount += 1
            return self.next_amount


class Clients:
    """Clients that deposit without pause while `running`, reconnecting wherever the node is now."""

    def __init__(self, node, ledger, count, rng):
        self.node = node
        self.ledger = ledger
        self.stopping = threading.Event()
        self.errors = []
        self.threads = [
            threading.Thread(target=self._run, args=(random.Random(rng.random()),), daemon=True)
            for _ in range(count)
        ]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _run(self, rng):
        connection = None
        while not self.stopping.is_set():
            account = f"a{rng.randrange(ACCOUNTS)}"
            amount = self.ledger.amount()
            key = f"deposit-{amount}"
            # One in twenty is given up after its first failure: it may have happened or not.
            patient = rng.random() > 0.05
            done = False
            while not done:
                try:
                    if connection is None:
                        address = self.node.gateway
                        if address is None:
                            if self.stopping.wait(0.01):
                                break
                            continue
                        connection = self.node.connect()
                    answer = connection.call(
                        "POST",
                        f"/v1/accounts/{account}:deposit",
                        {"amount": {"currency": "EUR", "minorUnits": str(amount)}},
                        {"Idempotency-Key": key},
                    )
                    if answer.status == 200:
                        with self.ledger.lock:
                            self.ledger.acknowledged[account].add(amount)
                            self.ledger.repeated += answer.headers.get("Idempotency-Replayed") == "true"
                        done = True
                        continue
                    if answer.status not in (503, 504):
                        self.errors.append(f"{account} {amount}: {answer.status} {answer.text}")
                        done = True
                        continue
                except (OSError, http.client.HTTPException):
                    if connection is not None:
                        connection.close()
                    connection = None
                with self.ledger.lock:
                    self.ledger.retries += 1
                if not patient or self.stopping.is_set():
                    break
                self.stopping.wait(0.005)
            if not done:
                with self.ledger.lock:
                    self.ledger.unknown[account].add(amount)
        if connection is not None:
            connection.close()


def statement(connection, account):
    """Every deposit of an account, by pages."""
    amounts = []
    token = ""
    while True:
        page = connection.call("GET", f"/v1/accounts/{account}/statement?pageSize=500&pageToken={token}").json()
        for entry in page.get("entries", []):
            if entry["kind"] == "DEPOSITED":
                amounts.append(int(entry["amount"]["minorUnits"]))
        token = page.get("nextPageToken", "")
        if not token:
            return amounts


def check(node, ledger):
    """Compares every account with what the clients know; returns the differences."""
    problems = []
    connection = node.connect()
    total = 0
    for account, acknowledged in ledger.acknowledged.items():
        amounts = statement(connection, account)
        balance = int(connection.call("GET", f"/v1/accounts/{account}").json()["balance"].get("minorUnits", "0"))
        found = set(amounts)
        total += len(found)
        if len(found) != len(amounts):
            problems.append(f"{account}: a deposit is there twice: {sorted(a for a in found if amounts.count(a) > 1)}")
        if acknowledged - found:
            problems.append(f"{account}: acknowledged deposits are lost: {sorted(acknowledged - found)}")
        if found - acknowledged - ledger.unknown[account]:
            problems.append(f"{account}: deposits nobody made: {sorted(found - acknowledged - ledger.unknown[account])}")
        if balance != sum(amounts):
            problems.append(f"{account}: balance {balance} is not the sum of its deposits {sum(amounts)}")
    connection.close()
    return total, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the troupe command")
    parser.add_argument("--rounds", type=int, default=6, help="how often the node is killed")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=None, help="of the moments and amounts; printed")
    parser.add_argument("--seconds", type=float, default=1.5, help="longest time between two kills")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    print(f"kill test: {options.rounds} rounds, {options.clients} clients, seed {seed}", flush=True)

    with scratch() as folder:
        # Small segments, so that cuts, checkpoints and rolls happen under the kills too.
        path = manifest(folder, storage='segment_bytes = "1MiB"\ncheckpoint_wal_bytes = "1MiB"\nlog_segments = 2')
        with Node(options.binary, path) as node:
            node.start()
            for n in range(ACCOUNTS):
                opened = node.post(f"/v1/accounts/a{n}:open", {"owner": f"owner {n}", "currency": "EUR"}, f"open-{n}")
                assert opened.status == 200, opened.text
            ledger = Ledger()
            clients = Clients(node, ledger, options.clients, rng)
            during_start = 0
            for number in range(options.rounds):
                # A random moment: the kill must not know what the node is doing.
                time.sleep(rng.uniform(0.05, options.seconds))
                node.kill()
                for _ in range(rng.choice([0, 0, 1, 2])):
                    node.spawn()
                    time.sleep(rng.uniform(0.0, 0.15))
                    node.kill()
                    during_start += 1
                try:
                    node.start()
                except NodeDied as died:
                    sys.exit(f"round {number + 1}: the node did not come back: {died}")
                with ledger.lock:
                    known = sum(map(len, ledger.acknowledged.values()))
                print(f"  round {number + 1}: {known} deposits acknowledged so far", flush=True)
            clients.stop()
            total, problems = check(node, ledger)
            problems += clients.errors[:10]
            # Once more after a stop in good order and a start from what it left.
            status = node.stop()
            if status != 0:
                problems.append(f"SIGTERM ended the node with status {status}")
            node.start()
            problems += check(node, ledger)[1]
            node.stop()

    acknowledged = sum(map(len, ledger.acknowledged.values()))
    unknown = sum(map(len, ledger.unknown.values()))
    print(
        f"{options.rounds + during_start} kills ({during_start} during start-up), {acknowledged} acknowledged, "
        f"{unknown} unknown, {total} stored, {ledger.retries} retries, {ledger.repeated} answered from memory"
    )
    for problem in problems:
        print(f"FAILED {problem}")
    if problems:
        sys.exit(f"replay with --seed {seed} --rounds {options.rounds}")
    if acknowledged == 0:
        sys.exit("no deposit was acknowledged: the test tested nothing")


if __name__ == "__main__":
    main()
