"""Builds and runs all tests: `./dev test`.

Three phases. `asan` runs all tests. `dev`, the build for development, runs those with the label `dev`:
what a build with sanitizers does less of or not at all, which is real processes, simulations by many
seeds, and planted bugs. `tsan` runs those with that label, which are those of code that runs beside CAF
(Debian's CAF is built without ThreadSanitizer, so it cannot watch actors). `--preset dev` runs all tests
in that build, too.

The tests of a phase run beside the builds of the next ones, which yield to them. The counts are
doctest's cases; a test program without such a count is one.
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PHASES = ["asan", "dev", "tsan"]
SUMMARY = re.compile(r"\[doctest\] test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev test",
        description="Installs what is missing, builds, and runs the tests: all of them under "
        "AddressSanitizer and UndefinedBehaviorSanitizer, those labelled `dev` (processes, simulations "
        "by many seeds, planted bugs) as built for development, and those labelled `tsan` under "
        "ThreadSanitizer.",
        epilog="The tests of a phase run beside the builds of the next, which write into "
        "build/PRESET-build.log. Example: ./dev test --preset dev -R supervision",
    )
    parser.add_argument("--preset", action="append", choices=PHASES + ["release"],
                        help="only this phase; may be given again. `dev` runs all tests then")
    parser.add_argument("-R", dest="regex", metavar="REGEX",
                        help="only the tests whose names match")
    return parser.parse_args()


def without_address_randomisation():
    """ThreadSanitizer of GCC 12 cannot start where the kernel randomises addresses widely."""
    prefix = ["setarch", "-R"]
    works = subprocess.run(prefix + ["true"], capture_output=True).returncode == 0
    return prefix if works else []


class Builds(threading.Thread):
    """Builds the presets one after the other, beside what the main thread does."""

    def __init__(self, presets, labels):
        super().__init__(daemon=True)
        self.presets = presets
        self.labels = labels
        self.over = {preset: threading.Event() for preset in presets}
        self.built = {}  # whether it succeeded, and the seconds that it took
        self.start()

    def run(self):
        for place, preset in enumerate(self.presets):
            began = time.monotonic()
            succeeded = self.build(preset, beside_tests=place > 0)
            self.built[preset] = succeeded, time.monotonic() - began
            self.over[preset].set()
            if not succeeded:
                return

    def build(self, preset, beside_tests):
        command = ["./dev", "build", "--preset", preset]
        if self.labels[preset]:
            command.append(self.labels[preset] + "_tests")
        if not beside_tests:
            return subprocess.run(command).returncode == 0
        # It yields to the tests, and its output does not mix with theirs.
        path = os.path.join("build", preset + "-build.log")
        with open(path, "w", encoding="utf-8") as log:
            status = subprocess.run(["nice", "-n", "10"] + command, stdout=log, stderr=subprocess.STDOUT).returncode
        if status != 0:
            with open(path, encoding="utf-8", errors="replace") as log:
                print(log.read(), file=sys.stderr)
        return status == 0

    def wait(self, preset):
        self.over[preset].wait()
        return self.built[preset]


def run(preset, label, regex):
    """Runs the tests of a phase; returns the numbers of passed and failed ones."""
    report = os.path.join(ROOT, "build", preset, "tests.xml")
    if os.path.exists(report):
        os.remove(report)
    command = ["ctest", "--preset", preset, "-j", str(os.cpu_count() or 1),
               "--output-junit", report, "--test-output-size-passed", "1000000",
               "--test-output-size-failed", "1000000", "--test-output-truncation", "head"]
    if label:
        command += ["-L", f"^{label}$"]
    if preset == "tsan":
        command = without_address_randomisation() + command
    if regex:
        command += ["-R", regex]
    status = subprocess.run(command).returncode
    passed, failed = count(report) if os.path.exists(report) else (0, 0)
    if status != 0 and failed == 0:
        failed = 1  # ctest itself failed
    return passed, failed


def count(report):
    passed = failed = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        skipped = case.find("skipped")
        if skipped is not None and skipped.get("message", "").startswith("SKIP_RETURN_CODE"):
            why = (case.findtext("system-out") or "").strip().splitlines()
            print(f"./dev test: SKIPPED {case.get('name')}: "
                  f"{why[-1].removeprefix('skipped: ') if why else 'it does not say why'}")
            continue
        ok = case.get("status") == "run"
        summary = SUMMARY.findall(case.findtext("system-out") or "")
        cases_passed = sum(int(numbers[0]) for numbers in summary)
        cases_failed = sum(int(numbers[1]) for numbers in summary)
        if ok and not summary:
            cases_passed = 1
        if not ok and cases_failed == 0:
            cases_failed = 1  # it crashed, hung, or a sanitizer ended it
        passed += cases_passed
        failed += cases_failed
    return passed, failed


def hashes(preset):
    """Trace hashes of simulations, as the phase's test simulation_seeds wrote them."""
    path = os.path.join(ROOT, "build", preset, "hashes.txt")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1].strip() for line in file}


def compare_hashes(presets):
    """A seed has one trace, in every build. Returns the numbers of equal and of other pairs of builds."""
    known = [(preset, hashes(preset)) for preset in presets if hashes(preset)]
    equal = different = 0
    for preset, found in known[1:]:
        first, expected = known[0]
        both = sorted(expected.keys() & found.keys())
        wrong = [seed for seed in both if expected[seed] != found[seed]]
        if wrong or not both:
            print(f"./dev test: {first} and {preset} differ in the trace of: {', '.join(wrong) or 'all'}",
                  file=sys.stderr)
        else:
            print(f"{first} and {preset} gave {len(both)} equal traces of simulations")
        different += bool(wrong or not both)
        equal += not (wrong or not both)
    return equal, different


def main():
    options = arguments()
    os.chdir(ROOT)
    began = time.monotonic()
    passed = failed = 0
    lines = []
    presets = list(dict.fromkeys(options.preset or PHASES))
    labelled = ["tsan"] if options.preset else ["dev", "tsan"]
    labels = {preset: preset if preset in labelled else None for preset in presets}
    for preset in presets if not options.regex else []:
        stale = os.path.join("build", preset, "hashes.txt")
        if os.path.exists(stale):
            os.remove(stale)
    builds = Builds(presets, labels)
    for preset in presets:
        built, seconds = builds.wait(preset)
        lines.append(f"{preset + ' build':<12} {seconds:7.1f} s"
                     + ("" if preset == presets[0] else "   beside tests") + ("" if built else "   failed"))
        if not built:
            failed += 1
            break
        start = time.monotonic()
        phase_passed, phase_failed = run(preset, labels[preset], options.regex)
        if phase_passed + phase_failed == 0 and not options.regex:
            phase_failed = 1
            print(f"./dev test: the phase {preset} has no tests", file=sys.stderr)
        lines.append(f"{preset + ' tests':<12} {time.monotonic() - start:7.1f} s   "
                     f"{phase_passed} passed, {phase_failed} failed")
        passed += phase_passed
        failed += phase_failed
    if not options.regex:
        equal, different = compare_hashes(presets)
        passed += equal
        failed += different
    print("\n" + "\n".join(lines))
    print(f"{'in all':<12} {time.monotonic() - began:7.1f} s")
    if passed + failed == 0:
        print(f"./dev test: no test's name matches '{options.regex}'; ctest --preset dev -N "
              "lists them", file=sys.stderr)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
