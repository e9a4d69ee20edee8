"""Fuzzes what reads bytes of others: `./dev fuzz`. docs/fuzzing.md says what each target looks at."""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOUND = os.path.join("build", "fuzz", "corpus")  # inputs of this checkout's runs, a folder a target
FINDINGS = os.path.join("build", "fuzz", "findings")
KEPT = os.path.join("tests", "fuzz", "corpus")
UNITS = {"s": 1, "m": 60, "h": 3600}

# As the preset asan has them, and names for addresses.
ENVIRONMENT = {
    "ASAN_SYMBOLIZER_PATH": "/usr/lib/llvm-14/bin/llvm-symbolizer",
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:malloc_context_size=12",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:suppressions=" + os.path.join(ROOT, ".ci", "ubsan.supp"),
}
# Seconds that one input may take, and memory.
LIMITS = ["-timeout=10", "-rss_limit_mb=1536"]


def seconds(text):
    match = re.fullmatch(r"(\d+)([smh])", text)
    if not match or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no time; write 60s, 10m or 1h")
    return int(match[1]) * UNITS[match[2]]


def all_targets():
    with open(os.path.join(ROOT, "tests", "fuzz", "CMakeLists.txt"), encoding="utf-8") as file:
        return re.findall(r"^troupe_fuzz\((\w+)", file.read(), re.M)


def arguments():
    targets = all_targets()
    parser = argparse.ArgumentParser(
        prog="./dev fuzz",
        description="Installs what is missing, builds, and runs libFuzzer on each target, as many at a time as "
        "there are processors: " + ", ".join(targets) + ".",
        epilog="It begins with the inputs of tests/fuzz/corpus/TARGET; what it finds beside them stays in "
        f"{FOUND}/TARGET, for the next run. An input that breaks something is in {FINDINGS}; the command that runs "
        "it again is printed. Example: ./dev fuzz json --for 10m",
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all, if none is named")
    parser.add_argument("--for", dest="time", type=seconds, default=60, metavar="TIME",
                        help="how long for each target: 60s (which is what it is otherwise), 10m, 1h")
    parser.add_argument("--keep", action="store_true",
                        help="run nothing; make tests/fuzz/corpus/TARGET anew of what is there and what was found, "
                        "as few inputs as reach the same")
    options = parser.parse_args()
    for target in options.targets:
        if target not in targets:
            parser.error(f"there is no target '{target}'; there are {', '.join(targets)}")
    options.targets = options.targets or targets
    return options


def program(target):
    return os.path.join("build", "fuzz", "bin", "fuzz_" + target)


class Run(threading.Thread):
    """One target; `line` says what came of it."""

    def __init__(self, target, time, turns):
        super().__init__()
        self.target, self.time, self.turns = target, time, turns
        self.log = os.path.join("build", "fuzz", target + ".log")
        self.input = None
        self.failed = True
        self.line = "did not run"

    def command(self):
        found = os.path.join(FOUND, self.target)
        os.makedirs(found, exist_ok=True)
        command = [program(self.target), f"-max_total_time={self.time}", "-print_final_stats=1", *LIMITS,
                   f"-artifact_prefix={FINDINGS}/{self.target}-", found]
        words = os.path.join("tests", "fuzz", self.target + ".dict")
        if os.path.exists(words):
            command.insert(1, "-dict=" + words)
        kept = os.path.join(KEPT, self.target)
        return command + ([kept] if os.path.isdir(kept) else [])

    def run(self):
        with self.turns, open(self.log, "wb") as log:
            status = subprocess.run(self.command(), stdout=log, stderr=subprocess.STDOUT,
                                    env=os.environ | ENVIRONMENT).returncode
        with open(self.log, encoding="utf-8", errors="replace") as log:
            text = log.read()
        coverage = re.findall(r"^#\d+\s+\w+\s+cov: (\d+) ft: (\d+)", text, re.M)
        executed = re.findall(r"^stat::number_of_executed_units:\s*(\d+)", text, re.M)
        new = re.findall(r"^stat::new_units_added:\s*(\d+)", text, re.M)
        written = re.findall(r"Test unit written to (\S+)", text)
        self.input = written[-1] if written else None
        self.failed = status != 0
        self.line = (f"{int(executed[-1]) if executed else 0:>12,} executions   coverage "
                     f"{coverage[-1][0] if coverage else 0:>6}   {new[-1] if new else 0:>5} new inputs   "
                     + ("FAILED" if self.failed else "nothing found"))
        print(f"{self.target:<10} {self.line}", flush=True)


def keep(targets):
    for target in targets:
        kept, fresh = os.path.join(KEPT, target), os.path.join("build", "fuzz", "kept-" + target)
        shutil.rmtree(fresh, ignore_errors=True)
        os.makedirs(fresh)
        sources = [folder for folder in (kept, os.path.join(FOUND, target)) if os.path.isdir(folder)]
        # How often a place is reached does not count, or there would be three times as many.
        subprocess.run([program(target), "-set_cover_merge=1", "-use_counters=0", "-max_len=2048", *LIMITS, fresh, *sources],
                       check=True, capture_output=True, env=os.environ | ENVIRONMENT)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(fresh, kept)
        files = glob.glob(os.path.join(kept, "*"))
        print(f"{target:<10} {len(files):>5} inputs, {sum(map(os.path.getsize, files)):>8,} bytes")


def main():
    options = arguments()
    os.chdir(ROOT)
    built = subprocess.run(["./dev", "build", "--preset", "fuzz", *("fuzz_" + target for target in options.targets)])
    if built.returncode != 0:
        return 1
    if options.keep:
        keep(options.targets)
        return 0
    os.makedirs(FINDINGS, exist_ok=True)
    turns = threading.Semaphore(os.cpu_count() or 1)
    runs = [Run(target, options.time, turns) for target in options.targets]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    failed = [run for run in runs if run.failed]
    for run in failed:
        with open(run.log, encoding="utf-8", errors="replace") as log:
            print(f"\n{run.target}: the end of {run.log}\n" + "".join(log.readlines()[-60:]), file=sys.stderr)
        print(f"{run.target}: once more with\n  {program(run.target)} {run.input}" if run.input
              else f"{run.target}: it ended without an input", file=sys.stderr)
    print(f"{len(runs) - len(failed)} targets found nothing, {len(failed)} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
