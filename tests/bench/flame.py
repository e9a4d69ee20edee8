#!/usr/bin/env python3
"""A flame graph of one part of the bench: where the processor's time goes, thread by thread.

Samples with perf(1) while the part runs, folds the stacks, and has flamegraph.pl draw them.
"""

import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BENCH = os.path.join(ROOT, "build", "release", "bin", "troupe-bench")
DRAW = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"  # Brendan Gregg's, in libdevel-nytprof-perl
NOISE = re.compile(r"\(anonymous namespace\)::|troupe::|std::__cxx11::|\[clone [^]]*\]")
NAME_MAX = 90
DEPTH_MAX = 28


def short(symbol):
    """A symbol without its arguments, template arguments and namespaces that are always the same."""
    symbol = NOISE.sub("", symbol)
    depth = 0
    kept = []
    for letter in symbol:
        if letter == "<":
            depth += 1
        if depth == 0:
            kept.append(letter)
        if letter == ">":
            depth = max(0, depth - 1)
    name = "".join(kept).split("(")[0].strip() or symbol
    return name.replace(";", ":")[:NAME_MAX]


def fold(script):
    """(time, process, stack) of each sample that `perf script` printed; a stack has the thread before its outermost
    frame."""
    samples = []
    head, frames = None, []
    for line in script:
        line = line.rstrip("\n")
        if not line:
            if head:
                samples.append((float(head[3]), head[2], ";".join([head[1]] + frames[::-1])))
            head, frames = None, []
        elif not line[0].isspace():
            head = re.match(r"(.*?)\s+(\d+)\s+([\d.]+):", line)
        else:
            match = re.match(r"\s+[0-9a-f]+ (.*?)(?: \(([^()]*)\))?$", line)
            name = short(match.group(1)) if match else ""
            # Libraries without frame pointers give runs of nonsense.
            if match and not (name == "[unknown]" and frames and frames[-1] == name) and len(frames) < DEPTH_MAX:
                frames.append(name)
    return samples


def of_the_loop(samples, seconds):
    """Counts of the stacks of nodes, processes with actors, in the loop that was measured: the last seconds in which
    they had work, which leaves out what came before it."""
    nodes = {process for _, process, stack in samples if stack.startswith("caf.")}
    samples = [(time, stack) for time, process, stack in samples if process in nodes and not stack.startswith("perf")]
    busy = collections.Counter(int(time * 10) for time, _ in samples)
    if not busy:
        sys.exit("no sample fell into a node")
    end = max(tenth for tenth, count in busy.items() if count > max(busy.values()) / 2) / 10 + 0.1
    return collections.Counter(stack for time, stack in samples if end - seconds <= time < end)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", help="of the bench; ./dev bench --list names them")
    parser.add_argument("--out", required=True, metavar="FILE", help="the SVG file to write")
    parser.add_argument("--seconds", default="3", help="length of one loop")
    parser.add_argument("--minwidth", default="2", metavar="PIXELS", help="what is narrower is left out")
    options = parser.parse_args()
    for path, package in ((BENCH, "run ./dev build --preset release troupe-bench"),
                          (DRAW, "run .ci/setup.sh build bench profile")):
        if not os.path.exists(path):
            sys.exit(f"{path} is missing: {package}")
    with tempfile.NamedTemporaryFile(suffix=".perf") as data:
        # By the clock: virtual machines often have no counters.
        recorded = subprocess.run(
            ["perf", "record", "--quiet", "-e", "cpu-clock", "-F", "499", "--call-graph", "fp", "-o", data.name, "--",
             BENCH, options.part, "--runs", "1", "--seconds", options.seconds, "--ours-only"], check=False)
        if not os.path.getsize(data.name):
            sys.exit(f"perf recorded nothing (status {recorded.returncode})")
        with subprocess.Popen(["perf", "script", "-i", data.name, "-F", "comm,pid,time,ip,sym"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as script:
            stacks = of_the_loop(fold(script.stdout), float(options.seconds))
    lines = [f"{stack} {count}" for stack, count in sorted(stacks.items())]
    svg = subprocess.run(
        ["perl", DRAW, "--title", f"troupe-bench {options.part}: processor time", "--countname", "samples",
         "--minwidth", options.minwidth, "--width", "1200"],
        input="\n".join(lines), capture_output=True, text=True, check=True).stdout
    with open(options.out, "w", encoding="utf-8") as file:
        file.write(svg)
    threads = collections.Counter()
    for stack, count in stacks.items():
        threads[stack.split(";")[0]] += count
    total = sum(threads.values())
    for thread, count in threads.most_common(8):
        print(f"{100 * count / total:5.1f} %  {thread}")
    print(f"{total} samples; {options.out}")


if __name__ == "__main__":
    main()
