"""Concurrent HTTP clients of a replicated ledger, and what must be true of it in the end.

Every movement of money has an amount of its own, so that the statement of its account names it: each
one that was acknowledged must be there exactly once, each one of unknown outcome at most once. A
client that gets no answer repeats its request under the same Idempotency-Key at another node.
"""

import http.client
import random
import re
import threading
import time

from troupe_node import Connection

REFUSED_FOR_NOW = (503, 504, 507)  # nobody leads, no time left, a full disk: elsewhere or later
POSITION = re.compile(r"(.+)/(\d+)@(\d+)")


class Ledger:
    """What all clients know of the accounts."""

    def __init__(self, accounts, seed):
        self.accounts = list(accounts)
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.progress = threading.Condition(self.lock)  # notified at each acknowledgement
        self.next_amount = 0
        self.acknowledged = {account: set() for account in self.accounts}
        self.unknown = {account: set() for account in self.accounts}
        self.seen = {account: (0, 0) for account in self.accounts}  # newest position, most money paid in
        self.count = 0  # acknowledgements
        self.retries = self.replayed = self.reads = 0
        self.problems = []

    def amount(self):
        with self.lock:
            self.next_amount += 1
            return self.next_amount

    def wrong(self, what):
        with self.lock:
            self.problems.append(what)
            self.progress.notify_all()


class Client(threading.Thread):
    """Moves money without pause, one request at a time. `longest`: the longest wait for an answer."""

    def __init__(self, ledger, gateways, pause=0.0, timeout=1.0, patience=1.0, reads=0.2):
        super().__init__(daemon=True)
        self.ledger, self.gateways = ledger, dict(gateways)
        self.random = random.Random(ledger.random.random())
        self.nodes = sorted(gateways)
        self.turn = self.random.randrange(len(self.nodes))
        self.pause, self.timeout = pause, timeout
        self.patience = patience  # share of the requests that are repeated until they are answered
        self.reads = reads  # share of the requests that are reads
        self.stopping = threading.Event()
        self.connections = {}
        self.longest, self.longest_at = 0.0, 0.0
        self.count = 0
        self.answered = time.monotonic()

    def run(self):
        try:
            while not self.stopping.is_set():
                account = self.random.choice(self.ledger.accounts)
                if self.random.random() < self.reads:
                    self.read(account)
                else:
                    self.move(account)
                if self.pause:
                    self.stopping.wait(self.pause)
        except Exception as mistake:  # of this program: the run must not pass for want of a client
            self.ledger.wrong(f"a client failed: {type(mistake).__name__}: {mistake}")
        finally:
            for connection in self.connections.values():
                connection.close()

    def ask(self, node, method, path, body, key):
        """An answer, or None where there was none in time."""
        try:
            if node not in self.connections:
                self.connections[node] = Connection(self.gateways[node], self.timeout)
            headers = {"Idempotency-Key": f'"{key}"'} if key else {}
            return self.connections[node].call(method, path, body, headers)
        except (OSError, http.client.HTTPException):
            if node in self.connections:
                self.connections.pop(node).close()
            return None

    def request(self, method, path, body=None, key=None):
        """Asks one node after the other until one answers; returns the answer, or None."""
        began = time.monotonic()
        patient = self.random.random() < self.patience
        while True:
            node = self.nodes[self.turn % len(self.nodes)]
            answer = self.ask(node, method, path, body, key)
            if answer and answer.status not in REFUSED_FOR_NOW:
                now = time.monotonic()
                self.answered = now
                if now - began > self.longest:
                    self.longest, self.longest_at = now - began, now
                return answer
            self.turn += 1
            with self.ledger.lock:
                self.ledger.retries += 1
            if not patient or self.stopping.is_set():
                return None
            self.stopping.wait(0.01)

    def move(self, account):
        ledger, amount = self.ledger, self.ledger.amount()
        body = {"amount": {"currency": "EUR", "minorUnits": str(amount)}}
        answer = self.request("POST", f"/v1/accounts/{account}:deposit", body, f"deposit-{amount}")
        with ledger.lock:
            if answer and answer.status == 200:
                ledger.acknowledged[account].add(amount)
                ledger.count += 1
                self.count += 1
                ledger.replayed += answer.headers.get("Idempotency-Replayed") == "true"
                self.saw(account, answer)
                ledger.progress.notify_all()
                return
            ledger.unknown[account].add(amount)
        if answer:
            ledger.wrong(f"a deposit into {account} was answered with {answer.status} {answer.text}")

    def read(self, account):
        ledger = self.ledger
        with ledger.lock:
            index, money = ledger.seen[account]
        answer = self.request("GET", f"/v1/accounts/{account}")
        if answer is None:
            return
        if answer.status != 200:
            return ledger.wrong(f"a read of {account} was answered with {answer.status} {answer.text}")
        with ledger.lock:
            ledger.reads += 1
            now_index, now_money = self.saw(account, answer)
        if now_index < index or now_money < money:
            ledger.wrong(
                f"time went back: a read of {account} shows {now_money} at {now_index}, although "
                f"{money} at {index} was known before it began"
            )

    def saw(self, account, answer):
        """Remembers what an answer shows; the caller holds the lock. Money is only paid in."""
        position = POSITION.match(answer.headers.get("Troupe-Position", ""))
        found = int(position.group(3)) if position else 0, int(answer.json()["balance"].get("minorUnits", "0"))
        if answer.headers.get("Idempotency-Replayed") != "true":
            self.ledger.seen[account] = tuple(max(pair) for pair in zip(found, self.ledger.seen[account]))
        return found


class Clients:
    """So many clients at once, while the block runs."""

    def __init__(self, ledger, gateways, count, **options):
        self.ledger = ledger
        self.clients = [Client(ledger, gateways, **options) for _ in range(count)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for client in self.clients:
            client.stopping.set()
        for client in self.clients:
            client.join(60)
            if client.is_alive():
                self.ledger.wrong("a client did not end")

    def come(self, node, gateway):
        """From now on they may ask this node too."""
        for client in self.clients:
            client.gateways[node] = gateway
            client.nodes = sorted(client.nodes + [node])

    def leave(self, node):
        """They ask this node no more; returns when none has a request under way that began there."""
        for client in self.clients:
            client.nodes = [one for one in client.nodes if one != node]
        self.wait_for_more(2)

    def longest(self):
        """Seconds that a client waited for an answer that it got in the end."""
        return max(client.longest for client in self.clients)

    def wait_for_more(self, requests, timeout=60):
        """Until every client has got so many more acknowledgements; returns the seconds."""
        began = time.monotonic()
        goals = {client: client.count + requests for client in self.clients}
        with self.ledger.lock:
            done = self.ledger.progress.wait_for(
                lambda: self.ledger.problems or all(client.count >= goal for client, goal in goals.items()), timeout
            )
        assert not self.ledger.problems, self.ledger.problems[:3]
        assert done, f"after {timeout} s some clients have no answer: {[client.count for client in self.clients]}"
        return time.monotonic() - began


def open_accounts(ledger, gateways):
    connection = Connection(next(iter(gateways.values())))
    for account in ledger.accounts:
        opened = connection.call(
            "POST", f"/v1/accounts/{account}:open", {"owner": account, "currency": "EUR"}, {"Idempotency-Key": f'"open-{account}"'}
        )
        assert opened.status == 200, opened.text
    connection.close()


def statement(connection, account):
    """Amounts of every deposit of an account, by pages."""
    amounts, token = [], ""
    while True:
        answer = connection.call("GET", f"/v1/accounts/{account}/statement?pageSize=500&pageToken={token}")
        assert answer.status == 200, answer.text
        page = answer.json()
        amounts += [int(entry["amount"]["minorUnits"]) for entry in page.get("entries", []) if entry["kind"] == "DEPOSITED"]
        token = page.get("nextPageToken", "")
        if not token:
            return amounts


def check(ledger, gateway):
    """Compares what a node tells with what the clients know; returns what does not fit."""
    problems, money = [], 0
    connection = Connection(gateway)
    for account in ledger.accounts:
        amounts = statement(connection, account)
        answer = connection.call("GET", f"/v1/accounts/{account}")
        balance = int(answer.json()["balance"].get("minorUnits", "0"))
        found, acknowledged, unknown = set(amounts), ledger.acknowledged[account], ledger.unknown[account]
        money += balance
        if len(found) != len(amounts):
            problems.append(f"{account}: twice: {sorted(one for one in found if amounts.count(one) > 1)}")
        if acknowledged - found:
            problems.append(f"{account}: acknowledged and lost: {sorted(acknowledged - found)}")
        if found - acknowledged - unknown:
            problems.append(f"{account}: nobody paid in: {sorted(found - acknowledged - unknown)}")
        if balance != sum(amounts):
            problems.append(f"{account}: the balance {balance} is not the sum of its deposits, {sum(amounts)}")
    connection.close()
    return money, problems
