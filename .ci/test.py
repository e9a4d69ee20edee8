"""Builds and runs all tests: `./dev test`.

Three phases: `dev` and `asan` run everything, `tsan` the tests with that label, which are those of
code that runs beside CAF (Debian's CAF is built without ThreadSanitizer, so it cannot watch actors).
The counts are doctest's cases; a test program without such a count is one.
"""

import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PHASES = ["dev", "asan", "tsan"]
SUMMARY = re.compile(r"\[doctest\] test cases:\s*\d+\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev test",
        description="Installs what is missing, builds, and runs the tests: all of them as built "
        "for development, all of them under AddressSanitizer and UndefinedBehaviorSanitizer, and "
        "those labelled `tsan` under ThreadSanitizer.",
        epilog="example: ./dev test --preset dev -R supervision",
    )
    parser.add_argument("--preset", action="append", choices=PHASES + ["release"],
                        help="only this phase; may be given again")
    parser.add_argument("-R", dest="regex", metavar="REGEX",
                        help="only the tests whose names match")
    return parser.parse_args()


def without_address_randomisation():
    """ThreadSanitizer of GCC 12 cannot start where the kernel randomises addresses widely."""
    prefix = ["setarch", "-R"]
    works = subprocess.run(prefix + ["true"], capture_output=True).returncode == 0
    return prefix if works else []


def build(preset):
    command = ["./dev", "build", "--preset", preset]
    if preset == "tsan":
        command.append("tsan_tests")
    return subprocess.run(command).returncode == 0


def run(preset, regex):
    """Runs the tests of a phase; returns the numbers of passed and failed ones."""
    report = os.path.join(ROOT, "build", preset, "tests.xml")
    stale = os.path.join(ROOT, "build", preset, "hashes.txt")
    if os.path.exists(stale) and not regex:
        os.remove(stale)
    if os.path.exists(report):
        os.remove(report)
    command = ["ctest", "--preset", preset, "-j", str(os.cpu_count() or 1),
               "--output-junit", report, "--test-output-size-passed", "1000000",
               "--test-output-size-failed", "1000000", "--test-output-truncation", "head"]
    if preset == "tsan":
        command = without_address_randomisation() + command + ["-L", "tsan"]
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
    for preset in options.preset or PHASES:
        start = time.monotonic()
        built = build(preset)
        lines.append(f"{preset + ' build':<12} {time.monotonic() - start:7.1f} s"
                     + ("" if built else "   failed"))
        if not built:
            failed += 1
            break
        start = time.monotonic()
        phase_passed, phase_failed = run(preset, options.regex)
        if phase_passed + phase_failed == 0 and not options.regex:
            phase_failed = 1
            print(f"./dev test: the phase {preset} has no tests", file=sys.stderr)
        lines.append(f"{preset + ' tests':<12} {time.monotonic() - start:7.1f} s   "
                     f"{phase_passed} passed, {phase_failed} failed")
        passed += phase_passed
        failed += phase_failed
    if not options.regex:
        equal, different = compare_hashes(options.preset or PHASES)
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
