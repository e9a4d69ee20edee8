#!/usr/bin/env python3
"""What a node does when its disk betrays it: real processes, real files."""

import contextlib
import glob
import os
import struct
import subprocess

from troupe_node import Node, NodeDied, manifest, run_tests

ACCOUNTS = 20
SMALL = 'segment_bytes = "1MiB"\ncheckpoint_wal_bytes = "1MiB"\nlog_segments = 2\ncheckpoint_entries = 100'


def deposit(node, account, amount, key):
    return node.post(
        f"/v1/accounts/{account}:deposit", {"amount": {"currency": "EUR", "minorUnits": str(amount)}}, key
    )


def balance(node, account):
    answer = node.get(f"/v1/accounts/{account}")
    assert answer.status == 200, answer.text
    return int(answer.json()["balance"].get("minorUnits", "0"))


def fill(node, deposits=5):
    """Opens the accounts and pays in; returns the balances."""
    for n in range(ACCOUNTS):
        assert node.post(f"/v1/accounts/a{n}:open", {"owner": "x", "currency": "EUR"}, f"o{n}").status == 200
    for n in range(ACCOUNTS * deposits):
        assert deposit(node, f"a{n % ACCOUNTS}", n + 1, f"d{n}").status == 200
    return {f"a{n}": balance(node, f"a{n}") for n in range(ACCOUNTS)}


def check_balances(node, expected):
    for account, amount in expected.items():
        found = balance(node, account)
        assert found == amount, f"{account} has {found}, not {amount}"


def check_statements(node, expected):
    """A statement is refused, or it adds up to the balance: it is never older than it."""
    for account, amount in expected.items():
        answer = node.get(f"/v1/accounts/{account}/statement?pageSize=500")
        if answer.status != 200:
            assert answer.reason == "DISK_FULL", answer.text
            continue
        entries = answer.json()["entries"]
        found = sum(int(e["amount"]["minorUnits"]) for e in entries if e["kind"] == "DEPOSITED")
        assert found == amount, f"the statement of {account} adds up to {found}, not {amount}"


def flip(path, offset, count=64):
    with open(path, "r+b") as file:
        file.seek(offset)
        old = file.read(count)
        assert len(old) == count, f"{path} is too short for offset {offset}"
        file.seek(offset)
        file.write(bytes(b ^ 0x5A for b in old))


def frames(wal):
    """How many frames of the log's newest WAL are in use: the file may be longer, see log_spares.hpp."""
    data = content(wal)
    page, salts = struct.unpack(">I", data[8:12])[0], data[16:24]
    count = 0
    while data[32 + count * (24 + page):][8:16] == salts:
        count += 1
    return count, 24 + page


def refused(binary, path):
    """Starts a node that must not come up; returns its exit status and what it said."""
    with Node(binary, path) as node:
        try:
            node.start()
        except NodeDied:
            return node.process.wait(), "\n".join(node.lines)
    raise AssertionError("the node started")


def content(path):
    with open(path, "rb") as file:
        return file.read()


def second_process_is_refused(binary, folder):
    path = manifest(folder)
    with Node(binary, path) as node:
        node.start()
        status, said = refused(binary, path)
        assert status == 1 and "FOLDER_IN_USE" in said, (status, said)
        assert node.get("/v1/accounts/nobody").status == 404
        node.stop_in_order()


def foreign_folder_is_refused(binary, folder):
    path = manifest(folder)
    with Node(binary, path) as node:
        node.start()
        node.stop()
    text = content(path).decode().replace('name = "n1"', 'name = "other"')
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    status, said = refused(binary, path)
    assert status == 1 and "FOLDER_FOREIGN" in said, (status, said)


def rotten_log_is_named(binary, folder):
    path = manifest(folder)
    with Node(binary, path) as node:
        node.start()
        fill(node)
        node.kill()
    wal = sorted(glob.glob(f"{folder}/data/log/*-wal"))[-1]
    count, size = frames(wal)
    assert count > 10, f"only {count} frames: the test tests nothing"
    flip(wal, 32 + count // 2 * size + size // 2)
    before = content(wal)
    status, said = refused(binary, path)
    assert status in (1, 70) and "LOG_CORRUPT" in said and os.path.basename(wal) in said, (status, said)
    assert content(wal) == before, "a rotten log was changed"


def torn_tail_is_no_rot(binary, folder):
    path = manifest(folder)
    with Node(binary, path) as node:
        node.start()
        expected = fill(node)
        node.kill()
    wal = sorted(glob.glob(f"{folder}/data/log/*-wal"))[-1]
    with open(wal, "ab") as file:  # what a power cut leaves of a transaction that was never synced
        file.write(b"\x17" * 3000)
    with Node(binary, path) as node:
        node.start()
        check_balances(node, expected)
        node.stop()


def rotten_shard_file_is_named(binary, folder):
    path = manifest(folder, storage=SMALL)
    with Node(binary, path) as node:
        node.start()
        fill(node, 250)  # so much that shard files are checkpointed
        node.stop()
    file = max(glob.glob(f"{folder}/data/shards/*.db"), key=os.path.getsize)
    assert os.path.getsize(file) > 8192, "nothing was checkpointed: the test tests nothing"
    for offset in range(4096, os.path.getsize(file) - 64, 4096):
        flip(file, offset)
    before = content(file)
    status, said = refused_or_dies_on_read(binary, path)
    assert status in (1, 70) and os.path.basename(file) in said and "CORRUPT" in said, (status, said)
    assert content(file) == before, "a rotten shard file was changed"


def refused_or_dies_on_read(binary, path):
    """Rot in the rows is found at the latest when an entity is read."""
    with Node(binary, path) as node:
        try:
            node.start()
            for n in range(ACCOUNTS):
                with contextlib.suppress(Exception):
                    node.get(f"/v1/accounts/a{n}")
            status = node.wait()
        except NodeDied:
            status = node.process.wait()
        return status, "\n".join(node.lines)


def lost_shard_file_is_rebuilt(binary, folder):
    path = manifest(folder)
    with Node(binary, path) as node:
        node.start()
        expected = fill(node)
        node.kill()
    files = glob.glob(f"{folder}/data/shards/*")
    assert files
    for file in files:
        os.remove(file)
    with Node(binary, path) as node:
        node.start()
        check_balances(node, expected)
        again = deposit(node, "a0", 1, "d0")
        assert again.status == 200 and again.headers.get("Idempotency-Replayed") == "true", again.text
        check_balances(node, expected)
        node.stop()


def lost_shard_file_after_the_cut_is_refused(binary, folder):
    path = manifest(folder, storage=SMALL)
    with Node(binary, path) as node:
        node.start()
        fill(node, 400)
        node.stop()
    # Whichever shards have cut their log by now must be missed; with one segment kept, some have.
    for file in glob.glob(f"{folder}/data/shards/*"):
        os.rename(file, file + ".away")
    status, said = refused(binary, path)
    assert status in (1, 70) and "SHARD_FILE_MISSING" in said, (status, said)
    for file in glob.glob(f"{folder}/data/shards/*.away"):
        os.rename(file, file[: -len(".away")])
    with Node(binary, path) as node:
        node.start()
        assert balance(node, "a0") > 0
        node.stop()


@contextlib.contextmanager
def small_disk(folder, size):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        raise PermissionError(f"cannot mount a tmpfs (root is needed): {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def full_disk_refuses_writes_and_heals(binary, folder):
    data = os.path.join(folder, "data")
    os.mkdir(data)
    with small_disk(data, "64m"):
        path = manifest(folder, storage='segment_bytes = "2MiB"\nreserve_bytes = "4MiB"')
        with Node(binary, path) as node:
            node.start()
            expected = fill(node)
            ballast = os.path.join(data, "ballast")
            with open(ballast, "wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * 65536)
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * 512)
            refusal = None
            for n in range(20_000):
                answer = deposit(node, f"a{n % ACCOUNTS}", 1, f"full-{n}")
                if answer.status != 200:
                    refusal = (n, answer)
                    break
                expected[f"a{n % ACCOUNTS}"] += 1
            assert refusal, "a full disk refused nothing"
            n, answer = refusal
            assert answer.status == 507 and answer.reason == "DISK_FULL", (answer.status, answer.text)
            check_balances(node, expected)
            check_statements(node, expected)
            # Started again on the full disk: still reads, and still no command.
            node.kill()
            node.spawn()
            node.wait_listening()
            for _ in range(4):
                node.wait_event("shard.refusing")
            check_balances(node, expected)
            check_statements(node, expected)
            assert deposit(node, "a0", 1, "still-full").reason == "DISK_FULL"
            os.remove(ballast)
            while True:  # the node tries again by itself; the test's own time-out bounds this
                answer = deposit(node, f"a{n % ACCOUNTS}", 1, f"full-{n}")
                if answer.status == 200:
                    break
                assert answer.status in (507, 503), answer.text
            expected[f"a{n % ACCOUNTS}"] += 1
            check_balances(node, expected)
            node.kill()
            node.start()
            check_balances(node, expected)
            node.stop_in_order()


TESTS = [
    second_process_is_refused,
    foreign_folder_is_refused,
    rotten_log_is_named,
    torn_tail_is_no_rot,
    rotten_shard_file_is_named,
    lost_shard_file_is_rebuilt,
    lost_shard_file_after_the_cut_is_refused,
    full_disk_refuses_writes_and_heals,
]


if __name__ == "__main__":
    run_tests(__doc__, TESTS)
