"""Real nodes for integration tests: one process each, on loopback, on ports that the system picks."""

import argparse
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

START_TIMEOUT_S = 60


def run(binary, *words):
    return subprocess.run([binary, *words], capture_output=True, text=True, timeout=60, check=False)


def free_ports(count):
    """Ports of loopback that nobody has: the system picked them, and they were given back just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class NodeDied(Exception):
    """The process ended before it did what the test waits for."""


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.text = body.decode()

    def json(self):
        return json.loads(self.text)

    @property
    def reason(self):
        return self.json().get("reason", "") if self.text.startswith("{") else ""


class Connection:
    """One keep-alive HTTP connection. Raises OSError or HTTPException when the node is gone."""

    def __init__(self, address, timeout=20):
        host, port = address.rsplit(":", 1)
        self.http = http.client.HTTPConnection(host, int(port), timeout=timeout)

    def call(self, method, path, body=None, headers=None):
        all_headers = dict(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body)
            all_headers["Content-Type"] = "application/json"
        self.http.request(method, path, data, all_headers)
        response = self.http.getresponse()
        return Answer(response.status, response.headers, response.read())

    def close(self):
        self.http.close()


def manifest(folder, services="", storage="", extra="", node=""):
    """Writes the manifest of one node whose data lies in `folder`; returns its path."""
    path = os.path.join(folder, "manifest.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f"""
[cluster]
name = "test"

[[nodes]]
name = "n1"
mesh = "127.0.0.1:0"
gateway = "127.0.0.1:0"
admin = "127.0.0.1:0"
data = "{folder}/data"
{node}

[log]
format = "json"

[storage]
{storage}

[services."banking.v1.Accounts"]
shards = 4
replication_factor = 1
{services}
{extra}
"""
        )
    return path


class Node:
    """A `troupe up` process, or what `command` starts. Its JSON log lines are read as they come."""

    def __init__(self, binary, manifest_path, command=None):
        self.command = command or [binary, "up", manifest_path]
        self.process = None
        self.gateway = None
        self.admin = None
        self.grpc = None
        self.lines = []
        self._events = queue.Queue()

    def spawn(self):
        """Starts the process and returns at once."""
        self.gateway = self.admin = None
        self.lines = []
        self._events = queue.Queue()
        self.process = subprocess.Popen(
            self.command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process, self.lines, self._events), daemon=True).start()

    @staticmethod
    def _read(process, lines, events):
        for line in process.stderr:
            lines.append(line.rstrip("\n"))
            if line.startswith("{"):
                try:
                    events.put(json.loads(line))
                except ValueError:
                    pass
        process.stderr.close()
        events.put(None)

    def wait_event(self, name, timeout=START_TIMEOUT_S):
        """The next log record of that event. NodeDied if the process ends first."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError(f"no event {name} within {timeout} s; log: {self.lines[-5:]}") from None
            if event is None:
                raise NodeDied(f"ended with {self.process.wait()} before {name}; log: {self.lines[-5:]}")
            if event.get("event") == name:
                return event

    def wait_listening(self):
        event = self.wait_event("node.listening")
        self.gateway, self.admin = event["fields"]["gateway"], event["fields"]["admin"]
        self.grpc = event["fields"]["grpc"]

    def start(self):
        self.spawn()
        self.wait_listening()
        self.wait_event("node.ready")
        return self

    def kill(self):
        """SIGKILL, as the power switch would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=30):
        """Asks it to stop in good order; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def stop_in_order(self):
        """Asks it to stop; a status other than 0 is a failure that shows the last of the log."""
        status = self.stop()
        assert status == 0, f"SIGTERM ended the node with status {status}; log: {self.lines[-5:]}"

    def wait(self, timeout=30):
        return self.process.wait(timeout)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def connect(self, timeout=20):
        return Connection(self.gateway, timeout)

    def get(self, path):
        connection = self.connect()
        try:
            return connection.call("GET", path)
        finally:
            connection.close()

    def post(self, path, body, key=None):
        connection = self.connect()
        try:
            return connection.call("POST", path, body, {"Idempotency-Key": key} if key else {})
        finally:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.running():
            self.kill()


def scratch():
    return tempfile.TemporaryDirectory(prefix="troupe-test-")


def run_tests(description, tests):
    """The main() of a test program: runs the tests, each in a folder of its own, on `--binary`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--binary", required=True, help="the troupe command")
    parser.add_argument("names", nargs="*", help="tests to run; without names all of them")
    options = parser.parse_args()
    failed = 0
    for test in tests:
        if options.names and test.__name__ not in options.names:
            continue
        with scratch() as folder:
            try:
                test(options.binary, folder)
                print(f"passed  {test.__name__}", flush=True)
            except PermissionError as reason:
                print(f"skipped {test.__name__}: {reason}", flush=True)
            except Exception as failure:  # one failing test must not hide the others
                failed += 1
                print(f"FAILED  {test.__name__}: {type(failure).__name__}: {failure}", flush=True)
                traceback.print_exc(file=sys.stdout)
    sys.exit(1 if failed else 0)
