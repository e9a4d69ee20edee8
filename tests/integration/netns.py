"""A network of its own for a test: one namespace per node and one for the test, joined by a bridge.

enter() starts the program again inside namespaces of network, mounts and processes that end with it,
whatever way it ends: links, mounts and processes that it made are gone then. Needs root, or a kernel
that lets everybody make user namespaces.
"""

import os
import shutil
import signal
import subprocess
import sys

CUTTING = """table ip cut {
  set from { type ipv4_addr; }
  chain in {
    type filter hook input priority 0
    ip saddr @from drop
  }
}"""
INSIDE = "TROUPE_TEST_NETNS"
KINDS = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def not_permitted():
    """Why there can be no namespaces here; empty: there can."""
    for tool in ("unshare", "nsenter", "ip", "nft", "tc"):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return f"'{tool}' is missing; run ./dev setup"
    return "" if words() else "this user may not make network namespaces (root may): " + refusal([])


def refusal(more):
    """What the system says when it is asked for namespaces, empty: it made them."""
    trial = ["ip", "link", "add", "name", "one", "type", "veth", "peer", "name", "other"]
    tried = subprocess.run(["unshare", *more, *KINDS, *trial], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else (tried.stderr.strip() or f"status {tried.returncode}")


def words():
    """The command that makes the namespaces, None: none does."""
    for more in ([], ["--user", "--map-root-user"]):
        if not refusal(more):
            return ["unshare", *more, *KINDS]
    return None


def enter():
    """Goes on inside new namespaces. Call it first, and only if not_permitted() says nothing."""
    if os.environ.get(INSIDE):
        return
    os.environ[INSIDE] = "1"
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    command = words()
    sys.stdout.flush()
    inside = subprocess.Popen([*command, sys.executable, *sys.argv])
    # unshare itself ignores SIGTERM; when it is killed, so is everything inside.
    signal.signal(signal.SIGTERM, lambda *_: inside.kill())
    while True:
        try:
            sys.exit(abs(inside.wait()))
        except KeyboardInterrupt:
            continue  # the one inside hears of it, too, and ends in good order


def do(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}"


class Loopback:
    """The same machine's network, for those who need no faults of it."""

    def __init__(self, nodes):
        self.nodes = {node: "127.0.0.1" for node in nodes}

    def prefix(self, _):
        return []


class Lan:
    """The nodes' network. This process is on it, too, and is never cut off."""

    def __init__(self, nodes):
        assert os.environ.get(INSIDE), "enter() first"
        self.nodes = {node: f"10.77.0.{number}" for number, node in enumerate(nodes, start=11)}
        os.makedirs("/run/netns", exist_ok=True)
        do("mount", "-t", "tmpfs", "tmpfs", "/run/netns")  # ours alone
        do("ip", "link", "set", "lo", "up")
        do("ip", "link", "add", "lan", "type", "bridge")
        do("ip", "addr", "add", "10.77.0.1/24", "dev", "lan")
        do("ip", "link", "set", "lan", "up")
        for node, address in self.nodes.items():
            do("ip", "netns", "add", node)
            do("ip", "link", "add", f"to-{node}", "type", "veth", "peer", "name", "eth0", "netns", node)
            do("ip", "link", "set", f"to-{node}", "master", "lan", "up")
            do("ip", "-n", node, "addr", "add", f"{address}/24", "dev", "eth0")
            do("ip", "-n", node, "link", "set", "eth0", "up")
            do("ip", "-n", node, "link", "set", "lo", "up")
            self.nft(node, CUTTING)

    def prefix(self, node):
        """Words before a command that runs as that node."""
        return ["nsenter", f"--net=/run/netns/{node}"]

    def nft(self, node, rules):
        do(*self.prefix(node), "nft", "-f", "-", text=rules)

    def cut(self, sender, receiver):
        """What one node sends does not come to the other any more."""
        self.nft(receiver, f"add element ip cut from {{ {self.nodes[sender]} }}")

    def cut_both(self, one, other):
        self.cut(one, other)
        self.cut(other, one)

    def slow(self, node, rate, wait):
        """Everything that the node sends goes through one narrow, buffered link (the kernel may have no
        netem): `rate` as "256kbit", and what would wait longer than `wait` ("400ms") is lost."""
        do("tc", "-n", node, "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate,
           "burst", "4kb", "latency", wait)

    def heal(self):
        for node in self.nodes:
            self.nft(node, "flush set ip cut from")
            shaped = subprocess.run(["tc", "-n", node, "qdisc", "show", "dev", "eth0"], capture_output=True, text=True)
            if "tbf" in shaped.stdout:
                do("tc", "-n", node, "qdisc", "del", "dev", "eth0", "root")
