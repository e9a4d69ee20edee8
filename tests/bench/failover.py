#!/usr/bin/env python3
"""Failover: from the loss of a leader to the next acknowledged write, beside etcd in the same run.

Three nodes each, default settings, on the disk that holds the scratch folder. While the leader is
lost, a new write is begun every 20 ms at the survivors in turn, each on a connection of its own; what
counts is the first acknowledgement of a write that was begun after the leader was gone. Troupe's time
is that of the last of the shards that the node led. `kill`: SIGKILL; `stop`: SIGSTOP; `mute`: nothing that it
sends reaches the other nodes; `deaf`: nothing of them reaches it; `idle`: SIGKILL after two seconds
without any request.
"""

import argparse
import asyncio
import base64
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

import netns  # noqa: E402
from certificates import make_certificates  # noqa: E402
from three_nodes import NODES, ThreeNodes, leads_most, manifest  # noqa: E402
from troupe_node import free_ports  # noqa: E402

EVERY_S = 0.02  # between two writes
BEFORE_S = 0.3  # of writes, before the loss
LIMIT_S = 30
POSITION = re.compile(r"Troupe-Position: \S+/(\d+)@")
GOALS = {"kill": (0.8, 1.5)}  # median and worst, in seconds
KINDS = ["kill", "stop", "mute", "deaf", "idle"]


async def ask(address, method, path, body, headers=()):
    """One request on a connection of its own: status, head and body, or None for whatever failed."""
    writer = None
    try:
        host, port = address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        text = json.dumps(body)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {address}", "Content-Type: application/json",
                 f"Content-Length: {len(text)}", "Connection: close", *headers]
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + text).encode())
        head, _, rest = (await reader.read()).decode().partition("\r\n\r\n")
        return int(head.split()[1]), head, rest
    except (OSError, IndexError, ValueError):
        return None
    finally:
        if writer:
            writer.close()


class Series:
    """Writes to one shard: one every 20 ms, at the given nodes in turn, whatever becomes of the others."""

    def __init__(self, write, nodes):
        self.write, self.nodes = write, nodes
        self.lost = None  # when the leader was gone
        self.done = asyncio.Event()
        self.acknowledged = 0
        self.first = None
        self.tasks = set()

    async def one(self, node):
        began = time.monotonic()
        if not await self.write(node):
            return
        self.acknowledged += 1
        if self.lost and began >= self.lost and not self.first:
            self.first = time.monotonic()
            self.done.set()

    async def run(self):
        turn = 0
        while not self.done.is_set():
            task = asyncio.ensure_future(self.one(self.nodes[turn % len(self.nodes)]))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            turn += 1
            await asyncio.sleep(EVERY_S)
        for task in self.tasks:
            task.cancel()


class Troupe:
    name = "Troupe"

    def __init__(self, binary, folder, lan):
        self.lan = lan
        ports = iter(free_ports(9))
        addresses = {node: tuple(f"{lan.nodes[node]}:{next(ports)}" for _ in range(3)) for node in NODES}
        head = make_certificates(binary, folder, NODES) if isinstance(lan, netns.Lan) else ""
        self.mode = f"fsync on a majority before every reply, {'TLS' if head else 'plain'} links"
        self.cluster = ThreeNodes(binary, manifest(folder, addresses, head), addresses, lan.prefix).start()
        self.number = 0
        self.keys = {}  # shard -> an account in it

    async def ready(self):
        self.cluster.wait_equal(LIMIT_S)
        number = 0
        while len(self.keys) < 4:
            answer = await ask(self.cluster.gateways[NODES[0]], "POST", f"/v1/accounts/a{number}:open",
                               {"owner": "a", "currency": "EUR"})
            assert answer and answer[0] == 200, answer
            self.keys.setdefault(int(POSITION.search(answer[1]).group(1)), f"a{number}")
            number += 1

    def leader(self):
        """The node that leads most, and writers to what it leads."""
        leader, led = leads_most(self.cluster.leaders())
        return leader, [self.writer(self.keys[shard]) for shard in led]

    def writer(self, account):
        async def write(node):
            self.number += 1
            answer = await ask(self.cluster.gateways[node], "POST", f"/v1/accounts/{account}:deposit",
                               {"amount": {"currency": "EUR", "minorUnits": "1"}},
                               [f'Idempotency-Key: "w-{self.number}"'])
            return answer is not None and answer[0] == 200
        return write

    def pid(self, node):
        return self.cluster.nodes[node].process.pid

    async def back(self, node):
        self.cluster.nodes[node].process.wait()
        self.cluster.nodes[node].spawn()

    def end(self):
        self.cluster.__exit__()


class Etcd:
    name = "etcd"
    mode = "fsync on a majority before every reply (its default)"

    def __init__(self, folder, lan):
        ports = iter(free_ports(6))
        self.peers = {node: f"{lan.nodes[node]}:{next(ports)}" for node in NODES}
        self.clients = {node: f"{lan.nodes[node]}:{next(ports)}" for node in NODES}
        self.folder, self.lan, self.processes = folder, lan, {}
        self.ids = {}

    def spawn(self, node):
        peers = ",".join(f"{name}=http://{peer}" for name, peer in self.peers.items())
        with open(os.path.join(self.folder, f"etcd-{node}.log"), "a", encoding="utf-8") as log:
            self.processes[node] = subprocess.Popen(
                [*self.lan.prefix(node), "etcd", "--name", node, "--data-dir", os.path.join(self.folder, f"etcd-{node}"),
                 "--listen-peer-urls", f"http://{self.peers[node]}",
                 "--initial-advertise-peer-urls", f"http://{self.peers[node]}",
                 "--listen-client-urls", f"http://{self.clients[node]}",
                 "--advertise-client-urls", f"http://{self.clients[node]}",
                 "--initial-cluster", peers, "--initial-cluster-state", "new", "--logger", "zap"],
                stdout=log, stderr=log)

    async def status(self, node):
        answer = await ask(self.clients[node], "POST", "/v3/maintenance/status", {})
        return json.loads(answer[2]) if answer and answer[0] == 200 else None

    async def ready(self):
        for node in NODES:
            if node not in self.processes:
                self.spawn(node)
        deadline = time.monotonic() + LIMIT_S
        while True:
            told = {node: await self.status(node) for node in NODES}
            if all(told.values()):
                self.ids = {one["header"]["member_id"]: node for node, one in told.items()}
                leaders = {one.get("leader", "0") for one in told.values()}
                indexes = [int(one.get("raftAppliedIndex", 0)) for one in told.values()]
                if len(leaders) == 1 and leaders != {"0"} and max(indexes) - min(indexes) < 2:
                    self.led_by = self.ids[leaders.pop()]
                    return
            assert time.monotonic() < deadline, f"etcd is not ready: {told}"
            await asyncio.sleep(0.05)

    def leader(self):
        return self.led_by, [self.write]

    async def write(self, node):
        key, value = (base64.b64encode(word).decode() for word in (b"account", b"x" * 100))
        answer = await ask(self.clients[node], "POST", "/v3/kv/put", {"key": key, "value": value})
        return answer is not None and answer[0] == 200

    def pid(self, node):
        return self.processes[node].pid

    async def back(self, node):
        self.processes[node].wait()
        self.spawn(node)

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def lose(system, lan, kind, leader):
    """Takes the leader away; returns when it is gone."""
    pid = system.pid(leader)
    if kind in ("kill", "idle"):
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    elif kind == "stop":
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED)
    for other in NODES:
        if other != leader and kind == "mute":
            lan.cut(leader, other)
        if other != leader and kind == "deaf":
            lan.cut(other, leader)


async def restore(system, lan, kind, leader):
    if kind in ("kill", "idle"):
        await system.back(leader)
    elif kind == "stop":
        os.kill(system.pid(leader), signal.SIGCONT)
    else:
        lan.heal()


async def attempt(system, lan, kind):
    """Seconds from the loss of the leader to the next write."""
    await system.ready()
    leader, writes = system.leader()
    survivors = [node for node in NODES if node != leader]
    series = [Series(write, survivors) for write in writes]
    if kind == "idle":
        await asyncio.sleep(2)
    running = [asyncio.ensure_future(one.run()) for one in series] if kind != "idle" else []
    while kind != "idle" and any(one.acknowledged < BEFORE_S / EVERY_S / 2 for one in series):
        await asyncio.sleep(0.01)
    began = time.monotonic()  # just before it: the figure is never too small
    lose(system, lan, kind, leader)
    lost = time.monotonic()
    for one in series:
        one.lost = lost
    running = running or [asyncio.ensure_future(one.run()) for one in series]
    try:
        await asyncio.wait_for(asyncio.gather(*(one.done.wait() for one in series)), LIMIT_S)
        return max(one.first for one in series) - began
    finally:
        for one in series:
            one.done.set()
        await asyncio.gather(*running)
        await restore(system, lan, kind, leader)


async def measure(systems, lan, kinds, tries, progress):
    found = {}
    for kind in kinds:
        for number in range(tries):
            for system in systems:
                seconds = await attempt(system, lan, kind)
                found.setdefault((kind, system.name), []).append(seconds)
                progress(f"{kind} {number + 1}/{tries} {system.name} {seconds:.3f} s")
    return found


def figures(found, kinds, systems):
    rows = []
    for kind in kinds:
        ours, other = found[kind, "Troupe"], found.get((kind, "etcd"))
        median, worst = statistics.median(ours), max(ours)
        row = {"kind": kind, "tries": len(ours), "median_s": round(median, 3), "worst_s": round(worst, 3),
               "least_s": round(min(ours), 3), "mode": systems[0].mode}
        if other:
            row |= {"etcd_median_s": round(statistics.median(other), 3), "etcd_worst_s": round(max(other), 3),
                    "ratio": round(statistics.median(other) / median, 2)}
        if kind in GOALS:
            row |= {"goal": "median under {} s, worst under {} s".format(*GOALS[kind]),
                    "met": median < GOALS[kind][0] and worst < GOALS[kind][1]}
        rows.append(row)
    return rows


def print_table(rows):
    print(f"{'loss':<6}{'tries':>6}{'median':>10}{'worst':>10}{'etcd median':>14}{'etcd worst':>12}{'ratio':>7}  goal")
    for row in rows:
        etcd = [f"{row['etcd_median_s']:.3f} s", f"{row['etcd_worst_s']:.3f} s", f"{row['ratio']:.1f}"] if "ratio" in row else ["-"] * 3
        goal = f"{row['goal']}: {'met' if row['met'] else 'MISSED'}" if "goal" in row else ""
        print(f"{row['kind']:<6}{row['tries']:>6}{row['median_s']:>8.3f} s{row['worst_s']:>8.3f} s{etcd[0]:>14}{etcd[1]:>12}{etcd[2]:>7}  {goal}")
    print(f"durability: {rows[0]['mode']}; etcd: {Etcd.mode}")


def main():
    parser = argparse.ArgumentParser(prog="./dev bench failover", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--tries", type=int, default=20, help="of each kind (default 20)")
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this loss; may be given again")
    parser.add_argument("--alone", action="store_true", help="without etcd")
    parser.add_argument("--scratch", default=os.path.join(ROOT, "build", "bench"), help="folder on the disk to use")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    kinds = options.kind or KINDS
    refused = netns.not_permitted()
    if not refused:
        netns.enter()
    elif {"mute", "deaf"} & set(kinds):
        print(f"failover: partitions are not measured: {refused}", file=sys.stderr)
        kinds = [kind for kind in kinds if kind not in ("mute", "deaf")]
    os.makedirs(options.scratch, exist_ok=True)
    binary = os.path.realpath(options.binary)

    def progress(line):
        print(f"  {line}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="failover-", dir=options.scratch) as folder:
        lan = netns.Loopback(NODES) if refused else netns.Lan(NODES)
        systems = []
        try:
            systems.append(Troupe(binary, folder, lan))
            if not options.alone:
                systems.append(Etcd(folder, lan))
            found = asyncio.run(measure(systems, lan, kinds, options.tries, progress))
            rows = figures(found, kinds, systems)
        finally:
            for system in systems:
                system.end()
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        print_table(rows)
    sys.exit(0 if all(row.get("met", True) for row in rows) else 1)


if __name__ == "__main__":
    main()
