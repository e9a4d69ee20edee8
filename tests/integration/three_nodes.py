"""Three nodes that replicate every shard, one `troupe node` process each: start, look, end."""

import http.client
import json
import os
import re
import select
import subprocess
import time

from several_test import NODES, free_ports, run
from troupe_node import Connection, Node

EXAMPLE = os.path.join(os.path.dirname(__file__), "..", "..", "config", "examples", "three.toml")


def example_manifest(folder):
    """config/examples/three.toml with ports that are free here; returns the path of the copy."""
    with open(EXAMPLE, encoding="utf-8") as file:
        text = file.read()
    ports = iter(free_ports(3 * len(NODES)))
    text = re.sub(r'"127\.0\.0\.1:\d+"', lambda _: f'"127.0.0.1:{next(ports)}"', text)
    path = os.path.join(folder, "three.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def loopback():
    """Addresses for each node: (mesh, gateway, admin)."""
    ports = iter(free_ports(3 * len(NODES)))
    return {node: tuple(f"127.0.0.1:{next(ports)}" for _ in range(3)) for node in NODES}


def manifest(folder, addresses, head="", shards=4, data="{folder}/{node}"):
    """Default settings but for `head`, accounts only. `data`: each node's folder."""
    text = f"""[cluster]
name = "test"

[log]
format = "json"

{head}

[services."banking.v1.Accounts"]
shards = {shards}
replication_factor = 3
"""
    for node, (mesh, gateway, admin) in addresses.items():
        text += f"""
[[nodes]]
name = "{node}"
mesh = "{mesh}"
gateway = "{gateway}"
admin = "{admin}"
data = "{data.format(folder=folder, node=node)}"
services = ["banking.v1.Accounts"]
"""
    path = os.path.join(folder, "manifest.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def ask_admin(address, page, timeout=5):
    """The JSON of an admin page. Raises OSError or HTTPException where nobody answers."""
    connection = Connection(address, timeout)
    try:
        return connection.call("GET", page).json()
    finally:
        connection.close()


def watch_end(pid):
    """Returns a function that waits until that process has ended; of a process that is no child."""
    handle = os.pidfd_open(pid)

    def wait(timeout=60):
        ended = bool(select.select([handle], [], [], timeout)[0])
        if ended:
            os.close(handle)
        return ended

    return wait


class ThreeNodes:
    """`addresses`: name -> (mesh, gateway, admin). `prefix(node)`: words before the command."""

    def __init__(self, binary, path, addresses, prefix=lambda node: []):
        self.binary, self.path, self.addresses = binary, path, addresses
        self.gateways = {node: of_node[1] for node, of_node in addresses.items()}
        self.admins = {node: of_node[2] for node, of_node in addresses.items()}
        identity = []  # as on several machines: the first node's folder draws it
        for node in addresses:
            created = run(binary, "init", path, "--node", node, *identity, "--json")
            assert created.returncode == 0, created.stderr
            identity = ["--id", json.loads(created.stdout)["clusterId"]]
        self.nodes = {
            node: Node(binary, path, [*prefix(node), binary, "node", path, "--name", node]) for node in addresses
        }

    def start(self, names=None):
        try:
            for name in names or self.nodes:
                self.nodes[name].spawn()
            for name in names or self.nodes:
                self.nodes[name].wait_listening()
                self.nodes[name].wait_event("node.ready")
        except BaseException:
            self.__exit__()  # nobody else would end those that run
            raise
        return self

    def shards(self, node):
        """What the node says about its replicas, by shard's number; nothing if it does not answer."""
        try:
            listed = ask_admin(self.admins[node], "/v1/shards")["shards"]
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return {}
        return {shard["shard"]: shard for shard in listed}

    def leaders(self, nodes=None):
        """Shard -> the node that leads and serves it, as the nodes (or those named) say."""
        found = {}
        for node in nodes or self.nodes:
            for number, shard in self.shards(node).items():
                if shard["role"] == "leader" and shard["state"] == "serving":
                    term, _ = found.get(number, (0, ""))
                    if int(shard["term"]) > term:
                        found[number] = (int(shard["term"]), node)
        return {number: node for number, (_, node) in sorted(found.items())}

    def differences(self):
        """What is not equal between the nodes: a shard without a leader, a replica that is behind."""
        listed = {node: self.shards(node) for node in self.nodes}
        silent = [node for node, shards in listed.items() if not shards]
        if silent:
            return [f"{node} does not answer" for node in silent]
        wrong = []
        for number in listed[NODES[0]]:
            replicas = {node: shards[number] for node, shards in listed.items()}
            leading = [node for node, one in replicas.items() if one["state"] == "serving"]
            applied = {node: int(one["appliedIndex"]) for node, one in replicas.items()}
            committed = max(int(one["commitIndex"]) for one in replicas.values())
            if len(leading) != 1:
                wrong.append(f"shard {number}: led by {leading or 'nobody'}")
            if set(applied.values()) != {committed}:
                wrong.append(f"shard {number}: applied {applied}, committed {committed}")
        return wrong

    def wait_equal(self, timeout=60):
        """Until every replica has all that is committed; returns the seconds. Nobody may write."""
        began = time.monotonic()
        while wrong := self.differences():
            assert time.monotonic() - began < timeout, f"after {timeout} s: {wrong}"
            time.sleep(0.05)
        return time.monotonic() - began

    def stop_in_order(self):
        for node in self.nodes.values():
            node.stop_in_order()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes.values():
            if node.running():
                node.kill()


def troupe(binary, *words):
    """Runs a command of which the output is shown; its status may say that a node does not answer."""
    return subprocess.run([binary, *words], capture_output=True, text=True, timeout=60, check=False).stdout
