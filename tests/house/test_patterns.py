"""No pattern goes back and forth over a text: 25 blank lines must not stop the server.

regexploit finds what takes the third power of a text's length or more, in every pattern that a module
makes when it is read. Squares are found by ``make fuzz``, which takes the time of long texts.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator

import cachekey
import pytest


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Read every module anew and tell which patterns it makes, and where."""
    made: list[tuple[str, re.Pattern[str]]] = []
    compile_ = re.compile

    def noted(pattern: str | re.Pattern[str], flags: int = 0) -> re.Pattern[str]:
        frame = sys._getframe(1)
        compiled = compile_(pattern, flags)
        module = str(frame.f_globals.get("__name__"))
        if module.startswith("cachekey") and isinstance(compiled.pattern, str):
            made.append((f"{module}:{frame.f_lineno}", compiled))
        return compiled

    re.compile = noted  # type: ignore[assignment]
    for module in pkgutil.walk_packages(cachekey.__path__, "cachekey."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return iter(made)


def steep(pattern: re.Pattern[str]) -> bool:
    """Tell whether a text exists that the pattern goes over again and again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from regexploit.ast.sre import SreOpParser
        from regexploit.redos import find
    return any(find(SreOpParser().parse_sre(pattern.pattern, pattern.flags)))


@pytest.mark.parametrize("text", [r"(?:\s*(?:#.*)?\n)*FROM", r"(a+)+b", r"a*a*a*b"])
def test_what_is_found(text: str) -> None:
    assert steep(re.compile(text))


def test_no_pattern_goes_back_and_forth() -> None:
    # A process of its own: the modules are read there for the first time.
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split("\n", 1)[1]) == (0, ""), done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 200


if __name__ == "__main__":
    found = list(patterns())
    print(len(found), "patterns")
    for where, pattern in found:
        if steep(pattern):
            print(where, pattern.pattern)
