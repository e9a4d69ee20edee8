"""Clusters of three nodes: their manifests, who leads what, and one `troupe node` process for each node."""

import http.client
import json
import os
import re
import select
import time

from troupe_node import Connection, Node, free_ports, run

NODES = ("n1", "n2", "n3")
ACCOUNTS = "banking.v1.Accounts"
INVENTORY = "commerce.v1.Inventory"
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


def manifest(folder, addresses=None, head="", services=None, replicas=3):
    """Default settings but for `head`. `services` of each node, or else the accounts on all of them;
    without `addresses` the system picks those that no other node has to know."""
    if addresses is None:
        addresses = {node: (f"127.0.0.1:{port}", "127.0.0.1:0", "127.0.0.1:0")
                     for node, port in zip(NODES, free_ports(len(NODES)))}
    text = f"""[cluster]
name = "test"

[log]
format = "json"

{head}

[service_defaults]
shards = 4
replication_factor = {replicas}
"""
    for node, (mesh, gateway, admin) in addresses.items():
        hosted = [ACCOUNTS] if services is None else services[node]
        text += f"""
[[nodes]]
name = "{node}"
mesh = "{mesh}"
gateway = "{gateway}"
admin = "{admin}"
data = "{folder}/{node}"
services = {json.dumps(hosted)}
"""
    path = os.path.join(folder, "manifest.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def identity(folder, node):
    with open(os.path.join(folder, node, "node.txt"), encoding="utf-8") as file:
        return file.read()


def ask_admin(address, page, timeout=5):
    """The JSON of an admin page. Raises OSError or HTTPException where nobody answers."""
    connection = Connection(address, timeout)
    try:
        return connection.call("GET", page).json()
    finally:
        connection.close()


def shards_at(admin, service=ACCOUNTS):
    """What the node says about its replicas, by shard's number; nothing if it does not answer."""
    try:
        listed = ask_admin(admin, "/v1/shards")["shards"]
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return {}
    return {shard["shard"]: shard for shard in listed if shard["service"] == service}


def leaders_of(admins):
    """Shard of the accounts -> the node that leads and serves it, as these nodes say."""
    found = {}
    for node, admin in admins.items():
        for number, shard in shards_at(admin).items():
            if shard["role"] == "leader" and shard["state"] == "serving":
                term, _ = found.get(number, (0, ""))
                if int(shard["term"]) > term:
                    found[number] = (int(shard["term"]), node)
    return {number: node for number, (_, node) in sorted(found.items())}


def leads_most(leaders):
    """The node that leads most shards, and these."""
    led = {node: [shard for shard, leader in leaders.items() if leader == node] for node in NODES}
    return max(led.items(), key=lambda one: len(one[1]))


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

    def leaders(self, nodes=None):
        return leaders_of({node: self.admins[node] for node in nodes or self.nodes})

    def wait_known(self, timeout=60):
        """Until every node knows that all of them are up, so that the directory knows what each can do."""
        began = time.monotonic()

        def states(admin):
            return [node.get("state") for node in ask_admin(admin, "/v1/directory")["table"].get("nodes", [])]

        while any(states(admin) != ["UP"] * len(self.admins) for admin in self.admins.values()):
            assert time.monotonic() - began < timeout, "the directory does not know all nodes"
            time.sleep(0.05)

    def differences(self):
        """What is not equal between the nodes: a shard without a leader, a replica that is behind."""
        listed = {node: shards_at(self.admins[node]) for node in self.nodes}
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
    return run(binary, *words).stdout
