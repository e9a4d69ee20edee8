"""A `troupe up` process with several nodes, each a process of its own under it."""

import json
import queue
import re
import signal
import subprocess
import threading
import time

from three_nodes import NODES
from troupe_node import START_TIMEOUT_S, Connection, NodeDied


class Cluster:
    """A `troupe up` process with several nodes. What they log is read as it comes."""

    def __init__(self, binary, path, *options):
        self.process = subprocess.Popen(
            [binary, "up", path, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines = []  # of standard error
        self.table = []  # of standard output
        self.gateways = {}
        self.admins = {}
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

    def wait_ready(self, nodes=NODES, promoted=0):
        """Until these nodes are ready, and so many replicas that were taken in vote."""
        deadline = time.monotonic() + START_TIMEOUT_S
        missing = set(nodes)
        while missing or promoted > 0:
            node, what = self.next_event(deadline)
            if node == "troupe":
                continue
            if what["event"] == "node.listening":
                self.gateways[node] = what["fields"]["gateway"]
                self.admins[node] = what["fields"]["admin"]
            if what["event"] == "node.ready":
                missing.discard(node)
            promoted -= what["event"] == "raft.members_change" and what["message"].endswith("becomes a voter")
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
