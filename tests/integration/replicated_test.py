#!/usr/bin/env python3
"""Three nodes with three replicas of every shard, real processes: one is killed under load, and all are
restarted in turn under load; shards are split under load; another cluster is made of a backup."""

import os
import shutil
import signal
import time

from ledger_clients import Clients, Ledger, check, open_accounts
from metrics_page import check_metrics
from three_nodes import ACCOUNTS, INVENTORY, NODES, ThreeNodes, ask_admin, identity, loopback, manifest
from troupe_node import run, run_tests
from troupe_up import Cluster

SERVICES = {node: [ACCOUNTS, INVENTORY] for node in NODES}
SHARDS = 8  # of both
GROUPS = SHARDS + 1  # the directory is one, too
NAMES = [f"a{number}" for number in range(6)]
BEFORE, AFTER = 20, 20  # acknowledged deposits of each client
LONGEST_S = 5  # that a client waits for an answer; docs/operations.md says what was seen


def check_all(ledger, gateways, nodes):
    for node in nodes:
        money, problems = check(ledger, gateways[node])
        assert not problems and not ledger.problems, (node, problems, ledger.problems)
        assert money > 0 and not any(ledger.unknown.values()), ledger.unknown


def wait_until_it_votes(admin, timeout=60):
    """In every group that is here, as its own log says: then so does that of a majority."""
    deadline = time.monotonic() + timeout
    while any(shard["role"] not in ("leader", "follower") for shard in ask_admin(admin, "/v1/shards")["shards"]):
        assert time.monotonic() < deadline, ask_admin(admin, "/v1/shards")
        time.sleep(0.02)


def a_killed_node_and_a_lost_disk_cost_no_deposit(binary, folder):
    path = manifest(folder, services=SERVICES)
    assert run(binary, "init", path).returncode == 0
    with Cluster(binary, path) as cluster:
        cluster.wait_ready()
        ledger = Ledger(NAMES, seed=1)
        open_accounts(ledger, cluster.gateways)
        with Clients(ledger, cluster.gateways, 6) as clients:
            clients.wait_for_more(BEFORE)
            os.kill(cluster.pids()["n2"], signal.SIGKILL)
            clients.wait_for_more(AFTER)
        check_all(ledger, cluster.gateways, ("n1", "n3"))
        for node in ("n1", "n3"):
            check_metrics(cluster.admins[node])
        print(f"{ledger.count} deposits, the longest wait was {clients.longest():.3f} s")
        assert cluster.stop() == 1, cluster.lines[-5:]
    # Its disk is lost, too: it gets everything from the others, and another one may fail then.
    cluster_id = identity(folder, "n2").split("\nid ")[1].split("\n")[0]
    shutil.rmtree(os.path.join(folder, "n2"))
    made = run(binary, "init", path, "--node", "n2", "--id", cluster_id, "--replace")
    assert made.returncode == 0, made.stderr
    with Cluster(binary, path) as cluster:
        cluster.wait_ready(promoted=GROUPS)  # every replica of the one that lost its disk is to vote
        wait_until_it_votes(cluster.admins["n2"])
        os.kill(cluster.pids()["n1"], signal.SIGKILL)
        check_all(ledger, cluster.gateways, ("n2", "n3"))
        assert cluster.stop() == 1, cluster.lines[-5:]
    # All of them again: the one that was killed catches up, and asks like the others.
    with Cluster(binary, path) as cluster:
        cluster.wait_ready()
        check_all(ledger, cluster.gateways, ("n1",))
        assert cluster.stop() == 0, cluster.lines[-5:]


def a_rolling_restart_fails_no_request(binary, folder):
    addresses = loopback()
    ledger = Ledger(NAMES, seed=1)
    handed = 0
    with ThreeNodes(binary, manifest(folder, addresses), addresses).start() as cluster:
        cluster.wait_equal()
        open_accounts(ledger, cluster.gateways)
        with Clients(ledger, cluster.gateways, 6, timeout=20.0) as clients:
            clients.wait_for_more(BEFORE)
            for name, node in cluster.nodes.items():
                leads = name in cluster.leaders().values()
                before = ledger.count
                node.stop_in_order()
                stopped = ledger.count
                if leads:  # raises if it never came
                    node.wait_event("raft.hands_over")
                    handed += 1
                node.start()
                clients.wait_for_more(AFTER)
                print(f"{name}: {stopped - before} deposits while it stopped, {ledger.count - stopped} until it was "
                      f"back; the longest wait so far was {clients.longest():.3f} s")
        assert handed, "no node that was stopped led a shard"
        cluster.wait_equal()
        check_all(ledger, cluster.gateways, NODES)
        assert clients.longest() < LONGEST_S, f"a client waited {clients.longest():.3f} s"
        cluster.stop_in_order()


def a_split_fails_no_request(binary, folder):
    addresses = loopback()
    ledger = Ledger(NAMES, seed=1)
    with ThreeNodes(binary, manifest(folder, addresses), addresses).start() as cluster:
        cluster.wait_equal()
        cluster.wait_known()
        open_accounts(ledger, cluster.gateways)
        with Clients(ledger, cluster.gateways, 6, timeout=20.0) as clients:
            clients.wait_for_more(BEFORE)
            for number, node in enumerate(("n2", "n3")):
                shard = f"{ACCOUNTS}/{number}"
                made = run(binary, "split", shard, "--yes", shard, "--admin", addresses[node][2])
                assert made.returncode == 0, made.stderr
                clients.wait_for_more(AFTER)
        cluster.wait_equal()
        check_all(ledger, cluster.gateways, NODES)
        assert sorted(cluster.leaders()) == list(range(6)), cluster.leaders()
        print(f"{ledger.count} deposits around two splits, the longest wait was {clients.longest():.3f} s")
        assert clients.longest() < LONGEST_S, f"a client waited {clients.longest():.3f} s"
        cluster.stop_in_order()
        cluster.start()  # from what the data folders say
        cluster.wait_equal()
        check_all(ledger, cluster.gateways, NODES)
        cluster.stop_in_order()


def a_backup_under_load_becomes_another_cluster(binary, folder):
    addresses, backup, other = loopback(), os.path.join(folder, "backup"), os.path.join(folder, "other")
    ledger = Ledger(NAMES, seed=1)
    with ThreeNodes(binary, manifest(folder, addresses), addresses).start() as cluster:
        cluster.wait_equal()
        cluster.wait_known()
        open_accounts(ledger, cluster.gateways)
        shard = f"{ACCOUNTS}/1"
        made = run(binary, "split", shard, "--yes", shard, "--admin", addresses["n1"][2])
        assert made.returncode == 0, made.stderr
        with Clients(ledger, cluster.gateways, 4, timeout=20.0) as clients:
            clients.wait_for_more(BEFORE)
            with ledger.lock:
                before = {account: set(amounts) for account, amounts in ledger.acknowledged.items()}
            made = run(binary, "backup", "--to", backup, "--admin", addresses["n2"][2])
            assert made.returncode == 0, made.stderr
            clients.wait_for_more(2)
        cluster.stop_in_order()
    # What came after it began may be missing, nothing else.
    ledger.unknown = {account: ledger.acknowledged[account] - before[account] for account in NAMES}
    ledger.acknowledged = before
    ledger.seen = {account: (0, 0) for account in NAMES}  # so may what was read
    os.mkdir(other)
    path = manifest(other)
    restored = run(binary, "restore", path, "--from", backup)
    assert restored.returncode == 0, restored.stderr
    with Cluster(binary, path) as cluster:
        cluster.wait_ready()
        for node in NODES:
            money, problems = check(ledger, cluster.gateways[node])
            assert money > 0 and not problems, (node, problems)
        account = NAMES[0]
        amount = max(before[account])
        again = cluster.call("n2", "POST", f"/v1/accounts/{account}:deposit",
                             {"amount": {"currency": "EUR", "minorUnits": str(amount)}}, f"deposit-{amount}")
        assert again.status == 200 and again.headers.get("Idempotency-Replayed") == "true", again.text
        with Clients(ledger, cluster.gateways, 4, timeout=20.0) as clients:
            clients.wait_for_more(2)
        assert cluster.stop() == 0, cluster.lines[-5:]


if __name__ == "__main__":
    run_tests(__doc__, [
        a_killed_node_and_a_lost_disk_cost_no_deposit,
        a_rolling_restart_fails_no_request,
        a_split_fails_no_request,
        a_backup_under_load_becomes_another_cluster,
    ])
