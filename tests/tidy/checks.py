"""The checks of tidy.py. Each takes the files of a tree and yields (path, line, what is wrong and
what to do about it). Notes, which fail nothing, are yielded by `notes`.
"""

import os
import posixpath
import re
import shutil
import subprocess

import rules
from source import functions, matches, matches_any


def _cpp(files):
    return [f for f in files if f.is_cpp]


def _top_folders():
    return {folder.split("/")[0] for folder in rules.MAY_INCLUDE}


def _allowed(path):
    """What a file may include, by the longest folder of the table that it lies in."""
    owners = [f for f in rules.MAY_INCLUDE if path.startswith(f)]
    if not owners:
        return None, []
    owner = max(owners, key=len)
    return owner, [owner] + rules.MAY_INCLUDE[owner]


def include_graph(files):
    """Folders include only what lies below them."""
    for f in _cpp(files):
        owner, allowed = _allowed(f.path)
        for line, header, quoted in f.includes():
            if not quoted or header.endswith(".pb.h"):
                continue
            if header.split("/")[0] not in _top_folders() or "/../" in header:
                yield f.path, line, (f'"{header}" is not a path from the root of the repository; '
                                     'write for example "core/base/error.h"')
            elif owner is None:
                yield f.path, line, "give this folder a row in MAY_INCLUDE of tests/tidy/rules.py"
            elif not any(header.startswith(a) for a in allowed):
                may = ", ".join(a for a in allowed if a != owner) or "nothing else"
                yield f.path, line, (f"{owner} may not include {header}; it may include {may}. "
                                     "Move the code, or pass what is needed as an argument")


def doors(files):
    """Each third-party library is included behind its own door only."""
    for f in _cpp(files):
        for line, header, quoted in f.includes():
            found = [d for d in rules.DOORS if re.match(d[1], header)]
            if found:
                library, _, allowed, instead = found[0]
                if not matches_any(f.path, allowed + ["tests/"]):
                    yield f.path, line, (f"<{header}> of {library} may only be included in "
                                         f"{', '.join(allowed) or 'tests/'}; {instead}")
            elif not quoted and not re.fullmatch(rules.SYSTEM_HEADERS, header):
                yield f.path, line, (f"<{header}> belongs to a library without a door; give it one "
                                     "in DOORS of tests/tidy/rules.py, with a reason in docs/adr")


def banned_code(files):
    """Calls that have a better replacement."""
    for f in _cpp(files):
        for pattern, where, exceptions, instead in rules.BANNED_CODE:
            if not matches_any(f.path, where) or matches_any(f.path, exceptions):
                continue
            for match in re.finditer(pattern, f.code, re.MULTILINE):
                line = f.code.count("\n", 0, match.start()) + 1
                yield f.path, line, f"{match.group().strip()} is not used here: {instead}"


def banned_words(files):
    """Notes to oneself belong in an issue."""
    for f in files:
        for pattern, exceptions, instead in rules.BANNED_WORDS:
            if matches_any(f.path, exceptions):
                continue
            for number, line in enumerate(f.lines, 1):
                if match := re.search(pattern, line):
                    yield f.path, number, f"{match.group()} is not left behind: {instead}"


def sizes(files):
    """Files, functions and lines keep to a size that fits a head and a screen."""
    for f in files:
        if f.path.endswith((".md", ".yaml", ".json", ".txt", ".proto")) and not \
                f.path.endswith("CMakeLists.txt"):
            continue
        if len(f.lines) > rules.HARD_FILE_LINES:
            yield f.path, 1, (f"{len(f.lines)} lines, at most {rules.HARD_FILE_LINES}: split the "
                              "file where its ideas part")
        for number, line in enumerate(f.lines, 1):
            if len(line) > rules.COLUMNS:
                yield f.path, number, f"{len(line)} columns, at most {rules.COLUMNS}: wrap the line"
        if f.is_cpp:
            for first, length, head in functions(f.code):
                if length > rules.FUNCTION_LINES:
                    yield f.path, first, (f"a function of {length} lines, at most "
                                          f"{rules.FUNCTION_LINES}: {head[:60]} ... split it")


def formatting(files):
    """Files are as clang-format leaves them."""
    paths = [os.path.join(f.root, f.path) for f in _cpp(files)]
    if not paths:
        return
    if shutil.which("clang-format") is None:
        yield ".clang-format", 1, "clang-format is not installed: run scripts/install-deps test"
        return
    done = subprocess.run(["clang-format", "--dry-run", *paths], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    first_lines = {}
    for path, line in re.findall(r"(?m)^(.*?):(\d+):\d+: (?:warning|error):", done.stdout):
        first_lines.setdefault(os.path.relpath(path, files[0].root), int(line))
    for path, line in first_lines.items():
        yield path, line, "not as clang-format leaves it: run clang-format -i on the file"


def cmake_lists(files):
    """Every .cc is built, and so every test runs."""
    lists = {posixpath.dirname(f.path): f.text for f in files
             if posixpath.basename(f.path) == "CMakeLists.txt"}
    for f in files:
        if not f.path.endswith(".cc"):
            continue
        folder = posixpath.dirname(f.path)
        while folder not in lists and folder:
            folder = posixpath.dirname(folder)
        name = posixpath.relpath(f.path, folder or ".")
        text = re.sub(r"#[^\n]*", "", lists.get(folder, ""))
        if not re.search(r"(?<![\w./])" + re.escape(name) + r"(?![\w./])", text):
            yield f.path, 1, f"no target builds it: list {name} in {folder or '.'}/CMakeLists.txt"


def openings(files):
    """A file opens with a sentence that says what it is for."""
    for f in _cpp(files):
        is_header = f.path.endswith(".h")
        has_header = any(other.path == f.path[:-3] + ".h" for other in files)
        opens = f.text.startswith("// ")
        if is_header and "\n#pragma once\n" not in "\n" + f.text:
            yield f.path, 1, "a header without #pragma once: put it after the opening comment"
        if is_header and not opens:
            yield f.path, 1, "open the header with a comment that says what it is for"
        if not is_header and not has_header and not opens and \
                not matches(f.path, "tests/unit/"):
            yield f.path, 1, "a .cc without a header opens with a comment that says what it is for"


def _slug(heading):
    """GitHub's name of a heading: letters, digits, hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _anchors(text):
    return {_slug(h) for h in re.findall(r"(?m)^#+ +(.*)$", text)}


def doc_links(files):
    """Links of the documentation lead somewhere."""
    pages = {f.path: f for f in files if f.path.endswith(".md")}
    known = {f.path for f in files}
    for path, f in pages.items():
        fence = False
        for number, line in enumerate(f.lines, 1):
            fence ^= line.lstrip().startswith("```")
            links = [] if fence else re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line))
            for link in links:
                target, _, anchor = link.partition("#")
                if re.match(r"[a-z]+:", link):
                    continue
                to = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) \
                    if target else path
                if to not in known and not _exists(f, to):
                    yield path, number, f"the link {link} leads to {to}, which does not exist"
                elif anchor and to in pages and anchor not in _anchors(pages[to].text):
                    yield path, number, f"the link {link} names no heading of {to}"


def _exists(file, path):
    return os.path.exists(os.path.join(file.root, path))


def notes(files):
    """What is allowed but should be looked at."""
    for f in _cpp(files):
        if rules.SOFT_FILE_LINES < len(f.lines) <= rules.HARD_FILE_LINES:
            yield f.path, 1, f"{len(f.lines)} lines, more than {rules.SOFT_FILE_LINES}"


ALL = {check.__name__: check for check in (
    include_graph, doors, banned_code, banned_words, sizes, formatting, cmake_lists, openings,
    doc_links)}
