"""Bugs are planted in troupe-planted and nowhere else."""

import argparse
import os
import re
import subprocess
import sys

FOLDERS = ("runtime", "actors", "cluster", "domains")
SITE = re.compile(r"\bTROUPE_PLANTED\((\w+)\)")


def sites(root):
    """File to names of the bugs that it holds."""
    found = {}
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if not name.endswith((".cpp", ".hpp", ".c", ".h")):
                    continue
                file = os.path.relpath(os.path.join(path, name), root)
                with open(os.path.join(root, file), encoding="utf-8") as source:
                    bugs = set(SITE.findall(source.read()))
                if bugs and file != "runtime/rehearsal/planted.hpp":
                    found[file] = bugs
    return found


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main():
    parser = argparse.ArgumentParser()
    for option in ("--troupe", "--planted", "--map", "--source"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    failures = []

    def check(holds, what):
        if not holds:
            failures.append(what)

    found = sites(options.source)
    bugs = set().union(*found.values())
    check(len(bugs) >= 16, f"only {len(bugs)} bugs are planted in the product")
    for file in found:
        check(file.endswith(".cpp"), f"{file}: bugs are planted in .cpp files only")

    # The table, the code and the program have the same ones.
    listed = subprocess.run([options.planted, "--list-planted"], capture_output=True, text=True)
    check(listed.returncode == 0, f"--list-planted failed: {listed.stderr}")
    names = {line.split()[0] for line in listed.stdout.splitlines()}
    check(names == bugs, f"the table and the sources differ in {sorted(names ^ bugs)}; CMake looks for files "
                         "with bugs: after a file's first one, touch CMakeLists.txt and build again")

    # The program that is shipped has none.
    with open(options.troupe, "rb") as file:
        shipped = file.read()
    for bug in bugs:
        check(bug.encode() not in shipped, f"the troupe command holds the name {bug}")
    symbols = output("nm", "-C", options.troupe)
    check("shard" in symbols, "nm shows no symbols of the troupe command: this test sees nothing")
    check("PlantedBug" not in symbols, "the troupe command holds code of planted bugs")
    check("PlantedBug" in output("nm", "-C", options.planted), "troupe-planted holds no bugs")

    # Of a file that holds one, troupe-planted has the object that was compiled for it alone.
    with open(options.map, encoding="utf-8", errors="replace") as file:
        linked = file.read()
    check(re.search(r"libtroupe_platform\.a\(\S+\.o\)", linked),
          "the map does not name members of libraries as expected: this test sees nothing")
    for file in sorted(found):
        folder, name = os.path.split(file)
        library = "troupe_" + os.path.basename(folder)
        taken = re.search(rf"lib{library}\.a\((unity_planted_\w+\.cxx|{re.escape(name)})\.o\)", linked)
        check(not taken, f"troupe-planted took an object with {file} from {library}: {taken and taken.group()}")
        check(f"/{library}_planted.dir/" in linked,
              f"the map of troupe-planted shows no object of {library}_planted")

    # Its command line.
    done = subprocess.run([options.planted, "--plant", "no_such_bug", "--version"],
                          capture_output=True, text=True)
    check(done.returncode == 2 and "no_such_bug" in done.stderr,
          f"an unknown bug: status {done.returncode}, {done.stderr}")
    for command, variables in (
            (["--plant", "log_without_sync", "--version"], {}),
            (["--version", "--plant=log_without_sync"], {}),
            (["--version"], {"TROUPE_PLANT": "log_without_sync"})):
        done = subprocess.run([options.planted] + command, capture_output=True, text=True,
                              env={**os.environ, **variables})
        check(done.returncode == 0 and "log_without_sync is planted" in done.stderr,
              f"{command}, {variables}: status {done.returncode}, {done.stderr}")

    for failure in failures:
        print(f"planted_build: {failure}", file=sys.stderr)
    print(f"{len(bugs)} bugs in {len(found)} files")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
