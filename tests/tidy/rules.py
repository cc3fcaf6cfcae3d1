"""The rules of the tree, as tables. tidy.py enforces them; ARCHITECTURE is where they are argued.

Paths are relative to the repository root. A pattern ending in "/" means everything below that
folder; otherwise it is a shell pattern such as "plan/yaml_value.*".
"""

# --- Who may include whom -------------------------------------------------------------------------
# The longest matching folder counts. Every folder may include itself; nobody may include tests/.
MAY_INCLUDE = {
    "core/base/": [],
    "core/tensor/": ["core/base/"],
    "core/codec/": ["core/base/", "core/tensor/"],
    "plan/": ["core/"],
    # The table of aggregation functions is theirs; a plan names one of them.
    "plan/read_aggregation.": ["core/", "plan/", "aggregator/functions/registry."],
    "pki/": ["core/"],
    "rpc/": ["core/"],
    "rpc/credentials.": ["core/", "pki/", "rpc/"],
    "tasks/": ["core/", "plan/"],
    "aggregator/engine/": ["core/", "plan/"],
    "aggregator/functions/": ["core/"],
    "aggregator/store/": ["core/", "aggregator/engine/"],
    "aggregator/": ["core/", "plan/", "rpc/", "aggregator/"],
    # What it does is done through ports: neither jobs nor the runtime's threads are its business.
    "aggregator/shell.": ["core/", "plan/", "aggregator/engine/", "aggregator/store/",
                          "aggregator/report.", "aggregator/server/round_view.",
                          "aggregator/server/waiters."],
    # Credentials come from fx/ and go to rpc/ through these.
    "aggregator/runtime.": ["core/", "plan/", "pki/", "rpc/", "aggregator/"],
    "aggregator/server/server.": ["core/", "pki/", "rpc/", "aggregator/"],
    "aggregator/server/gate.": ["core/", "pki/", "rpc/", "aggregator/"],
    "collaborator/": ["core/", "plan/", "tasks/", "rpc/"],
    "collaborator/grpc_link.": ["core/", "plan/", "pki/", "rpc/", "collaborator/"],
    "fx/": ["core/", "plan/", "pki/", "rpc/", "tasks/", "aggregator/", "collaborator/"],
    "tests/": [""],
}

# --- Third-party libraries and their doors --------------------------------------------------------
# (library, headers, who may include them, what everyone else should do). Tests may open any door:
# they use libraries as judges.
GRPC_DOORS = ["rpc/", "aggregator/server/", "aggregator/runtime*", "collaborator/grpc_link.cc",
              "collaborator/stay.*"]
DOORS = [
    ("tl::expected", r"tl/", ["core/base/error.h"], 'include "core/base/error.h"'),
    ("fmt", r"fmt/", ["core/base/format.h"], "use fx::format of core/base/format.h"),
    ("spdlog", r"spdlog/", ["core/base/log.cc"], "log through core/base/log.h"),
    ("xxHash", r"xxhash\.h|xxh_x86dispatch\.h", ["core/base/digest.cc"],
     "use FastDigest of core/base/digest.h"),
    ("OpenSSL", r"openssl/", ["pki/", "core/base/digest.cc"],
     "use pki/, or core/base/digest.h for digests"),
    ("yaml-cpp", r"yaml-cpp/", ["plan/yaml_value.*", "plan/edit.cc"], "use plan/yaml_value.h"),
    ("SQLite", r"sqlite3\.h", ["aggregator/store/journal.cc"], "use aggregator/store/journal.h"),
    ("json", r"nlohmann/",
     ["aggregator/store/journal.cc", "aggregator/store/record_json.cc", "fx/*.cc"],
     "keep JSON at the edge: the journal, or --json of a command"),
    ("CLI11", r"CLI/", ["fx/app.cc", "fx/cli.cc"], "describe the command through fx/command.h"),
    ("libarchive", r"archive(_entry)?\.h",
     ["fx/workspace/archive.cc", "fx/workspace/libarchive.h", "fx/image/tar.cc",
      "tasks/loaders/zip_file.cc"],
     "use fx/workspace/archive.h, fx/image/tar.h, or tasks/loaders/zip_file.h"),
    ("stb", r"stb/", ["tasks/loaders/image_file.cc"], "use tasks/loaders/image_file.h"),
    ("libnifti", r"nifti.*\.h", ["tasks/loaders/nifti_file.cc"],
     "use tasks/loaders/nifti_file.h"),
    ("zlib", r"zlib\.h", ["tasks/loaders/"], "let a loader of tasks/loaders/ read it"),
    ("oneDNN", r"(oneapi/|dnnl)", ["tasks/onednn/"], "use a TaskRunner of tasks/"),
    ("OpenMP", r"omp\.h", ["tasks/onednn/"], "use a TaskRunner of tasks/"),
    ("gRPC", r"grpc(pp)?/", GRPC_DOORS, "speak through rpc/ or collaborator/link.h"),
    ("protobuf", r"(google/protobuf/|rpc/.*\.pb\.h)", GRPC_DOORS,
     "convert at the door with rpc/ and use core types"),
    ("GoogleTest", r"(gtest|gmock)/", [], "tests belong in tests/"),
    ("rapidcheck", r"rapidcheck", [], "tests belong in tests/"),
    ("sanitizers", r"sanitizer/", [], "they watch tests, in tests/"),
    ("google-benchmark", r"benchmark/", [], "benchmarks belong in tests/bench/"),
]

# Headers that come with the compiler or the system and need no door. Standard C++ headers have no
# dot and no slash in their names.
SYSTEM_HEADERS = r"[a-z_0-9]+|(sys|netinet|arpa|net)/[a-z_]+\.h|(" + "|".join([
    "unistd", "fcntl", "signal", "poll", "termios", "pthread", "sched", "dlfcn", "netdb", "pwd",
    "pty", "spawn", "malloc", "ifaddrs", "getopt", "elf",
]) + r")\.h"

# --- Words and calls that do not belong -----------------------------------------------------------
# (pattern, where, except where, what to do instead). Comments and strings are blanked out first.
PRODUCT = ["core/", "plan/", "pki/", "rpc/", "tasks/", "aggregator/", "collaborator/", "fx/"]
EVERYWHERE = PRODUCT + ["tests/"]
BANNED_CODE = [
    (r"(?<![.>\w])(std::)?system\s*\(", EVERYWHERE, [], "start programs without a shell"),
    (r"(?<![.>\w])(std::)?s?rand\s*\(", EVERYWHERE, [], "draw from fx::RandomStream"),
    (r"\bstd::(mt19937(_64)?|shuffle|\w+_distribution)\b", PRODUCT, [],
     "draw from fx::RandomStream: the library's sequences differ from machine to machine"),
    (r"\bstrtok\s*\(", EVERYWHERE, [], "split a std::string_view"),
    (r"\b(strcpy|strcat|sprintf|gets)\s*\(", EVERYWHERE, [], "use std::string and fx::format"),
    (r"\bato[ifl]l?\s*\(", EVERYWHERE, [], "use std::from_chars and look at its error"),
    (r"\bstd::c(out|err|log)\b", EVERYWHERE, ["fx/main.cc", "fx/io.cc"],
     "write to the Io you were given"),
    (r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(", ["tests/"], [],
     "wait for the event itself, or move fake time"),
    (r"\b(secure_)?getenv\s*\(", PRODUCT, ["fx/", "rpc/credentials.*"],
     "take the setting as an argument; fx/ reads the environment"),
    (r"\busing\s+namespace\b", EVERYWHERE, [], "name what you use"),
    (r"\bthrow\b", PRODUCT, [], "return an Error"),
    (r"\bassert\s*\(", EVERYWHERE, [], "use FX_CHECK for bugs and an Error for input"),
    (r"\.detach\s*\(\s*\)", EVERYWHERE, [], "keep the thread and join it"),
    (r"_clock::now\b|\bstd::(thread|mutex|[io]?fstream)\b|\bLog(Debug|Info|Warning|Error)\s*\(",
     ["aggregator/engine/"], [], "the engine is a function: events in, records and actions out"),
    (r"_clock::now\b|\bstd::(j?thread|mutex|atomic|[io]?fstream)\b", ["aggregator/shell.*"], [],
     "the shell reaches the world through ShellPorts, so that a simulation can stand in for it"),
    (r"\b(DISABLED_\w+|GTEST_SKIP)\b", ["tests/"],
     ["tests/numeric/torch_judge_test.cc",  # the judge may not be installed
      "tests/numeric/precision_test.cc",  # the processor may not have it
      "tests/numeric/readers_judge_test.cc",
      "tests/unit/fx/manual_test.cc"],  # zsh and fish, likewise
     "repair the test or remove it"),
    (r"(?<![\w)\]])\.\w+\s*=\s*TRY\(", EVERYWHERE, [],
     "name the value first: g++ 12 forgets to destroy the members before a TRY that fails"),
    (r"^[ \t]*#[ \t]*if[ \t]+0\b", EVERYWHERE, [], "remove the code; git remembers it"),
]

# In any text file, comments included.
BANNED_WORDS = [
    (r"\b(TODO|FIXME|XXX|HACK)\b", ["tests/tidy/"], "do it, or write an issue"),
]

# --- Sizes ----------------------------------------------------------------------------------------
SOFT_FILE_LINES = 400
HARD_FILE_LINES = 600
FUNCTION_LINES = 70
COLUMNS = 100

# --- Folders that are not ours to judge -----------------------------------------------------------
SKIP_FOLDERS = r"build(-.*)?|__pycache__|\..*"
