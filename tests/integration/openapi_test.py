#!/usr/bin/env python3
"""The OpenAPI document before programs of others, all from npm: a validator takes it, and a client
whose types a generator made of it compiles and agrees with a node."""

import os
import shutil
import subprocess

import npm
from troupe_node import Node, manifest, run, run_tests

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "openapi")


def tool(folder, *words):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def others_understand_the_document(binary, folder):
    project = shutil.copytree(TOOLS, os.path.join(folder, "openapi"))
    npm.install(project)
    document = os.path.join(project, "openapi.json")
    printed = run(binary, "openapi", "--out", document)
    assert printed.returncode == 0, printed.stderr
    tool(project, "npx", "--no-install", "validate-api", document)
    tool(project, "npx", "--no-install", "openapi-typescript", document, "-o", "schema.ts")
    tool(project, "npx", "--no-install", "tsc")
    with Node(binary, manifest(folder)).start() as node:
        with open(document, encoding="utf-8") as file:
            served = node.get("/openapi.json")
            assert served.text.replace('"title":"test"', '"title":"Troupe"') == file.read().rstrip()
        said = tool(project, "node", "dist/client.js", f"http://{node.gateway}")
        assert "agrees" in said, said
        node.stop_in_order()


if __name__ == "__main__":
    run_tests(__doc__, [others_understand_the_document])
