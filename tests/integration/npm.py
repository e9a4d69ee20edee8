"""Packages from npm for tests that need programs of others."""

import re
import subprocess
import sys

SKIPPED = 77
UNREACHABLE = re.compile(r"npm (?:ERR!|error) code (E(?:NOTFOUND|CONNREFUSED|CONNRESET|TIMEDOUT|AI_AGAIN)|"
                         r"ERR_SOCKET_TIMEOUT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)")


def install(project):
    """What the folder's package-lock.json names. Where there is no way to npm's registry the test ends as
    skipped, and says why."""
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1"],
                          cwd=project, capture_output=True, text=True, timeout=240, check=False)
    if done.returncode == 0:
        return
    why = UNREACHABLE.search(done.stderr)
    if why:
        print(f"skipped: the registry of npm cannot be reached ({why.group(1)})", flush=True)
        sys.exit(SKIPPED)
    raise AssertionError(done.stdout + done.stderr)
