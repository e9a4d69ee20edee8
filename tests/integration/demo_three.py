#!/usr/bin/env python3
"""The second part of demo.sh: three nodes, one killed under load, and what its clients saw of it; then demo_four."""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
import tomllib

import demo_four
from ledger_clients import Clients, Ledger, check, open_accounts
from three_nodes import ACCOUNTS, NODES, ask_admin, example_manifest, leaders_of, leads_most, troupe, watch_end
from troupe_node import Node, run
from troupe_up import Cluster

CLIENTS = 8


def say(words):
    print(f"\n\033[1m{words}\033[0m", flush=True)


def print_rows(text, wanted):
    """A table's head and its lines that match."""
    lines = text.splitlines()
    kept = [line for line in lines[1:] if re.search(wanted, line)]
    print("\n".join(lines[:1] + kept), flush=True)


def applied(admin):
    return {(s["service"], s["shard"]): int(s["appliedIndex"]) for s in ask_admin(admin, "/v1/shards")["shards"]}


def wait_caught_up(admins, node):
    """Until the node has everything that another one has now."""
    began = time.monotonic()
    other = next(name for name in NODES if name != node)
    goal = applied(admins[other])
    while any(index < goal[shard] for shard, index in applied(admins[node]).items()):
        assert time.monotonic() - began < 60, f"{node} did not catch up"
        time.sleep(0.05)
    return time.monotonic() - began


def story(binary):
    path = "three.toml"
    example_manifest(".")
    with open(path, "rb") as file:
        nodes = tomllib.load(file)["nodes"]
    gateways = {node["name"]: node["gateway"] for node in nodes}
    admins = {node["name"]: node["admin"] for node in nodes}

    say("6. Three nodes, three copies of every shard")
    print(f"$ troupe init {path}\n$ troupe up {path}")
    created = run(binary, "init", path)
    assert created.returncode == 0, created.stderr
    with Cluster(binary, path) as cluster, Node(binary, path) as returning, Node(binary, path) as newcomer:
        cluster.wait_ready()
        print("\n".join(cluster.table[:4]))
        deadline = time.monotonic() + 60
        while len(leaders := leaders_of(admins)) < 4:
            assert time.monotonic() < deadline, f"not every shard is led: {leaders}"
            time.sleep(0.05)
        ledger = Ledger([f"account-{number}" for number in range(16)], seed=1)
        open_accounts(ledger, gateways)

        say(f"7. {CLIENTS} clients pay in and read, at all nodes; then: kill -9 of a node that leads")
        with Clients(ledger, gateways, CLIENTS, timeout=5.0) as clients:
            clients.wait_for_more(100)
            victim, led = leads_most(leaders_of(admins))
            pid = cluster.pids()[victim]
            wait_end = watch_end(pid)
            before = ledger.count
            print(f"{victim} leads {len(led)} of 4 shards of {ACCOUNTS}\n$ kill -9 {pid}    # {victim}", flush=True)
            for client in clients.clients:
                client.longest = 0.0
            os.kill(pid, signal.SIGKILL)
            assert wait_end(), "the node lives on"
            clients.wait_for_more(100)
            longest = clients.longest()
            after = ledger.count - before
            print(f"{before} deposits acknowledged before, {after} since; the longest that a client waited: "
                  f"\033[1m{longest:.2f} s\033[0m")
            print(f"$ troupe status --manifest {path}")
            print(troupe(binary, "status", "--manifest", path).split("\n\n")[0])
            print(f"$ troupe shards --manifest {path} | grep leader")
            print_rows(troupe(binary, "shards", "--manifest", path), f"{ACCOUNTS} .* leader")

            say(f"8. Start {victim} again while the clients go on")
            print(f"$ troupe node {path} --name {victim}")
            returning.command = [binary, "node", path, "--name", victim]
            returning.start()
            print(f"it is ready, and has caught up {wait_caught_up(admins, victim):.2f} s later")
            clients.wait_for_more(20)

            demo_four.story(binary, path, (clients, ledger, gateways, admins), (victim, returning), newcomer, say)

        say("11. What the clients were told, and what is there")
        for node in sorted(gateways):
            money, problems = check(ledger, gateways[node])
            assert not problems and not ledger.problems, (problems + ledger.problems)[:5]
            print(f"{node} says: {money / 100:,.2f} EUR in {len(ledger.accounts)} accounts")
        unknown = sum(map(len, ledger.unknown.values()))
        print(f"{ledger.count} deposits acknowledged: each is there once. {unknown} without an answer in the end: "
              f"at most once.\n{ledger.retries} requests were repeated at another node, when {victim} was killed; "
              f"{ledger.replayed} had run and got their answer. {ledger.reads} reads: none went back in time.")

        say("12. Stop in good order")
        newcomer.stop_in_order()
        assert cluster.stop() == 1, cluster.lines[-5:]  # it has seen one of its nodes killed
        assert all(cluster.stopped(node) for node in NODES if node != victim), cluster.lines[-8:]
    print("stopped; nothing is left running")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="the troupe command")
    binary = os.path.realpath(parser.parse_args().binary)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="troupe-demo-") as folder:
        os.chdir(folder)
        try:
            story(binary)
        except KeyboardInterrupt:
            sys.exit(130)
        except Exception as failure:
            sys.exit(f"demo: {type(failure).__name__}: {failure}")
        finally:
            os.chdir("/")


if __name__ == "__main__":
    main()
