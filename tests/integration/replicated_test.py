#!/usr/bin/env python3
"""Three nodes with three replicas of every shard, real processes: one is killed under load, and all are
restarted in turn under load."""

import http.client
import os
import shutil
import signal
import threading
import time

from ledger_clients import Clients, Ledger, check, open_accounts
from several_test import NODES, OPEN, Cluster, free_ports, identity, run
from three_nodes import ThreeNodes, loopback
from three_nodes import manifest as manifest_at
from troupe_node import START_TIMEOUT_S, run_tests

SHARDS = 8  # of both services of the binary
ACCOUNTS = [f"a{number}" for number in range(6)]
BEFORE, AFTER = 20, 20  # acknowledged deposits of each client
LONGEST_S = 10  # that a client waits for an answer; docs/operations.md says what was seen


def manifest(folder):
    text = '''[cluster]
name = "test"

[log]
format = "json"

[services."banking.v1.Accounts"]
shards = 4
replication_factor = 3
'''
    for node, port in zip(NODES, free_ports(len(NODES))):
        text += f"""
[[nodes]]
name = "{node}"
mesh = "127.0.0.1:{port}"
gateway = "127.0.0.1:0"
admin = "127.0.0.1:0"
data = "{folder}/{node}"
"""
    path = os.path.join(folder, "manifest.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Depositor(threading.Thread):
    """Pays cents in, one after the other; repeats each under its key at one node after the other."""

    def __init__(self, cluster, account, progress):
        super().__init__(daemon=True)
        self.cluster, self.account = cluster, account
        self.acknowledged = 0
        self.longest = 0.0  # seconds from sending a deposit to its acknowledgement
        self.ending = threading.Event()
        self.wrong = None
        self.progress = progress  # notified after each deposit

    def deposit(self, key):
        began, attempt = time.monotonic(), 0
        body = {"amount": {"currency": "EUR", "minorUnits": "1"}}
        while True:
            node = NODES[(self.acknowledged + attempt) % len(NODES)]
            attempt += 1
            try:
                answer = self.cluster.call(node, "POST", f"/v1/accounts/{self.account}:deposit", body, key)
            except (OSError, http.client.HTTPException):
                answer = None
            if answer and answer.status == 200:
                self.longest = max(self.longest, time.monotonic() - began)
                return
            if answer and answer.status not in (503, 504):
                self.wrong = answer.text
                return
            time.sleep(0.01)  # as a client backs off

    def run(self):
        while not self.ending.is_set() and not self.wrong:
            self.deposit(f"{self.account}-{self.acknowledged}")
            with self.progress:
                self.acknowledged += not self.wrong
                self.progress.notify_all()


def wait_for_more(clients, deposits):
    goals = [(client, client.acknowledged + deposits) for client in clients]
    progress = clients[0].progress
    with progress:
        progress.wait_for(lambda: all(client.wrong or client.acknowledged >= goal for client, goal in goals))
    wrong = [client.wrong for client in clients if client.wrong]
    assert not wrong, wrong


def wait_whole(cluster):
    """Until all nodes are ready and every replica of the one that lost its disk votes."""
    deadline = time.monotonic() + START_TIMEOUT_S
    ready, promoted = set(), 0
    while len(ready) < len(NODES) or promoted < SHARDS:
        node, what = cluster.next_event(deadline)
        if node == "troupe":
            continue
        if what["event"] == "node.listening":
            cluster.gateways[node] = what["fields"]["gateway"]
        if what["event"] == "node.ready":
            ready.add(node)
        promoted += what["event"] == "raft.members_change" and what["message"].endswith("becomes a voter")


def balances(cluster, node):
    found = {}
    for account in ACCOUNTS:
        answer = cluster.call(node, "GET", f"/v1/accounts/{account}")
        assert answer.status == 200, answer.text
        found[account] = int(answer.json()["balance"].get("minorUnits", "0"))
    return found


def a_killed_node_and_a_lost_disk_cost_no_deposit(binary, folder):
    path = manifest(folder)
    assert run(binary, "init", path).returncode == 0
    with Cluster(binary, path) as cluster:
        cluster.wait_ready()
        for account in ACCOUNTS:
            opened = cluster.call("n1", "POST", f"/v1/accounts/{account}:open", OPEN, f"open-{account}")
            assert opened.status == 200, opened.text
        progress = threading.Condition()
        clients = [Depositor(cluster, account, progress) for account in ACCOUNTS]
        for client in clients:
            client.start()
        wait_for_more(clients, BEFORE)
        os.kill(cluster.pids()["n2"], signal.SIGKILL)
        wait_for_more(clients, AFTER)
        for client in clients:
            client.ending.set()
        for client in clients:
            client.join()
        expected = {client.account: client.acknowledged for client in clients}
        for node in ("n1", "n3"):
            assert balances(cluster, node) == expected, (node, balances(cluster, node), expected)
        print(f"{sum(expected.values())} deposits, the longest took "
              f"{max(client.longest for client in clients):.3f} s")
        assert cluster.stop() == 1, cluster.lines[-5:]
    # Its disk is lost, too: it gets everything from the others, and another one may fail then.
    cluster_id = identity(folder, "n2").split("\nid ")[1].split("\n")[0]
    shutil.rmtree(os.path.join(folder, "n2"))
    made = run(binary, "init", path, "--node", "n2", "--id", cluster_id, "--replace")
    assert made.returncode == 0, made.stderr
    with Cluster(binary, path) as cluster:
        wait_whole(cluster)
        os.kill(cluster.pids()["n1"], signal.SIGKILL)
        for node in ("n2", "n3"):
            assert balances(cluster, node) == expected, (node, balances(cluster, node), expected)
        assert cluster.stop() == 1, cluster.lines[-5:]
    # All of them again: the one that was killed catches up, and asks like the others.
    with Cluster(binary, path) as cluster:
        cluster.wait_ready()
        assert balances(cluster, "n1") == expected
        assert cluster.stop() == 0, cluster.lines[-5:]


def a_rolling_restart_fails_no_request(binary, folder):
    addresses = loopback()
    ledger = Ledger(ACCOUNTS, seed=1)
    with ThreeNodes(binary, manifest_at(folder, addresses), addresses).start() as cluster:
        cluster.wait_equal()
        open_accounts(ledger, cluster.gateways)
        with Clients(ledger, cluster.gateways, 6, timeout=20.0) as clients:
            clients.wait_for_more(BEFORE)
            for name, node in cluster.nodes.items():
                before = ledger.count
                node.stop_in_order()
                stopped = ledger.count
                node.start()
                clients.wait_for_more(AFTER)
                print(f"{name}: {stopped - before} deposits while it stopped, {ledger.count - stopped} until it was "
                      f"back; the longest wait so far was {clients.longest():.3f} s")
        cluster.wait_equal()
        for node in NODES:
            money, problems = check(ledger, cluster.gateways[node])
            assert not problems and not ledger.problems, (node, problems, ledger.problems)
            assert money > 0 and not any(ledger.unknown.values()), ledger.unknown
        assert clients.longest() < LONGEST_S, f"a client waited {clients.longest():.3f} s"
        for node in cluster.nodes.values():
            node.stop_in_order()


if __name__ == "__main__":
    run_tests(__doc__, [a_killed_node_and_a_lost_disk_cost_no_deposit, a_rolling_restart_fails_no_request])
