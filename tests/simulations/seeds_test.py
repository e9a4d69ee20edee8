#!/usr/bin/env python3
"""Every simulation, by seeds: the same fixed ones each time, and fresh ones that are printed.

The fixed ones run twice, with one and with two workers: a seed must give one trace hash. The hashes
are also written to a file, by which .ci/test.py compares the builds; so a second build runs them once.
"""

import argparse
import json
import subprocess
import sys


def simulate(binary, *words):
    """Runs `troupe simulate all`; returns the hash of each (simulation, seed)."""
    command = [binary, "simulate", "all", "--json", *words]
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

    fixed = ("--first", "1", "--seeds", str(options.fixed))
    once = simulate(options.binary, *fixed, "--jobs", "2")
    if not options.once:
        again = simulate(options.binary, *fixed, "--jobs", "1")
        differ = [key for key in once if once[key] != again.get(key)]
        if differ or len(once) != len(again):
            sys.exit(f"two runs of one seed had different traces: {differ}")
        print(f"{len(once)} runs gave the same trace twice", flush=True)
    with open(options.hashes, "w", encoding="utf-8") as file:
        for (simulation, seed), trace_hash in sorted(once.items()):
            file.write(f"{simulation} {seed} {trace_hash}\n")
    if options.fresh:
        fresh = simulate(options.binary, "--seeds", str(options.fresh))
        print("fresh seeds passed: " + ", ".join(f"{name} {seed}" for name, seed in sorted(fresh)), flush=True)


if __name__ == "__main__":
    main()
