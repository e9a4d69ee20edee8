"""The third part of demo.sh: a fourth node comes under load, another is drained, stopped and removed."""

import re
import time

from three_nodes import leaders_of, shards_at
from troupe_node import free_ports, run

SERVICES = ("banking.v1.Accounts", "commerce.v1.Catalog", "commerce.v1.Inventory", "commerce.v1.Orders")


def fourth_manifest(path):
    """The manifest of the cluster with a fourth node beside the others; returns the path of the copy."""
    mesh, gateway, admin = free_ports(3)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text += f"""
[[nodes]]
name = "n4"
mesh = "127.0.0.1:{mesh}"
gateway = "127.0.0.1:{gateway}"
admin = "127.0.0.1:{admin}"
"""
    with open("four.toml", "w", encoding="utf-8") as file:
        file.write(text)
    return "four.toml", f"127.0.0.1:{gateway}", f"127.0.0.1:{admin}"


class Phase:
    """What clients see while something happens: requests that failed, and the longest wait."""

    def __init__(self, clients, ledger):
        self.clients, self.ledger = clients, ledger

    def __enter__(self):
        for client in self.clients.clients:
            client.longest = 0.0
        self.count, self.retries, self.began = self.ledger.count, self.ledger.retries, time.monotonic()
        return self

    def __exit__(self, kind, *_):
        if kind:
            return
        self.clients.wait_for_more(20)
        failed = self.ledger.retries - self.retries
        print(f"{self.ledger.count - self.count} deposits in {time.monotonic() - self.began:.1f} s; failed requests: "
              f"\033[1m{failed}\033[0m; the longest gap that a client saw: \033[1m{1000 * self.clients.longest():.0f} "
              f"ms\033[0m", flush=True)
        assert failed == 0, f"{failed} requests failed while nothing but planned work went on"


def shown(binary, *words):
    """Runs a command that has to succeed, and shows it."""
    print("$ troupe " + " ".join(words), flush=True)
    ran = run(binary, *words)
    text = re.sub(r"(?m)^troupe: ", "", ran.stderr) + ran.stdout
    assert ran.returncode == 0, text
    print(text.rstrip(), flush=True)


def voters_at(admin):
    """Replicas with a vote that the node has."""
    return sum(shard["role"] in ("leader", "follower")
               for service in SERVICES for shard in shards_at(admin, service).values())


def wait_spread(admins, newcomer):
    """Until the newcomer has its share of the replicas, and leads."""
    began = time.monotonic()
    share = sum(voters_at(admin) for admin in admins.values()) // len(admins)
    while True:
        leads = [shard for shard, node in leaders_of(admins).items() if node == newcomer]
        if voters_at(admins[newcomer]) >= share and leads:
            return time.monotonic() - began
        assert time.monotonic() - began < 120, f"{newcomer} has not got its share"
        time.sleep(0.2)


def story(binary, path, cluster, goes, newcomer, say):
    """Adds n4, whose process `newcomer` is to become, then gives up `goes`, a name and its process.
    `cluster`: the clients, their ledger, the nodes' gateways and their admin addresses."""
    clients, ledger, gateways, admins = cluster
    name, process = goes
    four, gateway, admin = fourth_manifest(path)
    say("9. Add a fourth node, while the clients go on")
    with Phase(clients, ledger):
        shown(binary, "init", four, "--node", "n4", "--join")
        print(f"$ troupe node {four} --name n4", flush=True)
        newcomer.command = [binary, "node", four, "--name", "n4"]
        newcomer.start()
        admins["n4"], gateways["n4"] = admin, gateway
        print(f"it has its share of leaders and replicas {wait_spread(admins, 'n4'):.1f} s after it was ready")
        clients.come("n4", gateway)
    shown(binary, "directory", "--admin", admin)

    say(f"10. Give {name} up: another keeps the directory instead; drain it, stop it, remove it")
    with Phase(clients, ledger):
        shown(binary, "control", "replace", name, "--by", "n4", "--admin", admin)
        shown(binary, "drain", name, "--admin", admin)
        clients.leave(name)  # as a load balancer has them do before a node stops
        del admins[name], gateways[name]
        process.stop_in_order()
        print(f"{name} is stopped")
        shown(binary, "remove", name, "--yes", name, "--admin", admin)
    shown(binary, "directory", "--admin", admin)
