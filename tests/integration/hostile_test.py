#!/usr/bin/env python3
"""Idle, slow and senseless clients at every port of a node, while honest ones go on to be served.

--large makes the crowds as large as the machine lets them be and prints more figures."""

import os
import random
import ssl
import sys
import time

from crowd import Attacker, Honest, Idle, attack, grpc_health, raise_descriptor_limit
from https_test import https, trusting, write_certificate
from metrics_page import check_metrics
from troupe_node import Connection, Node, free_ports, run, run_tests

LARGE = "--large" in sys.argv
IDLE = 10_000
SPARE_DESCRIPTORS = 1_500  # of this process and of the node, beside those of the idle ones
PHASE_S = 1.0  # header_timeout and body_timeout
HANDSHAKE_S = 10.0  # that TLS may take
LONGEST_S = 2.0  # that an honest client may wait; seen: a tenth of it


def write_manifest(folder, extra=""):
    """A node with all its ports open: of two, since one that is alone has no mesh."""
    mesh, other_mesh = free_ports(2)
    path = os.path.join(folder, "manifest.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""
[cluster]
name = "test"

[[nodes]]
name = "n1"
mesh = "127.0.0.1:{mesh}"
gateway = "127.0.0.1:0"
grpc = "127.0.0.1:0"
admin = "127.0.0.1:0"
data = "{folder}/n1"

[[nodes]]
name = "n2"
mesh = "127.0.0.1:{other_mesh}"
admin = "127.0.0.1:0"
data = "{folder}/n2"
roles = ["worker"]
services = []

[log]
format = "json"

[gateway]
connections = 16000
header_timeout = "{PHASE_S}s"
body_timeout = "{PHASE_S}s"

[service_defaults]
shards = 2
replication_factor = 1
{extra}
""".replace(f"{PHASE_S}s", f"{round(PHASE_S * 1000)}ms"))
    return path, f"127.0.0.1:{mesh}"


def start(binary, folder, extra="", limit=None):
    """With at most so many descriptors."""
    path, mesh = write_manifest(folder, extra)
    made = run(binary, "init", path, "--node", "n1")
    assert made.returncode == 0, made.stderr
    limited = ["prlimit", f"--nofile={limit}:{limit}"] if limit else []
    node = Node(binary, path, limited + [binary, "node", path, "--name", "n1"]).start()
    return node, mesh


def descriptors(node):
    return len(os.listdir(f"/proc/{node.process.pid}/fd"))


def resident(node):
    with open(f"/proc/{node.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def wait_until(what, condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def slow_ones(address, count):
    head = b"GET /v1/accounts/a HTTP/1.1\r\nHost: a\r\n"
    body = b"POST /v1/accounts/a:deposit HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"
    return ([Attacker("slow headers", address, b"", head + b"X: " + b"x" * 4000) for _ in range(count)] +
            [Attacker("slow body", address, body, b" " * 4000) for _ in range(count // 4)] +
            [Attacker("half a body", address, body) for _ in range(count // 2)] +
            [Attacker("half a line", address, head[:20]) for _ in range(count // 4)])


def client_hello():
    context = ssl.create_default_context()
    written = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), written, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return written.read()


def senseless_ones(addresses, count):
    generator = random.Random(7)
    words = {
        "random bytes": lambda: generator.randbytes(3000),
        "zeros": lambda: bytes(3000),
        "a hello of TLS": client_hello,
        "the preface of HTTP/2": lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + generator.randbytes(500),
        "HTTP/1.1": lambda: b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "a line without end": lambda: b"GET /" + b"a" * 200_000,
        "a frame without end": lambda: b"\xff\xff\xff\x7f" * 100,
    }
    return [Attacker(f"{name} at {port}", address, make())
            for port, address in addresses.items() for name, make in words.items() for _ in range(count)]


def check_slow(attackers):
    """Closed in time, and those that went on to send have been told."""
    for one in attackers:
        lasted = one.lasted()
        assert lasted is not None, f"{one.name}: not closed within {10 * PHASE_S} s"
        assert lasted < 2 * PHASE_S + LONGEST_S, f"{one.name}: closed after {lasted:.2f} s"
        if one.name.startswith("slow"):
            assert one.got.startswith(b"HTTP/1.1 408 "), (one.name, one.got[:60])


def service_goes_on_beside_hostile_clients(binary, folder):
    limit = raise_descriptor_limit()
    idle_count = min(IDLE, limit - SPARE_DESCRIPTORS)
    if idle_count < IDLE:
        print(f"  the hard limit of descriptors is {limit}: {idle_count} idle connections, not {IDLE}")
    times = 5 if LARGE else 1
    node, mesh = start(binary, folder)
    with node:
        assert node.post("/v1/accounts/a:open", {"owner": "o", "currency": "EUR"}).status == 200
        wait_until("gRPC does not serve", lambda: grpc_health(node.grpc) == 1)
        open_before, memory_before = descriptors(node), resident(node)
        ports = {"gateway": node.gateway, "admin": node.admin, "grpc": node.grpc, "mesh": mesh}
        slow = slow_ones(node.gateway, 200 * times) + slow_ones(node.admin, 8)
        senseless = senseless_ones(ports, 8 * times)
        with Honest(node.gateway, "a") as honest, Honest(node.gateway, "a") as other:
            idle = Idle(node.gateway, idle_count)
            wait_until("not all idle connections were taken", lambda: descriptors(node) > idle_count)
            per_connection = (resident(node) - memory_before) / idle_count
            began = time.monotonic()
            attack(slow + senseless, 10 * PHASE_S)
            took = time.monotonic() - began
            assert grpc_health(node.grpc) == 1
            admin = Connection(node.admin)
            assert admin.call("GET", "/readyz").status == 200
            admin.close()
            assert idle.still_open() == idle_count, "idle connections were closed early"
        check_slow(slow)
        for one in senseless:
            assert one.ended, f"{one.name}: not closed within {10 * PHASE_S} s; got {one.got[:60]}"
        longest = max(honest.longest, other.longest)
        assert check_metrics(node.admin) > 30
        print(f"  {idle_count} idle connections, {per_connection:.0f} bytes each; {len(slow)} slow ones, "
              f"{len(senseless)} senseless ones, all closed within {took:.1f} s; "
              f"{honest.answers + other.answers} honest requests, the longest wait {longest * 1000:.0f} ms")
        assert not honest.failures and not other.failures, (honest.failures[:3], other.failures[:3])
        assert longest < LONGEST_S
        idle.close()
        wait_until(f"{descriptors(node)} descriptors are open, {open_before} were", lambda:
                   descriptors(node) <= open_before + 8)
        # The allocator keeps what it got, for the next: who comes again and again costs no more.
        memory_after = resident(node)
        idle = Idle(node.gateway, idle_count)
        wait_until("not all idle connections were taken again", lambda: descriptors(node) > idle_count)
        memory_again = resident(node)
        idle.close()
        print(f"  memory: {memory_before >> 20} MiB before, {memory_after >> 20} MiB after, "
              f"{memory_again >> 20} MiB with as many once more")
        assert memory_again < memory_after + (8 << 20), (memory_before, memory_after, memory_again)
        node.stop_in_order()


def tls_does_not_make_it_worse(binary, folder):
    raise_descriptor_limit()
    context = trusting(write_certificate(folder))
    node, _ = start(binary, folder, https(folder))
    with node:
        def connect():
            connection = Connection(node.gateway)
            connection.http = http_client(node.gateway, context)
            return connection

        assert connect().call("POST", "/v1/accounts/a:open", {"owner": "o", "currency": "EUR"}).status == 200
        open_before, memory_before = descriptors(node), resident(node)
        count = 1000 if LARGE else 100
        with Honest(node.gateway, "a", connect) as honest:
            silent = Idle(node.gateway, 100)  # they never begin the handshake
            idle = Idle(node.gateway, count, lambda one: context.wrap_socket(one, server_hostname="localhost"))
            per_connection = (resident(node) - memory_before) / (count + 100)
            garbage = senseless_ones({"gateway": node.gateway}, 8)
            attack(garbage, HANDSHAKE_S + 2 if LARGE else 1)
            for one in garbage:
                assert one.ended or not LARGE, f"{one.name}: not closed within {HANDSHAKE_S + 2} s"
        print(f"  {count} idle connections with TLS, {per_connection:.0f} bytes each; {honest.answers} honest "
              f"requests, the longest wait {honest.longest * 1000:.0f} ms")
        assert not honest.failures, honest.failures[:3]
        assert honest.longest < LONGEST_S
        silent.close()
        idle.close()
        wait_until("descriptors are left open", lambda: descriptors(node) <= open_before + 8)
        node.stop_in_order()


def clients_do_not_take_the_last_descriptors(binary, folder):
    """Far more connections than the process may have: files can be made, peers be reached, and the doors open
    again when the crowd is gone."""
    raise_descriptor_limit()
    limit = 600
    node, _ = start(binary, folder, limit=limit)
    with node:
        assert any("node.few_descriptors" in line for line in node.lines), node.lines
        assert node.post("/v1/accounts/a:open", {"owner": "o", "currency": "EUR"}).status == 200
        wait_until("gRPC does not serve", lambda: grpc_health(node.grpc) == 1)
        kept = Connection(node.gateway)
        assert kept.call("GET", "/v1/accounts/a").status == 200
        for door in (node.grpc, node.gateway, node.admin):
            crowd = Idle(door, 2 * limit, some=True)
            wait_until("the crowd is not there", lambda: descriptors(node) > limit * 7 / 8 - 8)
            answer = kept.call("POST", "/v1/accounts/a:deposit", {"amount": {"currency": "EUR", "minorUnits": "1"}})
            assert answer.status == 200, answer.text
            assert descriptors(node) < limit * 7 / 8 + 8, descriptors(node)
            crowd.close()
            wait_until("descriptors are left open", lambda: descriptors(node) < limit / 4)
        assert grpc_health(node.grpc) == 1
        assert node.get("/v1/accounts/a").status == 200
        assert any("network.descriptors_scarce" in line for line in node.lines)
        assert not any("Too many open files" in line for line in node.lines), node.lines[-5:]
        node.stop_in_order()


def http_client(address, context):
    import http.client
    host, port = address.rsplit(":", 1)
    return http.client.HTTPSConnection(host, int(port), timeout=20, context=context)


if __name__ == "__main__":
    if LARGE:
        sys.argv.remove("--large")
    run_tests(__doc__, [service_goes_on_beside_hostile_clients, tls_does_not_make_it_worse,
                        clients_do_not_take_the_last_descriptors])
