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
    """Counts of the stacks in what `perf script` printed, outermost frame first, the thread before it."""
    stacks = collections.Counter()
    thread, frames = None, []
    for line in script:
        line = line.rstrip("\n")
        if not line:
            if thread:
                stacks[";".join([thread] + frames[::-1])] += 1
            thread, frames = None, []
        elif not line[0].isspace():
            thread = line.rsplit(None, 1)[0] if line.split()[-1].isdigit() else line.strip()
        else:
            match = re.match(r"\s+[0-9a-f]+ (.*?)(?: \(([^()]*)\))?$", line)
            name = short(match.group(1)) if match else ""
            # Libraries without frame pointers give runs of nonsense.
            if match and not (name == "[unknown]" and frames and frames[-1] == name) and len(frames) < DEPTH_MAX:
                frames.append(name)
    if thread:
        stacks[";".join([thread] + frames[::-1])] += 1
    return stacks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", help="of the bench; ./dev bench --list names them")
    parser.add_argument("--out", required=True, metavar="FILE", help="the SVG file to write")
    parser.add_argument("--seconds", default="3", help="length of one loop")
    options = parser.parse_args()
    for path, package in ((BENCH, "run ./dev build --preset release troupe-bench"),
                          (DRAW, "run .ci/setup.sh build bench profile")):
        if not os.path.exists(path):
            sys.exit(f"{path} is missing: {package}")
    with tempfile.NamedTemporaryFile(suffix=".perf") as data:
        # By the clock: virtual machines often have no counters.
        recorded = subprocess.run(
            ["perf", "record", "--quiet", "-e", "cpu-clock", "-F", "499", "--call-graph", "fp", "-o", data.name, "--",
             BENCH, options.part, "--runs", "1", "--seconds", options.seconds], check=False)
        if not os.path.getsize(data.name):
            sys.exit(f"perf recorded nothing (status {recorded.returncode})")
        with subprocess.Popen(["perf", "script", "-i", data.name, "-F", "comm,ip,sym"], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as script:
            stacks = fold(script.stdout)
    ours = re.compile(r"^(caf\.|log-writer|pool-|troupe-bench|network|net-)")
    lines = [f"{stack} {count}" for stack, count in sorted(stacks.items()) if ours.match(stack)]
    if not lines:
        sys.exit("no sample fell into the bench")
    svg = subprocess.run(
        ["perl", DRAW, "--title", f"troupe-bench {options.part}: processor time", "--countname", "samples",
         "--minwidth", "2", "--width", "1200"], input="\n".join(lines), capture_output=True, text=True, check=True).stdout
    with open(options.out, "w", encoding="utf-8") as file:
        file.write(svg)
    threads = collections.Counter()
    for stack, count in stacks.items():
        if ours.match(stack):
            threads[stack.split(";")[0]] += count
    total = sum(threads.values())
    for thread, count in threads.most_common(8):
        print(f"{100 * count / total:5.1f} %  {thread}")
    print(f"{total} samples; {options.out}")


if __name__ == "__main__":
    main()
