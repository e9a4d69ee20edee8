#!/usr/bin/env python3
"""A stranger's service: Troupe is installed into a folder, and docs/guide/README.md is done there.

The guide is the test: its commands run in their order in one shell, what they print must hold the lines
that the guide shows, and the code that it shows must stand in the files that are built. Only ports differ.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "integration"))
from troupe_node import free_ports  # noqa: E402

BLOCK = re.compile(r"(?:^<!-- (?P<note>[^\n]*) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
BAD_NAMES = ["", "Billing", "9lives", "a__b", "a_", "_a", "bill-ing", "../up", "class", "std", "troupe", "test",
             "a" * 41]


def check(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


def install(build, prefix):
    command = ["cmake", "--install", build, "--prefix", prefix]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{' '.join(command)}: {done.stderr}")


def nothing_names_the_tree(prefix, source):
    """What is installed finds its files from where it lies."""
    for folder, _, files in os.walk(prefix):
        for name in files:
            if name.endswith((".cmake", ".hpp", ".h")):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    check(source not in file.read().replace(prefix, ""), f"{path} names the folder {source}")


def mistakes_are_refused(troupe, folder):
    def new(*words):
        return subprocess.run([troupe, "new", "context", *words], cwd=folder, capture_output=True, text=True, check=False)

    for name in BAD_NAMES:
        done = new("--", name)
        check(done.returncode == 2 and "\"" + name + "\"" in done.stderr and not os.listdir(folder),
              f"the name '{name}': status {done.returncode}, {done.stderr}")
    occupied = os.path.join(folder, "billing")
    os.mkdir(occupied)
    with open(os.path.join(occupied, "CMakeLists.txt"), "w", encoding="utf-8") as file:
        file.write("mine")
    done = new("billing")
    check(done.returncode == 1 and "not empty" in done.stderr, f"a folder that is not empty: {done.stderr}")
    done = new("billing", "--folder", os.path.join(occupied, "CMakeLists.txt"))
    check(done.returncode == 1 and "is there already" in done.stderr, f"a file for a folder: {done.stderr}")
    with open(os.path.join(occupied, "CMakeLists.txt"), encoding="utf-8") as file:
        check(file.read() == "mine" and len(os.listdir(occupied)) == 1, "a file was overwritten")
    shutil.rmtree(occupied)


class Guide:
    """The blocks of the page: commands, what each prints, and code with the file that it is of."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.commands, self.printed, self.code = [], [], []
        for block in BLOCK.finditer(text):
            note, language, body = block["note"] or "", block["language"], block["text"]
            if note == "not run":
                continue
            if language == "sh":
                self.commands.append(body)
                self.printed.append("")
            elif language == "text":
                self.printed[-1] = body
            else:
                check(note.startswith("of "), f"no comment says of which file this is:\n{body}")
                self.code.append((note.removeprefix("of "), body))
        check(self.commands and self.code, f"{path} has no commands or no code")

    def script(self, ports):
        """All commands, with a line that tells their outputs apart."""
        lines = ["set -e"]
        for number, commands in enumerate(self.commands):
            for old, new in ports.items():
                commands = commands.replace(old, new)
            lines += [f"echo '=== {number}'", commands]
            if "troupe new" in commands:
                lines += [f"sed -i 's/{old}/{new}/' manifest.toml" for old, new in ports.items()]
            # curl ends no line.
            lines[-1] = re.sub(r"^(curl .*)$", r"\1; echo", lines[-1], flags=re.M)
        return "\n".join(lines)


def environment(prefix):
    """As a developer in a hurry has it: what is built is the same, and sooner."""
    chosen = dict(os.environ, PATH=os.path.join(prefix, "bin") + os.pathsep + os.environ["PATH"],
                  CMAKE_PREFIX_PATH=prefix, CMAKE_GENERATOR="Ninja", CMAKE_BUILD_TYPE="None", CXXFLAGS="-O0",
                  CCACHE_BASEDIR=os.path.dirname(prefix), CCACHE_NOHASHDIR="1")
    if shutil.which("mold"):
        chosen["LDFLAGS"] = "-fuse-ld=mold"
    if shutil.which("ccache"):
        chosen["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
    return chosen


def do_it(guide, folder, prefix):
    names = ["127.0.0.1:7400", "127.0.0.1:8080", "127.0.0.1:7480"]
    ports = {name: f"127.0.0.1:{port}" for name, port in zip(names, free_ports(3))}
    shell = subprocess.Popen(["bash", "-c", guide.script(ports)], cwd=folder, env=environment(prefix), text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = shell.communicate(timeout=280)
    finally:
        try:
            os.killpg(shell.pid, signal.SIGKILL)  # of a guide that failed: its node
        except ProcessLookupError:
            pass
    print(output)
    check(shell.returncode == 0, f"the commands of the guide ended with status {shell.returncode}")
    outputs = re.split(r"^=== \d+\n", output, flags=re.M)[1:]
    check(len(outputs) == len(guide.commands), "some commands of the guide were not run")
    for commands, expected, output in zip(guide.commands, guide.printed, outputs):
        at = 0
        for line in expected.splitlines():
            found = output.find(line, at)
            check(found >= 0, f"the guide says that\n{commands}prints\n{line}\nand it printed\n{output}")
            at = found + len(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="the build folder, which has everything that is installed")
    parser.add_argument("--source", required=True, help="the folder of the tree")
    parser.add_argument("--folder", required=True, help="a folder to work in, which is emptied first")
    options = parser.parse_args()

    shutil.rmtree(options.folder, ignore_errors=True)
    prefix, work = os.path.join(options.folder, "installed"), os.path.join(options.folder, "work")
    os.makedirs(work)
    install(options.build, prefix)
    nothing_names_the_tree(prefix, options.source)
    mistakes_are_refused(os.path.join(prefix, "bin", "troupe"), work)
    guide = Guide(os.path.join(options.source, "docs", "guide", "README.md"))
    do_it(guide, work, prefix)
    for name, code in guide.code:
        with open(os.path.join(work, "voting", name), encoding="utf-8") as file:
            check(code in file.read(), f"the guide shows what does not stand in {name}:\n{code}")
    shutil.rmtree(options.folder)


if __name__ == "__main__":
    main()
