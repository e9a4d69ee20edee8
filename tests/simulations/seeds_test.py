#!/usr/bin/env python3
"""Every simulation, by seeds: the same fixed ones each time, and fresh ones that are printed.

The fixed ones run twice, with one and with two workers: a seed must give one trace hash. The hashes
are also written to a file, by which .ci/test.py compares the builds; so a second build runs them once.
"""

import argparse
import json
import subprocess
import sys


# Of those that simulate a whole cluster, which take longer, all but these are left to `./dev sim`.
CLUSTER = "cluster-ledger"
CHANGING = ["scale-out", "drain-under-load", "zone-loss", "directory-chaos", "rolling-upgrade"]  # fresh seeds only
LONGER = {CLUSTER, *CHANGING, "autoscale", "backup-restore", "clock-skew", "lost-disk", "quorum-loss", "recover",
          "slow-follower", "split"}


def quick_ones(binary):
    """Names of the simulations of one node."""
    listed = subprocess.run([binary, "simulate", "--list", "--json"], capture_output=True, text=True, check=True)
    names = {json.loads(line)["simulation"]["name"] for line in listed.stdout.splitlines()}
    missing = LONGER - names
    if missing:
        sys.exit(f"there is no simulation {missing}")
    return sorted(names - LONGER)


def simulate(binary, names, *words):
    """Runs `troupe simulate`; returns the hash of each (simulation, seed)."""
    command = [binary, "simulate", *names, "--json", *words]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode != 0:
        print(ran.stdout[-20000:])
        sys.exit(f"{' '.join(command)} ended with status {ran.returncode}")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    runs = [line["run"] for line in lines if "run" in line]
    seeds = {(one["simulation"], int(one["seed"])): one["hash"] for one in runs}
    if not seeds:
        sys.exit(f"{' '.join(command)} ran no seed")
    return seeds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the troupe command")
    parser.add_argument("--fixed", type=int, default=3, help="seeds from 1 on")
    parser.add_argument("--fresh", type=int, default=5, help="seeds that were never run before")
    parser.add_argument("--hashes", required=True, help="file for the hashes of the fixed seeds")
    parser.add_argument("--once", action="store_true", help="run the fixed seeds once")
    options = parser.parse_args()

    quick = quick_ones(options.binary)

    def run_fixed(jobs):
        some = ("--first", "1", "--jobs", jobs)
        cluster = simulate(options.binary, [CLUSTER], "--seeds", "1", *some)
        return cluster | simulate(options.binary, quick, "--seeds", str(options.fixed), *some)

    once = run_fixed("2")
    if not options.once:
        again = run_fixed("1")
        differ = [key for key in once if once[key] != again.get(key)]
        if differ or len(once) != len(again):
            sys.exit(f"two runs of one seed had different traces: {differ}")
        print(f"{len(once)} runs gave the same trace twice", flush=True)
    with open(options.hashes, "w", encoding="utf-8") as file:
        for (simulation, seed), trace_hash in sorted(once.items()):
            file.write(f"{simulation} {seed} {trace_hash}\n")
    if options.fresh:
        fresh = simulate(options.binary, quick, "--seeds", str(options.fresh))
        fresh |= simulate(options.binary, [CLUSTER], "--seeds", "2")
        fresh |= simulate(options.binary, CHANGING, "--seeds", "1")
        print("fresh seeds passed: " + ", ".join(f"{name} {seed}" for name, seed in sorted(fresh)), flush=True)


if __name__ == "__main__":
    main()
