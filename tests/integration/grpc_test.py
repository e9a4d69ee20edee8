#!/usr/bin/env python3
"""A node before a client of gRPC that others wrote: @grpc/grpc-js, from npm."""

import os
import shutil
import subprocess
import time

import npm
from https_test import https, shown, trusting, write_certificate
from troupe_node import Node, manifest, run_tests

HERE = os.path.dirname(os.path.abspath(__file__))
GRPC = 'grpc = "127.0.0.1:0"'


def client(folder):
    """The client's folder, with what it needs of npm."""
    project = shutil.copytree(os.path.join(HERE, "grpc"), os.path.join(folder, "client"))
    npm.install(project)
    return project


def words(what, node, *more):
    return ["node", "client.js", what, node.grpc, os.path.dirname(os.path.dirname(HERE)), *more]


def agrees(project, what, node, *more):
    done = subprocess.run(words(what, node, *more), cwd=project, capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0 and done.stdout == "agrees\n", done.stdout + done.stderr


def a_foreign_client_agrees_with_a_node(binary, folder):
    project = client(folder)
    with Node(binary, manifest(folder, node=GRPC)).start() as node:
        agrees(project, "calls", node)
        # One key is one command, whichever way it comes.
        again = node.post("/v1/accounts/a:deposit", {"amount": {"currency": "EUR", "minorUnits": "500"}},
                          key="deposit-1")
        assert again.status == 200 and again.headers["Idempotency-Replayed"] == "true", again.text
        with subprocess.Popen(words("watch", node), cwd=project, stdout=subprocess.PIPE, text=True) as watcher:
            assert watcher.stdout.readline() == "SERVING\n"
            node.stop_in_order()
            assert watcher.stdout.read() == "NOT_SERVING\nUNAVAILABLE NODE_STOPPING\n"


def calls_are_secured_by_the_files_of_the_gateway(binary, folder):
    project = client(folder)
    certificate = write_certificate(folder)
    with Node(binary, manifest(folder, node=GRPC, extra=https(folder))).start() as node:
        agrees(project, "health", node, certificate)
        first = shown(node.grpc, trusting(certificate))
        assert first[:2] == ("TLSv1.3", "h2"), first
        write_certificate(folder)
        until = time.monotonic() + 30  # gRPC looks at the files every second
        while serial(node, certificate) in (None, first[2]):
            assert time.monotonic() < until, "the new certificate is not shown"
            time.sleep(0.05)
        agrees(project, "health", node, certificate)
        node.stop_in_order()


def serial(node, certificate):
    try:
        return shown(node.grpc, trusting(certificate))[2]
    except OSError:
        return None  # still the former certificate


if __name__ == "__main__":
    run_tests(__doc__, [a_foreign_client_agrees_with_a_node, calls_are_secured_by_the_files_of_the_gateway])
