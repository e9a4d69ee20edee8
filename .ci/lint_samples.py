"""What the linter plants to test itself: a violation of every rule, and what only looks like one."""


def planted(lines_max):
    """File to text, line, part of the message: each must be found, and nothing else."""
    return {
        "runtime/up.cpp": ('#include "actors/entity.hpp"\n', 1, "stands above it"),
        "actors/os.cpp": ('#include "runtime/platform/os/os.hpp"\n', 1, "may include"),
        "domains/shop/c.cpp": ('#include "cluster/router.hpp"\n', 1, "may include"),
        "runtime/wire/x.proto": ('syntax = "proto3";\nimport "actors/x.proto";\n', 2, "stands above"),
        "runtime/near.cpp": ('#include "near.hpp"\n', 1, "from the root"),
        "actors/clock.cpp": ("auto t = std::chrono::steady_clock::now();\n", 1, "Platform::clock()"),
        "actors/time.cpp": ("auto t = time(nullptr);\n", 1, "Platform::clock()"),
        "actors/device.cpp": ("std::random_device d;\n", 1, "Platform::random()"),
        "actors/rand.cpp": ("int i = rand();\n", 1, "Platform::random()"),
        "cluster/thread.cpp": ("std::thread t;\n", 1, "Platform::workers()"),
        "cluster/async.cpp": ("auto f = std::async(g);\n", 1, "Platform::workers()"),
        "cluster/sleep.cpp": ("std::this_thread::sleep_for(x);\n", 1, "delayed message"),
        "config/open.cpp": ('auto* f = fopen("a", "r");\n', 1, "Platform::disk()"),
        "config/stream.cpp": ("std::ifstream f;\n", 1, "Platform::disk()"),
        "config/files.cpp": ("auto b = std::filesystem::exists(p);\n", 1, "Platform::disk()"),
        "cluster/socket.cpp": ("#include <boost/asio.hpp>\n", 1, "Platform::network()"),
        "cluster/detached.cpp": ("auto a = spawn<caf::detached>(f);\n", 1, "caf::detached"),
        "cluster/scoped.cpp": ("caf::scoped_actor self{system};\n", 1, "event-based"),
        "cluster/blocking.cpp": ("void f(caf::blocking_actor* self);\n", 1, "event-based"),
        "simulations/ledger/clock.cpp": ("auto t = std::chrono::steady_clock::now();\n", 1,
                                         "Platform::clock()"),
        "simulations/faults/table.cpp": ('#include "cluster/cli/command/table.hpp"\n', 1,
                                         "may include"),
        "runtime/long.cpp": ("// a\n" * (lines_max + 1), lines_max + 1, "divide the file"),
        "runtime/note.cpp": ("// a\n// TO" "DO: b\n", 2, "finish it"),
        "docs/paths.md": ("a /ho" "me/user/x\n", 1, "one machine"),
        "tool.sh": ("if true; then\n", 2, "bash cannot parse"),
        "docs/dead.md": ("[a](b.md)\n", 1, "leads nowhere"),
        "docs/anchor.md": ("# A\n\n[a](#a) and [b](#b)\n", 3, "no heading"),
        "runtime/ugly.cpp": ("int  a ;\n", 1, "clang-format"),
        "actors/reason.cpp": ('int i = 0;\nError e = not_found("PART_LOST", "it is gone");\n', 2,
                              "no section"),
        "actors/one_word.cpp": ('Error e = unavailable("BUSY", "it is busy");\n', 1, "no section"),
        "actors/passed_on.cpp": ('Error e = wrong("PART_ODD", "it is odd");\n', 1, "no section"),
        "docs/errors/gone.md": ("# Gone\n\n## LONG_GONE\n", 3, "any more"),
        "docs/errors/twice.md": ("## PART_KNOWN\n", 1, "keep one"),
        "runtime/metric.cpp": ('m.counter("troupe_a_total", "As.");\nm.gauge("troupe_b", "Bs.");\n', 2, "no row"),
        "runtime/metric_twice.cpp": ('m.counter("troupe_a_total", "A");\n', 1, "another one"),
        "runtime/metric_odd.cpp": ('f("troupe_c_total");\n', 1, "no metric"),
        "docs/metrics.md": ("| `troupe_a_total` | counter |  | x | As. |\n"
                            "| `troupe_z` | gauge |  |  | Zs. |\n", 2, "any more"),
    }


# Looks like a violation and is none.
INNOCENT = {
    "runtime/near.hpp": "#pragma once\n",
    "runtime/words.cpp": '// std::thread, rand()\nconst char* a = "std::async /* ";\n'
                         "int n = 1'000'000;\nstd::thread::id id;\n",
    "runtime/platform/os/clock.cpp": "auto t = std::chrono::steady_clock::now();\n",
    "actors/good.cpp": '#include "runtime/near.hpp"\n#include "shop/v1/shop.troupe.hpp"\n',
    "actors/buffer.cpp": "#include <boost/asio/buffer.hpp>\n",
    "simulations/campaign/clock.cpp": "auto t = std::chrono::steady_clock::now();\n",
    "simulations/cli/table.cpp": '#include "cluster/cli/command/table.hpp"\n',
    "domains/kit/main.cpp": '#include "cluster/cli/cli.hpp"\n#include "runtime/platform/os/os.hpp"\n'
                        '#include "simulations/cli/simulate.hpp"\n',
    "tests/all.hpp": '#include "cluster/router.hpp"\n#include "simulations/world/world.hpp"\n',
    "tests/near.cpp": '#include "all.hpp"\nauto home = "/ho' + 'me/alice";\n',
    "actors/known.cpp": '// "NEVER_GIVEN"\nError e = aborted("PART_KNOWN", "GET");\n'
                        'auto c = getenv("NO_COLOR");\n',
    "tests/reason.cpp": 'Error e = aborted("TEST_REASON", "it is a test");\n',
    "tests/fuzz/corpus/http/1": "#!/bin/sh\nif true; then\n",
    "docs/errors/known.md": "## PART_KNOWN\n\n### Not a reason\n",
    "docs/good.md": "[a](anchor.md#a), `[b](c)`, [d](https://example.org/home/x)\n",
}
