#!/usr/bin/env python3
"""Real nodes with TLS, one network namespace each, under faults that a seed draws and clients that retry.

SIGKILL, SIGSTOP, partitions of every kind, slow links and a full disk, one or two at a time; after each
the faults are undone, and every client must be served again within a bound. In the end every
acknowledged deposit must be there once, every unknown one at most once, no read may have gone back in
time, the money must add up, and all replicas must hold the same rows.

Ten minutes by hand: tests/integration/faults_test.py --binary build/release/bin/troupe --seconds 600
"""

import argparse
import glob
import json
import os
import random
import re
import signal
import sqlite3
import sys
import time

import netns
from certificates import make_certificates
from faults import SMALL_DISK, Faults
from ledger_clients import Clients, Ledger, check, open_accounts
from three_nodes import NODES, ThreeNodes, manifest
from troupe_node import scratch

SKIPPED = 77  # as CMakeLists.txt tells ctest
LIVENESS_S = 20  # from the end of the faults to an answer for every client
# Small files, so that cuts, checkpoints and files for replicas that lag happen too.
HEAD = """
[storage]
segment_bytes = "1MiB"
reserve_bytes = "4MiB"
checkpoint_wal_bytes = "1MiB"
checkpoint_entries = 2000
log_segments = 2
"""


def rows_of(folder):
    """What a node's shard files hold, by shard; the log's indexes differ with who stopped first."""
    newest = {}
    for path in glob.glob(os.path.join(folder, "shards", "*.db")):
        shard, generation = re.fullmatch(r"(.+)\.g(\d+)\.db", os.path.basename(path)).groups()
        newest[shard] = max(newest.get(shard, (0, "")), (int(generation), path))
    held = {}
    for shard, (_, path) in sorted(newest.items()):
        database = sqlite3.connect(path)
        meta = database.execute("SELECT identity, time_ms, chain, entities FROM meta").fetchall()
        held[shard] = meta + database.execute("SELECT * FROM rows ORDER BY 1, 2, 3, 4").fetchall()
        database.close()
    return held


def compare_replicas(folders):
    held = {node: rows_of(folder) for node, folder in folders.items()}
    first = held[NODES[0]]
    problems = [] if first else ["there are no shard files"]
    for node, other in held.items():
        for shard in first.keys() | other.keys():
            ours, theirs = first.get(shard, []), other.get(shard, [])
            if ours != theirs:
                apart = next((pair for pair in zip(ours, theirs) if pair[0] != pair[1]), "one has more")
                problems.append(f"{shard} of {NODES[0]} ({len(ours)} rows) and {node} ({len(theirs)}) differ: {apart}"[:600])
    return problems, sum(map(len, first.values()))


class Run:
    def __init__(self, options, seed):
        self.options, self.random = options, random.Random(seed)
        self.ledger = Ledger([f"a{number}" for number in range(24)], self.random.random())
        self.rounds, self.slowest = [], 0.0
        self.problems = []

    def tell(self, line):
        if not self.options.json:
            print(line, flush=True)

    def round(self, faults, clients, began):
        time.sleep(self.random.uniform(0.0, 0.5))  # a moment that knows nothing of the nodes
        told = ", ".join(faults.draw()) or "nothing"
        for_seconds = faults.seconds()
        time.sleep(for_seconds)
        faults.heal()
        healed = clients.wait_for_more(1, LIVENESS_S)
        self.slowest = max(self.slowest, healed)
        self.rounds.append({"faults": told, "seconds": round(for_seconds, 2), "served_after_s": round(healed, 2)})
        self.tell(f"  {time.monotonic() - began:5.0f} s  {told}, for {for_seconds:.2f} s; all served again after "
                  f"{healed:.2f} s; {self.ledger.count} acknowledged")

    def under_faults(self, cluster, faults):
        began = time.monotonic()
        with Clients(self.ledger, cluster.gateways, self.options.clients, pause=0.02, timeout=1.0, patience=0.95) as clients:
            clients.wait_for_more(2, LIVENESS_S)
            while time.monotonic() - began < self.options.seconds:
                self.round(faults, clients, began)
                ended = [node for node, one in cluster.nodes.items() if not one.running()]
                assert not ended, f"{ended} ended by itself: {cluster.nodes[ended[0]].lines[-3:]}"
        self.longest = clients.longest()

    def end(self, cluster, folders):
        """The checks of the end; the nodes are stopped."""
        self.caught_up = cluster.wait_equal()
        money = set()
        for node in NODES:
            found, problems = check(self.ledger, cluster.gateways[node])
            money.add(found)
            self.problems += problems
        if len(money) != 1:
            self.problems.append(f"the nodes tell of different sums: {money}")
        for node in cluster.nodes.values():  # all at once: who is left would elect and write
            node.process.send_signal(signal.SIGTERM)
        for name, node in cluster.nodes.items():
            if status := node.wait(60):
                self.problems.append(f"SIGTERM ended {name} with status {status}: {node.lines[-3:]}")
        problems, self.rows = compare_replicas(folders)
        self.problems += problems

    def run(self, binary, folder):
        lan = netns.Lan(NODES)
        folders = {node: os.path.join(folder, node) for node in NODES}
        for path in folders.values():
            os.mkdir(path)
        netns.do("mount", "-t", "tmpfs", "-o", self.options.disk, "tmpfs", folders[SMALL_DISK])
        addresses = {node: (f"{ip}:7400", f"{ip}:8080", f"{ip}:7480") for node, ip in lan.nodes.items()}
        head = HEAD + make_certificates(binary, folder, NODES)
        try:
            with ThreeNodes(binary, manifest(folder, addresses, head), addresses, lan.prefix).start() as cluster:
                cluster.wait_equal()
                open_accounts(self.ledger, cluster.gateways)
                self.under_faults(cluster, Faults(cluster, lan, folders[SMALL_DISK], self.random))
                self.end(cluster, folders)
        finally:
            netns.do("umount", folders[SMALL_DISK])
        self.problems += self.ledger.problems

    def figures(self, seed):
        ledger = self.ledger
        return {"seed": seed, "rounds": self.rounds, "acknowledged": ledger.count,
                "unknown": sum(map(len, ledger.unknown.values())), "reads": ledger.reads, "retries": ledger.retries,
                "replayed": ledger.replayed, "rows": self.rows, "longest_wait_s": round(self.longest, 2),
                "slowest_served_after_s": round(self.slowest, 2), "problems": self.problems}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the troupe command")
    parser.add_argument("--seconds", type=float, default=15, help="of faults (default 15)")
    parser.add_argument("--seed", type=int, help="of faults and requests; drawn and printed without one")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--disk", default="size=512m", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if refused := netns.not_permitted():
        print(f"skipped: {refused}")
        sys.exit(SKIPPED)
    netns.enter()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**32)
    run = Run(options, seed)
    run.tell(f"faults for {options.seconds:.0f} s, {options.clients} clients, seed {seed}")
    with scratch() as folder:
        try:
            run.run(os.path.realpath(options.binary), folder)
        except Exception as failure:
            sys.exit(f"FAILED {type(failure).__name__}: {failure}\nreplay with --seed {seed} --seconds {options.seconds:g}")
    figures = run.figures(seed)
    if options.json:
        print(json.dumps(figures, indent=2))
    run.tell("{acknowledged} acknowledged, {unknown} unknown, {reads} reads, {retries} retries, {replayed} answered from "
             "memory; {rows} equal rows on every node; longest wait {longest_wait_s} s".format(**figures))
    if run.ledger.count == 0 or run.ledger.retries == 0:
        run.problems.append("the faults hit nobody: the test tested nothing")
    for problem in run.problems[:20]:
        print(f"FAILED {problem}", file=sys.stderr)
    if run.problems:
        sys.exit(f"replay with --seed {seed} --seconds {options.seconds:g}")


if __name__ == "__main__":
    main()
