#!/usr/bin/env python3
"""Growing and shrinking under load: what clients see while a fourth node joins three, and while one is drained.

Default settings, two services of four shards with three replicas each, on the disk that holds the scratch folder.
Clients deposit without pause but a short one between two requests, each over a connection of its own to one of the
first three nodes; who talks to the node that is drained goes to the next one when it is empty, before it is stopped.
A request fails if it is not answered with 200. The p99 while something goes on is held against that of before.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

from demo_four import SERVICES, voters_at, wait_spread  # noqa: E402
from three_nodes import NODES, ThreeNodes, loopback, manifest  # noqa: E402
from troupe_node import Node, free_ports, run  # noqa: E402


class Client:
    """Deposits into an account of its own, at one node."""

    def __init__(self, number, gateways, pause):
        self.number, self.gateways, self.pause = number, gateways, pause
        self.node = NODES[number % len(NODES)]
        self.stream = None
        self.samples = []  # (when it was answered, seconds, status or what went wrong)
        self.count = 0

    async def ask(self, path, body):
        text = json.dumps(body)
        self.count += 1
        if self.stream is None:
            host, port = self.gateways[self.node].rsplit(":", 1)
            self.stream = await asyncio.open_connection(host, int(port))
        reader, writer = self.stream
        writer.write((f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      f'Idempotency-Key: "c{self.number}-{self.count}"\r\nContent-Length: {len(text)}\r\n\r\n{text}').encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        await reader.readexactly(length)
        return int(head.split()[1])

    def move(self, node):
        self.node = node
        if self.stream:
            self.stream[1].close()
        self.stream = None

    async def run(self, over):
        status = await self.ask(f"/v1/accounts/c{self.number}:open", {"owner": "c", "currency": "EUR"})
        assert status == 200, status
        leaving = None
        while not over.is_set():
            if leaving != self.leaving and self.leaving == self.node:
                self.move(next(node for node in NODES if node != self.leaving))
            leaving = self.leaving
            began = time.monotonic()
            try:
                result = await asyncio.wait_for(
                    self.ask(f"/v1/accounts/c{self.number}:deposit", {"amount": {"currency": "EUR", "minorUnits": "1"}}), 30)
            except (OSError, EOFError, asyncio.TimeoutError) as failure:
                result = type(failure).__name__
                self.move(self.node)
            now = time.monotonic()
            self.samples.append((now, now - began, result))
            await asyncio.sleep(self.pause)

    leaving = None  # a node that all of them leave


def figures(clients, began, ended):
    samples = sorted(sample for client in clients for sample in client.samples if began <= sample[0] < ended)
    times = sorted(seconds for _, seconds, _ in samples)
    gaps = [later[0] - earlier[0] for earlier, later in zip(samples, samples[1:])]
    return {
        "seconds": ended - began,
        "requests": len(times),
        "failed": [result for _, _, result in samples if result != 200],
        "p50_ms": 1000 * statistics.median(times),
        "p99_ms": 1000 * times[int(0.99 * len(times))],
        "longest_ms": 1000 * times[-1],
        "longest_silence_ms": 1000 * max(gaps),
    }


async def measure(options, folder):
    addresses = loopback()
    path = manifest(folder, addresses, services={node: list(SERVICES) for node in NODES})
    cluster = ThreeNodes(options.binary, path, addresses).start()
    mesh, gateway, admin = (f"127.0.0.1:{port}" for port in free_ports(3))
    with open(path, encoding="utf-8") as file:
        text = file.read()
    four = os.path.join(folder, "four.toml")
    with open(four, "w", encoding="utf-8") as file:
        file.write(text + f'\n[[nodes]]\nname = "n4"\nmesh = "{mesh}"\ngateway = "{gateway}"\nadmin = "{admin}"\n'
                          f'data = "{folder}/n4"\nservices = {json.dumps(SERVICES)}\n')
    newcomer = Node(options.binary, four, [options.binary, "node", four, "--name", "n4"])
    over = asyncio.Event()
    clients = [Client(number, cluster.gateways, options.pause / 1000) for number in range(options.clients)]
    tasks = [asyncio.ensure_future(client.run(over)) for client in clients]
    admins = dict(cluster.admins)

    async def away(job, *words):
        return await asyncio.get_running_loop().run_in_executor(None, job, *words)

    def told(*words):
        ran = run(options.binary, *words)
        assert ran.returncode == 0, ran.stderr

    def grow():
        told("init", four, "--node", "n4", "--join")
        newcomer.start()
        admins["n4"] = admin
        wait_spread(admins, "n4")

    try:
        # Leaders are where they are to stay: a node counts as settled after ten seconds.
        await asyncio.sleep(options.warm)
        phases = {}

        async def phase(name, doing):
            began = time.monotonic()
            await doing()
            phases[name] = figures(clients, began, time.monotonic())

        await phase("before", lambda: asyncio.sleep(options.seconds))
        await phase("a fourth node joins", lambda: away(grow))
        moved = {node: voters_at(one) for node, one in admins.items()}
        await phase("four nodes", lambda: asyncio.sleep(options.seconds))
        await phase("n2 is drained", lambda: away(told, "drain", "n2", "--admin", admin))
        Client.leaving = "n2"
        await asyncio.sleep(1)
        await phase("n2 is stopped", lambda: away(cluster.nodes["n2"].stop_in_order))
        over.set()
        await asyncio.gather(*tasks)
        return phases, moved
    finally:
        for task in tasks:
            task.cancel()
        cluster.__exit__()
        newcomer.__exit__()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the troupe command")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--pause", type=float, default=10, help="of a client between two requests, in ms (default: 10)")
    parser.add_argument("--seconds", type=float, default=15, help="of each phase in which nothing is done (default: 15)")
    parser.add_argument("--warm", type=float, default=20, help="seconds before (default: 20)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.binary = os.path.realpath(options.binary)
    with tempfile.TemporaryDirectory(prefix="troupe-bench-", dir=os.path.dirname(options.binary)) as folder:
        phases, moved = asyncio.run(measure(options, folder))
    if options.json:
        print(json.dumps({"phases": phases, "replicas": moved}))
    else:
        print(f"{'phase':<20} {'s':>6} {'requests':>9} {'failed':>7} {'p50 ms':>8} {'p99 ms':>8} {'longest ms':>11}")
        for name, one in phases.items():
            print(f"{name:<20} {one['seconds']:6.1f} {one['requests']:9} {len(one['failed']):7} {one['p50_ms']:8.2f} "
                  f"{one['p99_ms']:8.2f} {one['longest_ms']:11.1f}")
        print("replicas after the fourth node came: " + ", ".join(f"{node} {count}" for node, count in moved.items()))
    grown, before, drained = phases["a fourth node joins"], phases["before"], phases["n2 is drained"]
    failed = sum(len(one["failed"]) for one in phases.values())
    print(f"failed requests: {failed} (goal: none); p99 while it joins: {grown['p99_ms'] / before['p99_ms']:.2f} times that of "
          f"before (goal: under 2); longest wait while n2 is drained: {drained['longest_ms']:.0f} ms (goal: under 100)",
          file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
