#!/usr/bin/env python3
"""docs/metrics.md against the places that register metrics. Run by itself, it writes the table anew."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = "docs/metrics.md"
LITERAL = r'"((?:\\.|[^"\\\n])*)"'
# counter("troupe_x_total", "What it counts.", with the help in one literal or several.
REGISTERED = re.compile(r"\b(counter|gauge|histogram)\(\s*" + r'"(troupe_[a-z0-9_]+)",\s*((?:' + LITERAL + r"\s*)+)")
ROW = re.compile(r"\| `(troupe_[a-z0-9_]+)` \| ([a-z]+) \| ([a-z]*) \| ([^|]*?) ?\| (.*) \|$")
HEAD = "| metric | type | unit | labels | meaning |"


def unit_of(name):
    for unit in ("seconds", "bytes", "cores"):
        if re.search(rf"_{unit}(_total)?$", name):
            return unit
    return ""


class Metric:
    def __init__(self, kind, name, meaning, path, line):
        self.kind, self.name, self.meaning = kind, name, meaning
        self.path, self.line = path, line

    def row(self, labels):
        cells = [f"`{self.name}`", self.kind, unit_of(self.name), labels, self.meaning]
        return "| " + " | ".join(cells) + " |"


def registered(path, text):
    """The metrics that a source registers, by the text alone."""
    for match in REGISTERED.finditer(text):
        kind, name, literals = match.group(1, 2, 3)
        meaning = "".join(re.findall(LITERAL, literals)).replace("|", "\\|")
        yield Metric(kind, name, meaning, path, text.count("\n", 0, match.start()) + 1)


def rows(text):
    """(line number, name, type, labels, whole line) of each row of the page."""
    for number, line in enumerate(text.splitlines(), 1):
        match = ROW.match(line)
        if match:
            yield number, match.group(1), match.group(2), match.group(4), line


def labels_of_page(text):
    """Names to (type, set of labels), for tests that look at a node's own page."""
    return {name: (kind, {label.strip("` ") for label in labels.split(",") if label.strip()})
            for _, name, kind, labels, _ in rows(text)}


def check_metrics(sources, is_product):
    """Every metric of the product has its row, and every row its metric. Labels are not seen here: the
    process tests compare them with what a node says."""
    known, named, page = {}, [], None
    for source in sources:
        if source.path == PAGE:
            page = source
        if not is_product(source):
            continue
        for metric in registered(source.path, source.text):
            first = known.setdefault(metric.name, metric)
            if (first.kind, first.meaning) != (metric.kind, metric.meaning):
                yield metric.path, metric.line, (f"{metric.name} is another one in {first.path}; give both the "
                                                 "same type and help")
        for match in re.finditer(r'"(troupe(?:_[a-z0-9]+)+)"', source.text):
            named.append((match.group(1), source.path, source.text.count("\n", 0, match.start()) + 1))
    for name, path, line in named:
        if name not in known:
            yield path, line, f"{name} is no metric that is registered by name and help, both literals; make it so"
    if not known and page is None:
        return
    written = {} if page is None else {name: (number, labels, line)
                                       for number, name, _, labels, line in rows(page.text)}
    for name, metric in sorted(known.items()):
        if name not in written:
            yield metric.path, metric.line, f"{name} has no row in {PAGE}; run .ci/metrics.py and add its labels"
        elif metric.row(written[name][1]) != written[name][2]:
            yield PAGE, written[name][0], f"{name} is told otherwise in {metric.path}; run .ci/metrics.py"
    for name, (number, _, _) in written.items():
        if name not in known:
            yield PAGE, number, f"nothing registers {name} any more; run .ci/metrics.py"


def main():
    known = {}
    for top in ("runtime", "actors", "cluster", "domains", "simulations"):
        for folder, _, files in os.walk(os.path.join(ROOT, top)):
            for file in sorted(files):
                if file.endswith((".cpp", ".hpp")):
                    path = os.path.join(folder, file)
                    with open(path, encoding="utf-8") as source:
                        for metric in registered(os.path.relpath(path, ROOT), source.read()):
                            known[metric.name] = metric
    path = os.path.join(ROOT, PAGE)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    labels = {name: labels for _, name, _, labels, _ in rows(text)}
    before, _, behind = text.partition(HEAD + "\n")
    behind = "\n".join(line for line in behind.split("\n") if not line.startswith("| "))
    table = [metric.row(labels.get(name, "")) for name, metric in sorted(known.items())]
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + "\n".join([HEAD, "| --- | --- | --- | --- | --- |"] + table) + behind.rstrip("\n") + "\n")
    for name in sorted(set(known) - set(labels)):
        print(f"{PAGE}: {name} is new: write its labels", file=sys.stderr)


if __name__ == "__main__":
    main()
