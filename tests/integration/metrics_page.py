"""What a node says at /metrics against docs/metrics.md. `./dev lint` compares names, types and meanings with the
sources; labels can only be seen here."""

import os
import re
import sys

from troupe_node import Connection

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, ".ci"))
import metrics  # noqa: E402, pylint: disable=wrong-import-position

PART_OF_HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


def check_metrics(admin):
    """Every metric there is on the page, with that type and these labels. Returns how many there are."""
    with open(os.path.join(ROOT, metrics.PAGE), encoding="utf-8") as file:
        page = metrics.labels_of_page(file.read())
    connection = Connection(admin)
    lines = connection.call("GET", "/metrics").text.splitlines()
    connection.close()
    kinds = dict(line.split()[2:4] for line in lines if line.startswith("# TYPE "))
    for line in lines:
        if line.startswith("#"):
            continue
        name, labels = re.match(r"([a-z0-9_]+)(?:\{(.*)\})? ", line).groups()
        if name not in kinds:
            name = PART_OF_HISTOGRAM.sub("", name)
        assert name in page, f"{metrics.PAGE} has no {name}"
        kind, told = page[name]
        assert kind == kinds[name], f"{metrics.PAGE} calls {name} a {kind}, a node a {kinds[name]}"
        seen = set(re.findall(r'([a-z_]+)="', labels or "")) - ({"le"} if kind == "histogram" else set())
        assert seen == told, f"{metrics.PAGE} says that {name} has the labels {sorted(told)}, not {sorted(seen)}"
    return len(kinds)
