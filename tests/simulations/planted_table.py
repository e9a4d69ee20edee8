#!/usr/bin/env python3
"""Runs every planted bug in the simulation that is to find it, and prints what found it.

    tests/simulations/planted_table.py --planted build/dev/bin/troupe-planted --seeds 300
    tests/simulations/planted_table.py --replicas build/dev/bin/test_planted_replication

The second hunts those in the use of consensus, with replicas of one shard and no node around them.
The output is a table in Markdown. Exit status 1: a bug was not found by as many seeds.
"""

import argparse
import json
import os
import re
import subprocess
import sys

USAGE_ERROR = 2
FINDING = re.compile(r"MESSAGE: (\w+): seed (\d+): ?(.*)")
NAMES = re.compile(r"^node \S+, group \d+: ")


def bugs(program):
    """Name, simulation and what it does of each."""
    listed = subprocess.run([program, "--list-planted"], capture_output=True, text=True, check=True)
    return [line.split(None, 2) for line in listed.stdout.splitlines()]


def hunt(program, bug, simulation, options):
    """Seeds until one failed, and the check that did; None if none did, or why it could not run."""
    command = [program, "simulate", simulation, "--plant", bug, "--seeds", str(options.seeds),
               "--first", str(options.first), "--jobs", str(options.jobs), "--until-failure",
               "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == USAGE_ERROR:
        return None, "does not run: " + done.stderr.strip().splitlines()[-1]
    for line in done.stdout.splitlines():
        run = json.loads(line).get("run")
        if run and not run.get("ok"):
            return int(run["seed"]) - options.first + 1, check_of(run["failure"])
    return None, "not found"


def check_of(failure):
    """Of an invariant, which says all that was wrong, the beginning."""
    check = failure["check"]
    return ":".join(check.split(":")[:2]) if check.startswith("invariant") else check


def hunt_with_replicas(program, options):
    """As rows of the table. 0: all were found, and by the bug alone."""
    variables = {"TROUPE_TEST_FIRST_SEED": str(options.first),
                 "TROUPE_TEST_LAST_SEED": str(options.first + options.seeds - 1)}
    done = subprocess.run([program], capture_output=True, text=True,
                          env={**os.environ, **variables})
    missed = 0
    for bug, seed, found in FINDING.findall(done.stdout):
        if options.bugs and bug not in options.bugs:
            continue
        missed += not found
        seeds = int(seed) - options.first + 1 if found else "-"
        print(f"| {bug} | {seeds} | {NAMES.sub('', found) or 'not found'} |")
    return missed or done.returncode


def main():
    parser = argparse.ArgumentParser()
    program = parser.add_mutually_exclusive_group(required=True)
    program.add_argument("--planted", help="the troupe-planted program")
    program.add_argument("--replicas", help="the test_planted_replication program")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--simulation", help="in this one, whatever the table says")
    parser.add_argument("bugs", nargs="*", help="only these")
    options = parser.parse_args()

    if options.replicas:
        print("| bug | seeds | found by |")
        print("| --- | ---: | --- |")
        return 1 if hunt_with_replicas(options.replicas, options) else 0
    missed = 0
    print("| bug | what it does | simulation | seeds | found by |")
    print("| --- | --- | --- | ---: | --- |")
    for name, simulation, what in bugs(options.planted):
        if options.bugs and name not in options.bugs:
            continue
        simulation = options.simulation or simulation
        if simulation == "-":
            continue  # nothing moves in simulations; --replicas finds it
        seeds, check = hunt(options.planted, name, simulation, options)
        missed += seeds is None
        print(f"| {name} | {what} | {simulation} | {seeds or '-'} | {check} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
