"""Checks the tree against rules.py:  tidy.py ROOT [CHECK ...]

Prints each violation as path:line: sentence, and exits with 1 if there is any. Without a CHECK all
are made; their names are those of the functions in checks.py.
"""

import sys

import checks
import source


def run(root, names):
    """The violations of the named checks, as printable lines."""
    files = source.files(root)
    return [f"{path}:{line}: {what}"
            for name in names for path, line, what in checks.ALL[name](files)]


def main(arguments):
    if not arguments or any(name not in checks.ALL for name in arguments[1:]):
        print(f"usage: tidy.py ROOT [{' | '.join(checks.ALL)} ...]", file=sys.stderr)
        return 2
    root, names = arguments[0], arguments[1:] or list(checks.ALL)
    if "sizes" in names:
        for path, line, what in checks.notes(source.files(root)):
            print(f"note: {path}:{line}: {what}")
    violations = run(root, names)
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations of {', '.join(names)}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
