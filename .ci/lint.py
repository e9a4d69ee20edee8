"""The rules that the compiler does not check: `./dev lint`.

Each rule is a function from a Source to (line, message) pairs; a message says what is wrong and what
to do. Before it looks at the project, the linter plants one violation of every rule in a folder of
its own and stops if a rule does not find it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

import metrics
from lint_samples import INNOCENT, planted

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# docs/architecture.md, "The house": a folder includes only itself and folders before it.
HOUSE = ["config", "runtime", "actors", "cluster", "domains", "simulations", "domains/kit", "tests"]
# Folders that only a few may include: what they are, and who may.
ENTRY_POINTS = ("cluster/cli/", "domains/kit/", "tests/")
RESTRICTED = {
    "runtime/platform/os/": ("runtime/platform/os/",) + ENTRY_POINTS,
    "cluster/cli/": ENTRY_POINTS + ("simulations/cli/",),
    "simulations/": ("simulations/", "domains/kit/", "tests/"),
    "cluster/": ("cluster/", "simulations/", "domains/kit/", "tests/"),
}

# docs/architecture.md, "Determinism": what only the platform may do. simulations/campaign/ stands
# around simulations, not in them: it forks a process for each, bounds its real time, and writes its
# trace.
OUTSIDE_WORLD = ("runtime/platform/os/", "simulations/world/", "simulations/campaign/",
                 "cluster/cli/", "domains/kit/", "tests/")
FORBIDDEN = [
    (r"\b\w+_clock\s*::\s*now\b", "read the time from Platform::clock()"),
    (r"\b(?:time\s*\(\s*(?:nullptr|NULL|0|&)|gettimeofday\s*\(|clock_gettime\s*\()",
     "read the time from Platform::clock()"),
    (r"\bstd\s*::\s*random_device\b|(?<![\w.:>])s?rand\s*\(|\bstd\s*::\s*s?rand\b|\bgetrandom\s*\(",
     "draw from Platform::random()"),
    (r"\bstd\s*::\s*(?:jthread|async)\b|\bstd\s*::\s*thread\b(?!\s*::\s*id)|\bpthread_create\b",
     "post the work to a queue of Platform::workers()"),
    (r"\bsleep_(?:for|until)\b|(?<![\w.:>])u?sleep\s*\(", "wait for an event or a delayed message"),
    (r"\bf(?:re)?open\s*\(|\bstd\s*::\s*[io]?fstream\b|#\s*include\s*<fstream>",
     "reach files through Platform::disk()"),
    (r"\bstd\s*::\s*filesystem\b(?!\s*::\s*path\b)|#\s*include\s*<(?:fcntl|unistd)\.h>",
     "reach files through Platform::disk()"),
    (r"#\s*include\s*<sys/socket\.h>|#\s*include\s*<boost/asio(?!/buffer\.hpp)|\bip\s*::\s*tcp\b",
     "reach the network through Platform::network()"),
    (r"\bdetached\b", "spawn without caf::detached; what blocks runs in Platform::workers()"),
    (r"\b(?:blocking_actor|scoped_actor)\b", "use an event-based actor"),
]

def top_of(path):
    """The folder of the house that a file belongs to."""
    return "domains/kit" if path.startswith("domains/kit/") else path.split("/")[0]


LINES_MAX = 400
MADE_UP = "tests/fuzz/corpus/"  # bytes that a program made up: no rule is about them
CODE = (".cpp", ".hpp", ".c", ".h")
COUNTED = CODE + (".proto", ".py", ".sh", ".cmake")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~/:-])/(?:(?:work|root)/\w|(?:home|Users)/\w+/\w)")
TOKENS = re.compile(  # comments and literals of C++; a character literal is not 1'000'000
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', re.S)

# A reason is what stands first in a call of a factory of runtime/error.hpp. Functions that pass one
# on are many, so any literal in capitals with an underscore counts as well, but for these names.
WORD = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"')
FACTORY = re.compile(r"\b(?:cancelled|invalid_argument|deadline_exceeded|not_found|already_exists|"
                     r"permission_denied|resource_exhausted|failed_precondition|aborted|"
                     r"out_of_range|unimplemented|internal|unavailable|data_loss|unauthenticated)"
                     r"\s*\(\s*$")
NO_REASONS = {"NO_COLOR", "LC_ALL", "LC_CTYPE", "TROUPE_ADMIN", "TROUPE_PLANT"}  # environment variables


class Source:
    """A file of the tree. `code` is its text with comments and literals blanked, lines kept."""

    def __init__(self, root, path):
        self.path = path
        self.root = root
        with open(os.path.join(root, path), "rb") as file:
            raw = file.read()
        self.binary = b"\0" in raw
        self.text = "" if self.binary else raw.decode("utf-8", "replace")
        self.lines = self.text.splitlines()
        self.is_code = path.endswith(CODE)

    def is_shell(self):
        return self.path.endswith(".sh") or re.match(r"#!.*\b(?:ba)?sh\b", self.text) is not None

    def code_lines(self):
        def blank(match):
            token = match.group(0)
            line_begin = self.text.rfind("\n", 0, match.start()) + 1
            if self.text[line_begin:match.start()].lstrip().startswith("#"):
                return token if token[0] == '"' else ""  # the file of an #include stays
            return " " + "\n" * token.count("\n")
        return TOKENS.sub(blank, self.text).splitlines()


def check_includes(source):
    if not source.path.endswith(CODE + (".proto",)):
        return
    top = top_of(source.path)
    if top not in HOUSE:
        return
    pattern = re.compile(r'\s*(?:#\s*include|import(?:\s+public)?)\s*"([^"]+)"')
    for number, line in enumerate(source.lines, 1):
        match = pattern.match(line)
        if not match:
            continue
        target = match.group(1)
        beside = os.path.join(source.root, os.path.dirname(source.path), target)
        if source.is_code and top != "tests" and os.path.exists(beside):
            yield number, f"'{target}' is named from its own folder; write its path from the root"
            continue
        target_top = top_of(target)
        if target_top not in HOUSE:
            continue  # generated from a contract, or another library's
        if HOUSE.index(target_top) > HOUSE.index(top):
            yield number, (f"{top}/ may not include {target_top}/, which stands above it; move the "
                           "code or put an interface where both may include it")
            continue
        for folder, allowed in RESTRICTED.items():
            if target.startswith(folder) and not source.path.startswith(allowed):
                yield number, (f"only {', '.join(allowed)} may include {folder}; depend on an "
                               "interface of a lower folder")
                break


def check_forbidden(source):
    if not source.is_code or source.path.startswith(OUTSIDE_WORLD):
        return
    if top_of(source.path) not in HOUSE:
        return
    for number, line in enumerate(source.code_lines(), 1):
        for pattern, remedy in FORBIDDEN:
            match = re.search(pattern, line)
            if match:
                yield number, (f"'{match.group(0).strip()}' makes a simulation differ from run to "
                               f"run; {remedy}")


def check_length(source):
    if source.path.endswith(COUNTED) and len(source.lines) > LINES_MAX:
        yield len(source.lines), (f"{len(source.lines)} lines are more than {LINES_MAX}; "
                                  "divide the file by subject")


def check_unfinished(source):
    if source.path.startswith("docs/images/"):
        return  # drawn by tools, whose scripts are inside
    for number, line in enumerate(source.lines, 1):
        match = UNFINISHED.search(line)
        if match:
            yield number, f"'{match.group(0)}': finish it, or open an issue and remove the note"


def check_machine_paths(source):
    for number, line in enumerate(source.lines, 1):
        match = MACHINE_PATH.search(line)
        if match:
            yield number, f"'{match.group(0)}...' exists on one machine only; write a relative path"


def check_shell(source):
    if not source.is_shell():
        return
    done = subprocess.run(["bash", "-n", source.path], cwd=source.root, capture_output=True,
                          text=True)
    if done.returncode != 0:
        line = re.search(r"line (\d+): (.*)", done.stderr)
        yield (int(line.group(1)) if line else 1), (
            f"bash cannot parse it: {line.group(2) if line else done.stderr.strip()}")


def slug(heading):
    """The anchor of a heading as GitHub makes it."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def prose_lines(text):
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def check_links(source):
    if not source.path.endswith(".md"):
        return
    for number, line in prose_lines(source.text):
        for target in re.findall(r"\]\(\s*<?([^)\s>]+)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            path, _, anchor = target.partition("#")
            full = os.path.join(source.root, os.path.dirname(source.path), path)
            full = os.path.normpath(full) if path else os.path.join(source.root, source.path)
            if not os.path.exists(full):
                yield number, f"the link to '{target}' leads nowhere; correct or remove it"
            elif anchor and full.endswith(".md"):
                with open(full, encoding="utf-8") as file:
                    headings = {slug(text.lstrip("#")) for _, text in prose_lines(file.read())
                                if text.startswith("#")}
                if anchor not in headings:
                    yield number, f"'{path or source.path}' has no heading for '#{anchor}'"


RULES = [check_includes, check_forbidden, check_length, check_unfinished, check_machine_paths,
         check_shell, check_links]


def words(source):
    """(word, line, whether it is a reason) of each literal in capitals; comments are left out."""
    for token in TOKENS.finditer(source.text):
        match = WORD.fullmatch(token.group(0))
        if match:
            word = match.group(1)
            before = source.text[max(0, token.start() - 60):token.start()]
            yield word, source.text.count("\n", 0, token.start()) + 1, (
                word not in NO_REASONS and ("_" in word or FACTORY.search(before) is not None))


def is_product(source):  # templates are of whoever makes something of them
    return (source.is_code and top_of(source.path) in HOUSE[:-1] and "kit/templates/" not in source.path)


def check_reasons(sources):
    """Every reason of the product has one section in docs/errors/, and every section its reason."""
    known, missing, sections = set(), {}, {}
    for source in sources:
        if source.path.startswith("docs/errors/"):
            for number, line in prose_lines(source.text):
                match = re.fullmatch(r"## ([A-Z][A-Z0-9_]*)", line)
                if match:
                    sections.setdefault(match.group(1), []).append((source.path, number))
    for source in sources:
        if not is_product(source):
            continue
        for word, number, is_reason in words(source):
            known.add(word)
            if is_reason and word not in sections:
                missing.setdefault(word, (source.path, number))
    for word, (path, number) in missing.items():
        yield path, number, (f"the reason {word} has no section; add '## {word}' to a page in "
                             "docs/errors/: what it means, what to do")
    for word, places in sections.items():
        for path, number in places if word not in known else places[1:]:
            yield path, number, (f"nothing gives the reason {word} any more; remove its section"
                                 if word not in known else
                                 f"{word} has a section in {places[0][0]}; keep one of them")


def check_format(root, paths):
    """clang-format over all C++ files at once; reports the first difference of each."""
    if not paths:
        return
    done = subprocess.run(["clang-format", "--dry-run", "-Werror"] + paths, cwd=root,
                          capture_output=True, text=True)
    seen = set()
    for path, line in re.findall(r"^(.*?):(\d+):\d+: error:", done.stderr, re.M):
        if path not in seen:
            seen.add(path)
            yield path, int(line), f"not as clang-format writes it; run ./dev format {path}"
    if done.returncode != 0 and not seen:
        yield ".clang-format", 1, f"clang-format failed: {done.stderr.strip()}"


def lint(root):
    listing = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                              "--exclude-standard"], cwd=root, capture_output=True, text=True,
                             check=True).stdout
    paths = sorted(path for path in set(listing.split("\0"))
                   if path and not path.startswith(MADE_UP)
                   and os.path.isfile(os.path.join(root, path)))
    sources = [Source(root, path) for path in paths]
    found = []
    for source in sources:
        for rule in RULES:
            found += [(source.path, line, message) for line, message in rule(source)]
    found += check_reasons(sources)
    found += metrics.check_metrics(sources, is_product)
    found += check_format(root, [path for path in paths if path.endswith(CODE)])
    return sorted(found), len(paths)


# --- the linter's own test ------------------------------------------------------------------------

def self_test():
    """Returns what the rules failed to find, and what they found where nothing is wrong."""
    violations = planted(LINES_MAX)
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["git", "init", "-q", root], check=True)
        files = {path: text for path, (text, _, _) in violations.items()} | INNOCENT
        with open(os.path.join(ROOT, ".clang-format"), encoding="utf-8") as file:
            files[".clang-format"] = file.read()
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        found, _ = lint(root)
    wrong = []
    for path, (_, line, part) in violations.items():
        hits = [one for one in found if one[0] == path]
        if len(hits) != 1 or hits[0][1] != line or part not in hits[0][2]:
            wrong.append(f"{path}: expected line {line}, '{part}'; found {hits}")
    wrong += [f"{one}: nothing is wrong there" for one in found if one[0] not in violations]
    return wrong


def main():
    parser = argparse.ArgumentParser(
        prog="./dev lint",
        description="Checks include direction, calls that only the platform may make, format, "
        "shell syntax, file length, unfinished notes, machine paths, links, that docs/errors/ has every "
        "reason of an error and docs/metrics.md every metric, after a test of the checks themselves.")
    parser.parse_args()
    wrong = self_test()
    if wrong:
        print(".ci/lint.py: the linter itself is broken:", *wrong, sep="\n  ", file=sys.stderr)
        return 1
    found, files = lint(ROOT)
    for path, line, message in found:
        print(f"{path}:{line}: {message}")
    print(f"lint: {files} files, {len(found)} mistakes", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
