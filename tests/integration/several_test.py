#!/usr/bin/env python3
"""A cluster of several nodes on one machine: `troupe init`, and `troupe up` with a process per node."""

import json
import os
import shutil
import signal

from three_nodes import ACCOUNTS, INVENTORY, NODES, identity, watch_end
from three_nodes import manifest as manifest_of
from troupe_node import run, run_tests
from troupe_up import Cluster

OPEN = {"owner": "Ann", "currency": "EUR"}


def manifest(folder):
    """Three nodes: one with the accounts, one with the inventory, one without a service."""
    return manifest_of(folder, services={"n1": [ACCOUNTS], "n2": [INVENTORY], "n3": []}, replicas=1)


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
        ends = [watch_end(pid) for pid in cluster.pids().values()]
        assert len(ends) == len(NODES)
        cluster.process.send_signal(signal.SIGKILL)
        assert all(ended() for ended in ends), "a node runs on without its parent"
        cluster.process.wait()


TESTS = [
    a_cluster_is_created_once,
    a_killed_node_is_named_and_the_others_go_on,
    up_creates_a_cluster_in_empty_folders_only,
    nodes_stop_when_their_parent_is_killed,
]


if __name__ == "__main__":
    run_tests(__doc__, TESTS)
