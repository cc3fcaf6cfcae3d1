"""Tests of the checks themselves: each is shown small trees with a planted violation, and without.
"""

import os
import tempfile
import unittest

import checks
import source
import tidy


def violations(check, tree):
    """What a check says of a tree given as {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in tree.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        return tidy.run(root, [check])


class CheckCase(unittest.TestCase):
    """Asserts on one check: `refuses` gives the single violation, `accepts` wants none."""
    check = ""

    def refuses(self, path, text, *words):
        found = violations(self.check, {path: text})
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def accepts(self, path, text):
        self.assertEqual(violations(self.check, {path: text}), [])


class IncludeGraph(CheckCase):
    check = "include_graph"

    def test_refuses_an_arrow_that_points_up(self):
        self.refuses("core/base/file.cc", '// x\n#include "plan/plan.h"\n',
                     "core/base/file.cc:2:", "may not include plan/plan.h")
        self.refuses("core/base/file.cc", '#include "core/tensor/tensor.h"\n')
        self.refuses("collaborator/a.cc", '#include "aggregator/runtime.h"\n')
        self.refuses("aggregator/runtime.cc", '#include "collaborator/link.h"\n')
        self.refuses("aggregator/engine/engine.cc", '#include "aggregator/store/journal.h"\n')
        self.refuses("aggregator/engine/engine.cc", '#include "core/../rpc/bytes.h"\n')
        self.refuses("aggregator/shell.cc", '#include "aggregator/worker.h"\n')
        self.refuses("rpc/bytes.cc", '#include "pki/chain.h"\n')
        self.refuses("fx/app.cc", '#include "tests/support/matchers.h"\n')

    def test_accepts_arrows_that_point_down(self):
        self.accepts("core/tensor/tensor.cc", '#include "core/base/file.h"\n')
        self.accepts("rpc/credentials.cc", '#include "pki/chain.h"\n#include "rpc/bytes.h"\n')
        self.accepts("aggregator/runtime.cc", '#include "aggregator/store/journal.h"\n')
        self.accepts("tests/unit/fx/a_test.cc", '#include "aggregator/runtime.h"\n')

    def test_reads_code_and_not_comments(self):
        self.accepts("core/base/a.cc", '// #include "plan/plan.h"\n/*\n#include "fx/io.h"\n*/\n')
        self.refuses("core/base/a.cc", '#  include   "fx/io.h"\n')

    def test_wants_paths_from_the_root(self):
        self.refuses("core/base/file.cc", '#include "error.h"\n', "path from the root")


class Doors(CheckCase):
    check = "doors"

    def test_refuses_a_library_outside_its_door(self):
        for header, path in {
                "yaml-cpp/yaml.h": "plan/load.cc", "sqlite3.h": "aggregator/store/spool.cc",
                "CLI/CLI.hpp": "fx/plan/freeze.cc", "dnnl.hpp": "tasks/registry.cc",
                "grpcpp/channel.h": "collaborator/session.cc", "openssl/evp.h": "core/base/file.cc",
                "archive.h": "fx/app.cc", "nlohmann/json.hpp": "aggregator/runtime.cc",
                "spdlog/spdlog.h": "core/base/file.cc", "fmt/core.h": "plan/load.cc",
                "zlib.h": "tasks/registry.cc", "gtest/gtest.h": "core/base/file.cc"}.items():
            with self.subTest(header):
                self.refuses(path, f"#include <{header}>\n", path + ":1:", "may only be included")

    def test_refuses_generated_messages_as_it_does_protobuf(self):
        self.refuses("aggregator/engine/engine.cc", '#include "rpc/aggregator.pb.h"\n', "protobuf")

    def test_keeps_json_out_of_headers(self):
        self.accepts("fx/status/status.cc", "#include <nlohmann/json.hpp>\n")
        self.refuses("fx/status/status.h", "#include <nlohmann/json.hpp>\n", "json")

    def test_accepts_doors_tests_and_the_system(self):
        self.accepts("plan/yaml_value.cc", "#include <yaml-cpp/yaml.h>\n")
        self.accepts("tests/support/pki.cc", "#include <openssl/evp.h>\n#include <gtest/gtest.h>\n")
        self.accepts("core/base/file.cc", "#include <sys/stat.h>\n#include <vector>\n")

    def test_refuses_a_library_nobody_decided_on(self):
        self.refuses("core/base/file.cc", "#include <boost/any.hpp>\n", "without a door")
        self.refuses("tests/unit/a_test.cc", "#include <curl.h>\n", "without a door")


class BannedCode(CheckCase):
    check = "banned_code"

    def test_refuses_calls_and_names_the_replacement(self):
        for path, code, words in [
                ("fx/a.cc", 'system("ls");', "without a shell"),
                ("fx/a.cc", "int x = std::rand();", "RandomStream"),
                ("fx/a.cc", "srand(1);", "RandomStream"),
                ("tasks/a.cc", "std::shuffle(b, e, g);", "RandomStream"),
                ("fx/a.cc", 'strtok(p, ",");', "string_view"),
                ("fx/a.cc", 'sprintf(p, "x");', "format"),
                ("fx/a.cc", "int n = std::atoi(p);", "from_chars"),
                ("fx/plan/a.cc", "std::cout << 1;", "Io"),
                ("tests/unit/a.cc", "std::this_thread::sleep_for(1ms);", "event"),
                ("aggregator/shell.cc", "std::jthread t;", "ShellPorts"),
                ("plan/a.cc", 'getenv("HOME");', "environment"),
                ("plan/a.cc", "using namespace std;", "name what"),
                ("plan/a.cc", "throw 1;", "Error"),
                ("plan/a.cc", "assert(x);", "FX_CHECK"),
                ("rpc/a.cc", "std::thread(f).detach();", "join"),
                ("aggregator/engine/a.cc", "auto t = system_clock::now();", "function"),
                ("aggregator/engine/a.cc", 'LogInfo("x");', "function"),
                ("tests/unit/a.cc", "TEST(A, DISABLED_B) {}", "repair"),
                ("tests/unit/a.cc", "GTEST_SKIP();", "repair"),
                ("plan/a.cc", "#if 0", "git")]:
            with self.subTest(code):
                self.refuses(path, "// x\n" + code + "\n", path + ":2:", words)

    def test_accepts_what_only_looks_like_it(self):
        self.accepts("fx/a.cc", '// system(x)\nauto s = "rand()";\nfile.system(1); my_rand();\n')
        self.accepts("fx/a.cc", "file_system(1); static_assert(true); expand(2);\n")
        self.accepts("fx/a.cc", 'getenv("FX_HOME");\n')
        self.accepts("rpc/credentials.cc", 'getenv("GRPC");\n')
        self.accepts("fx/main.cc", "std::cout << 1;\n")
        self.accepts("rpc/a.cc", 'auto s = R"(throw "x" // )"; int n = 1\'000;\n')


class BannedWords(CheckCase):
    check = "banned_words"

    def test_refuses_notes_to_oneself_in_any_file(self):
        self.refuses("fx/a.cc", "// TODO: more\n", "TODO")
        self.refuses("docs/a.md", "text\nFIXME text\n", "docs/a.md:2:")
        self.refuses("CMakeLists.txt", "# XXX\n", "issue")
        self.accepts("docs/a.md", "todo lists are TODOs of others\n")


class Sizes(CheckCase):
    check = "sizes"

    def test_refuses_what_does_not_fit(self):
        self.refuses("fx/a.h", "int x;\n" * 601, "601 lines")
        self.accepts("fx/a.h", "int x;\n" * 600)
        self.refuses("fx/a.cc", "//" + "x" * 99 + "\n", "101 columns")
        self.accepts("fx/a.cc", "//" + "\u00e9" * 98 + "\n")

    def test_refuses_a_long_function_at_its_first_line(self):
        body = "  x();\n" * 68
        self.accepts("fx/a.cc", "\nvoid F() {\n" + body + "}\n")
        self.refuses("fx/a.cc", "\nvoid F() {\n" + body + "  y();\n}\n", "fx/a.cc:2:", "71 lines")
        self.refuses("fx/a.cc", "TEST(A, B) {\n" + body + "  y();\n}\n", "71 lines")

    def test_accepts_long_classes_namespaces_and_tables(self):
        fields = "  int x;\n" * 100
        self.accepts("fx/a.h", "namespace fx {\nclass A : public B {\n" + fields + "};\n}\n")
        self.accepts("fx/a.cc", "const int kTable[] = {\n" + "  1,\n" * 100 + "};\n")

    def test_notes_a_file_over_the_soft_limit(self):
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, "a.cc"), "w", encoding="utf-8") as f:
                f.write("int x;\n" * 401)
            found = list(checks.notes(source.files(root)))
        self.assertEqual([(path, line) for path, line, _ in found], [("a.cc", 1)])


class Functions(unittest.TestCase):
    def heads(self, code):
        return [(first, length) for first, length, _ in source.functions(source.blank(code))]

    def test_finds_functions_in_all_their_shapes(self):
        self.assertEqual(self.heads("int F() {\n  if (x) {\n  }\n}\n"), [(1, 4)])
        self.assertEqual(self.heads("class A {\n public:\n  A() : a_{1}, b_(2) {\n  }\n};\n"),
                         [(3, 2)])
        self.assertEqual(self.heads("class A {\n  int f() const {\n  }\n  int x_{0};\n};\n"),
                         [(2, 2)])
        self.assertEqual(self.heads("template <typename T>\nauto F(T t) -> int {\n}\n"), [(1, 3)])
        self.assertEqual(self.heads("#define X(a) {\nvoid F() {\n}\n"), [(2, 2)])

    def test_counts_a_lambda_with_the_function_around_it(self):
        self.assertEqual(self.heads("void F() {\n  auto f = [] {\n  };\n}\n"), [(1, 4)])


class Formatting(CheckCase):
    check = "formatting"

    def test_refuses_what_clang_format_would_change(self):
        self.refuses("fx/a.cc", "int x;\nint  y;\n", "fx/a.cc:2:", "clang-format -i")
        self.accepts("fx/a.cc", "int x;\nint y;\n")


class CmakeLists(unittest.TestCase):
    def found(self, cmake, path="fx/plan/a.cc", where="fx/CMakeLists.txt"):
        return violations("cmake_lists", {where: cmake, path: "// x\n"})

    def test_refuses_a_file_that_nobody_builds(self):
        self.assertIn("list plan/a.cc in fx/CMakeLists.txt", self.found("fx_library(x SRCS)")[0])
        self.assertEqual(len(self.found("SRCS plan/aa.cc")), 1)
        self.assertEqual(len(self.found("SRCS other/plan/a.cc")), 1)
        self.assertEqual(len(self.found("SRCS # plan/a.cc")), 1)

    def test_accepts_a_file_listed_in_the_nearest_folder(self):
        self.assertEqual(self.found("fx_library(x\n  SRCS plan/a.cc)"), [])
        self.assertEqual(self.found("SRCS a.cc)", where="fx/plan/CMakeLists.txt"), [])


class Openings(CheckCase):
    check = "openings"

    def test_refuses_headers_without_a_sentence_or_guard(self):
        self.refuses("fx/a.h", "#pragma once\n", "what it is for")
        self.refuses("fx/a.h", "// Says why.\n#ifndef A\n", "#pragma once")
        self.accepts("fx/a.h", "// Says why.\n#pragma once\n")

    def test_wants_a_sentence_of_a_source_file_without_header(self):
        self.refuses("fx/a.cc", "int x;\n", "what it is for")
        self.accepts("fx/a.cc", "// Says why.\nint x;\n")
        self.accepts("tests/unit/fx/a_test.cc", "int x;\n")
        tree = {"fx/a.h": "// Says why.\n#pragma once\n", "fx/a.cc": "int x;\n"}
        self.assertEqual(violations("openings", tree), [])


class DocLinks(CheckCase):
    check = "doc_links"

    def test_refuses_links_that_lead_nowhere(self):
        self.refuses("docs/a.md", "\n[x](b.md)\n", "docs/a.md:2:", "docs/b.md")
        self.refuses("docs/a.md", "[x](#no-such)\n", "names no heading")
        self.refuses("docs/a.md", "[x](../core/x.h)\n", "core/x.h")

    def test_accepts_links_that_lead_somewhere(self):
        self.accepts("docs/a.md", "# A file's `name`, twice\n[x](#a-files-name-twice) [y](a.md)\n")
        self.accepts("docs/a.md", "[x](https://example.org/y) [y](mailto:a@b)\n[z](../docs)\n")
        self.accepts("docs/a.md", "```\n[x](b.md)\n```\n`[x](c.md)`\n")


class Main(unittest.TestCase):
    def test_says_by_its_exit_code_what_it_found(self):
        with tempfile.TemporaryDirectory() as root:
            self.assertEqual(tidy.main([root]), 0)
            with open(os.path.join(root, "a.cc"), "w", encoding="utf-8") as f:
                f.write("int x;\n")
            self.assertEqual(tidy.main([root, "openings"]), 1)
            self.assertEqual(tidy.main([root, "no_such_check"]), 2)


if __name__ == "__main__":
    unittest.main()
