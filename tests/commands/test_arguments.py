"""A script's arguments stand where it asks for them, as long as it is known which is the first."""

from __future__ import annotations

import subprocess
from time import process_time

import pytest
from cachekey.commands.whereabouts import handed
from cachekey.text import Elsewhere, Mapped, Source, Span

CALLER = Mapped.plain(Source("./setup.sh"), Span(0, 10))


def given(text: str, *args: str | None) -> str:
    """Return a script's text with its arguments filled in."""
    return handed(Elsewhere.of(text, "setup.sh", CALLER), args).text


@pytest.mark.parametrize(
    ("text", "args", "filled"),
    [
        ('sudo chown dev "$1"\n', ("/cache",), 'sudo chown dev "/cache"\n'),
        ('ls $1 ${2} "$(dirname "$1")"\n', ("/a", "/b"), 'ls /a /b "$(dirname "/a")"\n'),
        ("ls ${1:-/x} ${2:-/y}\n", ("/a",), "ls /a /y\n"),
        ("ls ${1:-/x}\n", (), "ls /x\n"),
        ('for d in "$@"; do ls "$d"; done\n', ("/a", "/b"), 'for d in /a /b; do ls "$d"; done\n'),
        ("u=$1\nshift\nchown $u $1\n", ("dev", "/a"), "u=dev\nshift\nchown $u /a\n"),
        ("shift 2\nls $@\n", ("a", "b", "/c"), "shift 2\nls /c\n"),
        ("own() {\n  chown dev $1\n}\nown $1\n", ("/a",), None),
        ("awk '{print $1}' x\n", ("/a",), None),
        ("# it's $1\nls \\$1 $10 ${#1} ${1%/} $#\n", ("/a",), None),
        ("cat <<EOF\n$1\nEOF\n", ("/a",), None),
        ("while [ $# -gt 0 ]; do\n  ls $1\n  shift\ndone\nls $1\n", ("/a",), None),
        ("while true; do\nls $1\nshift\ndone\n", ("/a",), None),
        ("set -- x\nls $1\n", ("/a",), None),
        ("ls $1\nset -- x\nls $1\n", ("/a",), "ls /a\nset -- x\nls $1\n"),
        ("ls $2 $@\n", (None, "/b"), None),
        ("ls $1\n", ("a b",), None),
        ("ls $1\n", ("$(id)",), None),
    ],
)
def test_what_a_script_is_given(
    text: str, args: tuple[str | None, ...], filled: str | None
) -> None:
    assert given(text, *args) == (text if filled is None else filled)


@pytest.mark.parametrize(
    "text",
    [
        'echo "$1" ${2:-x} "$@"\n',
        'echo "it\'s $1" \'$1\' \\$1 "\\$1"\n',
        'first=$1\nshift\necho $first $1 "$@"\n',
        'for d in "$@"; do echo "$d" $1; done\n',
    ],
)
@pytest.mark.parametrize("args", [("a",), ("a", "/b"), ("a", "/b", "c.d")])
def test_a_shell_says_the_same(text: str, args: tuple[str, ...]) -> None:
    def said(script: str) -> str:
        run = subprocess.run(
            ["sh", "-c", script, "sh", *args], capture_output=True, text=True, check=True
        )
        return run.stdout

    assert said(given(text, *args)) == said(text)


@pytest.mark.parametrize("line", ["shift\n", "for x in $@\n", "ls '$1\n", 'ls "$1\n', "$1", "f(\n"])
def test_a_long_script_costs_its_length(line: str) -> None:
    begun = process_time()
    given(line * 20_000, *(["/cache"] * 200))
    assert process_time() - begun < 5
