#!/usr/bin/env python3
"""A cluster of several nodes on one machine: `troupe init`, and `troupe up` with a process per node."""

import json
import os
import queue
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

from troupe_node import START_TIMEOUT_S, Connection, NodeDied, run_tests

NODES = ("n1", "n2", "n3")
OPEN = {"owner": "Ann", "currency": "EUR"}


def free_ports(count):
    """Ports of loopback that nobody has: the system picked them, and they were given back just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def manifest(folder):
    """Three nodes: one with the accounts, one with the inventory, one without a service."""
    services = {"n1": '["banking.v1.Accounts"]', "n2": '["commerce.v1.Inventory"]', "n3": "[]"}
    text = '[cluster]\nname = "test"\n\n[log]\nformat = "json"\n\n[service_defaults]\nreplication_factor = 1\n'
    for node, port in zip(NODES, free_ports(len(NODES))):
        text += f"""
[[nodes]]
name = "{node}"
mesh = "127.0.0.1:{port}"
gateway = "127.0.0.1:0"
admin = "127.0.0.1:0"
data = "{folder}/{node}"
services = {services[node]}
"""
    path = os.path.join(folder, "manifest.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def run(binary, *words):
    return subprocess.run([binary, *words], capture_output=True, text=True, timeout=60, check=False)


def identity(folder, node):
    with open(os.path.join(folder, node, "node.txt"), encoding="utf-8") as file:
        return file.read()


class Cluster:
    """A `troupe up` process with several nodes. What they log is read as it comes."""

    def __init__(self, binary, path, *options):
        self.process = subprocess.Popen(
            [binary, "up", path, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines = []  # of standard error
        self.table = []  # of standard output
        self.gateways = {}
        self._events = queue.Queue()  # (node, record), ("troupe", line), or None at the end
        threading.Thread(target=self._read, daemon=True).start()
        self._reader = threading.Thread(target=self._read_table, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            node, bar, rest = line.partition(" | ")
            if bar and rest.startswith("{"):
                self._events.put((node.strip(), json.loads(rest)))
            elif line.startswith("troupe: "):
                self._events.put(("troupe", line))
        self.process.stderr.close()
        self._events.put(None)

    def _read_table(self):
        for line in self.process.stdout:
            self.table.append(line.rstrip("\n"))
        self.process.stdout.close()

    def next_event(self, deadline):
        try:
            event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError(f"nothing happened in time; log: {self.lines[-8:]}") from None
        if event is None:
            raise NodeDied(f"'troupe up' ended with {self.process.wait()}; log: {self.lines[-8:]}")
        return event

    def wait_ready(self, nodes=NODES):
        deadline = time.monotonic() + START_TIMEOUT_S
        missing = set(nodes)
        while missing:
            node, what = self.next_event(deadline)
            if node == "troupe":
                continue
            if what["event"] == "node.listening":
                self.gateways[node] = what["fields"]["gateway"]
            if what["event"] == "node.ready":
                missing.discard(node)
        return self

    def wait_said(self, pattern):
        """The next line of `troupe up` itself that matches."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            node, what = self.next_event(deadline)
            if node == "troupe" and re.search(pattern, what):
                return what

    def pids(self):
        """As the table says; complete once a node is ready."""
        return {row.split()[0]: int(row.split()[-1]) for row in self.table if row.split()[:1] and row[0] == "n"}

    def call(self, node, method, path, body=None, key=None):
        connection = Connection(self.gateways[node])
        try:
            headers = {"Idempotency-Key": f'"{key}"'} if key else None
            return connection.call(method, path, body, headers)
        finally:
            connection.close()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(60)

    def stopped(self, node):
        """Whether the node wrote that it stopped in good order."""
        return any(line.startswith(node) and '"node.stopped"' in line for line in self.lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)  # its nodes get SIGTERM
            self.process.wait()


def a_cluster_is_created_once(binary, folder):
    path = manifest(folder)
    created = run(binary, "init", path, "--json")
    assert created.returncode == 0, created.stderr
    cluster = json.loads(created.stdout)["clusterId"]
    for node in NODES:
        assert identity(folder, node) == f"cluster test\nid {cluster}\nnode {node}\nmember founder\n"
    again = run(binary, "init", path)
    assert again.returncode == 1 and "FOLDER_TAKEN" in again.stderr and cluster in again.stderr, again
    assert identity(folder, "n1").split()[3] == cluster


def a_killed_node_is_named_and_the_others_go_on(binary, folder):
    path = manifest(folder)
    assert run(binary, "init", path).returncode == 0
    with Cluster(binary, path) as cluster:
        cluster.wait_ready()
        assert cluster.call("n1", "POST", "/v1/accounts/ann:open", OPEN).status == 200
        elsewhere = cluster.call("n3", "GET", "/v1/accounts/ann")
        assert elsewhere.status == 200, elsewhere.text  # asked of n1
        pids = cluster.pids()
        assert sorted(pids) == list(NODES), cluster.table
        assert f"troupe status --manifest {path}" in "\n".join(cluster.table)
        os.kill(pids["n2"], signal.SIGKILL)
        said = cluster.wait_said("by itself")
        assert f"n2 (pid {pids['n2']})" in said and "SIGKILL" in said and "running: n1, n3" in said, said
        assert f"troupe node {path} --name n2" in said, said
        assert cluster.call("n1", "GET", "/v1/accounts/ann").status == 200
        assert cluster.stop() == 1, cluster.lines[-5:]
        assert cluster.stopped("n1") and cluster.stopped("n3"), cluster.lines[-8:]
    # All of them again, and what was acknowledged is there.
    with Cluster(binary, path) as cluster:
        cluster.wait_ready()
        assert cluster.call("n1", "GET", "/v1/accounts/ann").status == 200
        assert cluster.stop(signal.SIGINT) == 0, cluster.lines[-5:]
        assert all(cluster.stopped(node) for node in NODES), cluster.lines[-8:]


def up_creates_a_cluster_in_empty_folders_only(binary, folder):
    path = manifest(folder)
    alone = run(binary, "node", path, "--name", "n1")
    assert alone.returncode == 1 and "FOLDER_EMPTY" in alone.stderr, alone
    with Cluster(binary, path) as cluster:
        cluster.wait_said("created the cluster test")
        cluster.wait_ready()
        assert cluster.stop() == 0, cluster.lines[-5:]
    before = identity(folder, "n1")
    shutil.rmtree(os.path.join(folder, "n2"))
    refused = run(binary, "up", path)
    assert refused.returncode == 1 and f"n2 ({folder}/n2) has no data" in refused.stderr, refused
    assert before.split()[3] in refused.stderr and not os.path.exists(os.path.join(folder, "n2")), refused
    # The others may run without it.
    with Cluster(binary, path, "--only", "n1,n3") as cluster:
        cluster.wait_ready(("n1", "n3"))
        assert cluster.stop() == 0, cluster.lines[-5:]


def nodes_stop_when_their_parent_is_killed(binary, folder):
    path = manifest(folder)
    with Cluster(binary, path) as cluster:
        cluster.wait_ready()
        ends = [os.pidfd_open(pid) for pid in cluster.pids().values()]
        assert len(ends) == len(NODES)
        cluster.process.send_signal(signal.SIGKILL)
        for end in ends:
            assert select.select([end], [], [], 60)[0], "a node runs on without its parent"
            os.close(end)
        cluster.process.wait()


TESTS = [
    a_cluster_is_created_once,
    a_killed_node_is_named_and_the_others_go_on,
    up_creates_a_cluster_in_empty_folders_only,
    nodes_stop_when_their_parent_is_killed,
]


if __name__ == "__main__":
    run_tests(__doc__, TESTS)
