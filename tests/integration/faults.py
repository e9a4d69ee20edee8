"""What goes wrong around three nodes, drawn from a seed: processes, links, a disk."""

import contextlib
import os
import signal

from three_nodes import NODES

SMALL_DISK = "n3"  # the node whose data folder is a file system of its own


class Faults:
    """Draws faults, makes them happen, and undoes all of them."""

    def __init__(self, cluster, lan, disk, random):
        self.cluster, self.lan, self.disk, self.random = cluster, lan, disk, random
        self.killed, self.stopped = [], []
        self.kinds = [self.kill, self.kill_leader, self.kill_all, self.stop, self.isolate, self.part, self.one_way,
                      self.mute, self.deaf, self.slow, self.fill_disk]
        self.bag = []

    def draw(self):
        """One fault, sometimes two at once; returns what was done, in words. Every kind comes before
        one comes again."""
        told = [self.next_kind()()]
        if self.random.random() < 0.3:
            told.append(self.next_kind()())
        return [words for words in told if words]

    def next_kind(self):
        if not self.bag:
            self.bag = self.random.sample(self.kinds, len(self.kinds))
        return self.bag.pop()

    def seconds(self):
        """For how long it lasts: short ones end during an election, long ones after it."""
        return self.random.choice([self.random.uniform(0.05, 0.6), self.random.uniform(0.6, 3.0)])

    def node(self):
        return self.random.choice(NODES)

    def others(self, node):
        return [other for other in NODES if other != node]

    def pid(self, node):
        return self.cluster.nodes[node].process.pid

    def kill(self, node=None):
        node = node or self.node()
        if node in self.killed or (node == SMALL_DISK and os.path.exists(self.ballast())):
            return ""  # a node that starts on a full disk may say so and end
        self.killed.append(node)
        self.cluster.nodes[node].kill()
        return f"kill {node}"

    def kill_leader(self):
        leaders = self.cluster.leaders(self.running())
        return self.kill(self.random.choice(sorted(leaders.values()))) if leaders else ""

    def kill_all(self):
        return ", ".join(filter(None, [self.kill(node) for node in NODES]))

    def running(self):
        return [node for node in NODES if node not in self.killed + self.stopped]

    def stop(self):
        node = self.node()
        if node not in self.running():
            return ""
        self.stopped.append(node)
        os.kill(self.pid(node), signal.SIGSTOP)
        return f"stop {node}"

    def isolate(self):
        node = self.node()
        for other in self.others(node):
            self.lan.cut_both(node, other)
        return f"isolate {node}"

    def part(self):
        one, other = self.random.sample(NODES, 2)
        self.lan.cut_both(one, other)
        return f"part {one} and {other}"

    def one_way(self):
        one, other = self.random.sample(NODES, 2)
        self.lan.cut(one, other)
        return f"cut {one} to {other}"

    def mute(self):
        node = self.node()
        for other in self.others(node):
            self.lan.cut(node, other)
        return f"mute {node}"

    def deaf(self):
        node = self.node()
        for other in self.others(node):
            self.lan.cut(other, node)
        return f"deafen {node}"

    def slow(self):
        node, rate = self.node(), self.random.choice(["64kbit", "256kbit", "1mbit"])
        self.lan.slow(node, rate, "400ms")
        return f"slow {node} to {rate}"

    def ballast(self):
        return os.path.join(self.disk, "ballast")

    def fill_disk(self):
        if SMALL_DISK in self.killed:
            return ""
        with open(self.ballast(), "wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)
        return f"fill the disk of {SMALL_DISK}"

    def heal(self):
        """Undoes everything; returns when all nodes run and are ready."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.ballast())
        self.lan.heal()
        for node in self.stopped:
            if node not in self.killed:
                os.kill(self.pid(node), signal.SIGCONT)
        for node in self.killed:
            self.cluster.nodes[node].spawn()
        for node in self.killed:
            self.cluster.nodes[node].wait_listening()
            self.cluster.nodes[node].wait_event("node.ready")
        self.killed, self.stopped = [], []
