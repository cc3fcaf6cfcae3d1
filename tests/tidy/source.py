"""Reads the tree for tidy.py: which files there are, their code without comments and strings, and
where their functions begin and end. A rough reader of C++, exact enough for code that clang-format
has been over.
"""

import fnmatch
import os
import re

import rules

TEXT_ENDINGS = (".cc", ".h", ".py", ".sh", ".inc", ".cmake", ".md", ".txt", ".proto", ".yaml",
                ".json")

# Comments, raw strings, strings, characters (but not the ' of 1'000), longest first.
_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z])'(?:\\.|[^'\\\n])+'", re.DOTALL)


def matches(path, pattern):
    """Whether a path is meant by a pattern of rules.py."""
    if pattern.endswith("/") or pattern == "":
        return path.startswith(pattern)
    return fnmatch.fnmatch(path, pattern)


def matches_any(path, patterns):
    return any(matches(path, p) for p in patterns)


def blank(text):
    """The text with comments and the insides of strings turned to spaces; lines keep their places.
    """
    def hide(match):
        token = match.group(0)
        spaces = re.sub(r"[^\n]", " ", token)
        if token[0] == "/":
            return spaces
        return token[0] + spaces[1:-1] + token[-1]

    return _TOKEN.sub(hide, text)


class File:
    """One file of the tree: `path` from the root, `text`, and `code` for C++."""

    def __init__(self, root, path):
        self.root = root
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
            self.text = f.read()
        self.lines = self.text.splitlines()
        self._code = None

    @property
    def is_cpp(self):
        return self.path.endswith((".cc", ".h"))

    @property
    def code(self):
        if self._code is None:
            self._code = blank(self.text)
        return self._code

    def code_lines(self):
        return self.code.split("\n")

    def includes(self):
        """(line number, header, in quotes) of each #include that is not commented out."""
        for number, (code, raw) in enumerate(zip(self.code_lines(), self.lines), 1):
            if re.match(r"\s*#\s*include\b", code):
                match = re.search(r'include\s*(["<])([^">]+)[">]', raw)
                if match:
                    yield number, match.group(2), match.group(1) == '"'


def files(root):
    """All text files of the tree, in order; hidden folders and build folders are left out."""
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(d for d in subfolders if not re.fullmatch(rules.SKIP_FOLDERS, d))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            if name.endswith(TEXT_ENDINGS):
                found.append(File(root, path))
    return found


def _close(code, start):
    """Index just after the brace that closes the one at `start`."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, start):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return match.end()
    return len(code)


def _is_scope(head):
    """Whether `head {` opens a namespace, class or the like, in which functions may follow."""
    return re.search(r"\b(namespace|class|struct|union|extern)\b[^()=]*$", head) is not None


def _is_member_initializer(head):
    """Whether `head {` is the a_{ of `Foo::Foo() : a_{1} {`."""
    return re.search(r"\)\s*(noexcept\s*)?:(?!:)", head) and re.search(r"[\w>]\s*$", head)


def functions(code):
    """(first line, number of lines, head) of each function with a body in blanked code."""
    code = re.sub(r"(?m)^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()),
                  code)
    found = []
    head_start = 0
    at = 0
    mark = re.compile(r"[{};]|\b(?:public|private|protected)\s*:")
    while match := mark.search(code, at):
        at = match.end()
        if match.group() != "{":
            head_start = at
            continue
        head = code[head_start:match.start()]
        if _is_scope(head):
            head_start = at
            continue
        end = _close(code, match.start())
        if _is_member_initializer(head):
            at = end
            continue
        if "(" in head and not re.search(r"=\s*$", head):
            begin = head_start + len(head) - len(head.lstrip())
            first = code.count("\n", 0, begin) + 1
            found.append((first, code.count("\n", begin, end) + 1, " ".join(head.split())))
        at = head_start = end
    return found
