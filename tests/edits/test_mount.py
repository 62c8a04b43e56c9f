"""Where a fix puts one more flag of a RUN: as whoever wrote the file puts theirs."""

from __future__ import annotations

import pytest
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits.mount import add_mount
from cachekey.text import apply_edits

from tests.support.checking import make_project

ONE = "--mount=type=cache,target=/a"
TWO = "--mount=type=cache,target=/b"
LONG = "x" * 80

PLACES = {
    "a short line": ("RUN make\n", f"RUN {ONE} make\n"),
    "beside another flag": ("RUN --network=none make\n", f"RUN --network=none {ONE} make\n"),
    "a long line": (f"RUN {LONG} make\n", f"RUN {ONE} \\\n    {LONG} make\n"),
    "a command on several lines": (
        "RUN make && \\\n  make install\n",
        f"RUN {ONE} \\\n  make && \\\n  make install\n",
    ),
    "a command that begins in the second line": (
        "RUN \\\n\tmake\n",
        f"RUN {ONE} \\\n\tmake\n",
    ),
    "flags on lines of their own": (
        "RUN --network=none \\\n      --security=insecure \\\n      make\n",
        f"RUN --network=none \\\n      --security=insecure \\\n      {ONE} \\\n      make\n",
    ),
    "behind the last of them": (
        "RUN --network=none \\\n  --security=insecure make\n",
        f"RUN --network=none \\\n  --security=insecure \\\n  {ONE} \\\n  make\n",
    ),
    "a comment between": (
        "RUN \\\n  # why\n  make\n",
        f"RUN {ONE} \\\n  # why\n  make\n",
    ),
    "blanks behind the continuation": ("RUN \\ \n  make\n", f"RUN {ONE} \\ \n  make\n"),
    "line ends of Windows": (
        "RUN make && \\\r\n  make install\r\n",
        f"RUN {ONE} \\\r\n  make && \\\r\n  make install\r\n",
    ),
    "a here-document": ("RUN <<EOF\nmake\nEOF\n", f"RUN {ONE} <<EOF\nmake\nEOF\n"),
    "a here-document behind a command": (
        f"RUN {LONG} <<EOF\nmake\nEOF\n",
        f"RUN {ONE} \\\n    {LONG} <<EOF\nmake\nEOF\n",
    ),
    "the exec form": ('RUN ["make"]\n', f'RUN {ONE} ["make"]\n'),
    "an instruction behind another": ("  ONBUILD RUN make\n", f"  ONBUILD RUN {ONE} make\n"),
    "a file without a last line end": ("RUN make", f"RUN {ONE} make"),
}


def added(text: str, *flags: str) -> str:
    first = "FROM a\r\n" if "\r" in text else "FROM a\n"
    document = make_project({"Dockerfile": first + text}).documents["Dockerfile"]
    assert isinstance(document, Dockerfile)
    changed = apply_edits(document.source.text, [add_mount(document, document.runs[0], *flags)])
    again = make_project({"Dockerfile": changed}).documents["Dockerfile"]
    assert isinstance(again, Dockerfile)
    assert len(again.runs[0].mounts) == len(flags)
    return changed.removeprefix(first)


@pytest.mark.parametrize("name", PLACES)
def test_a_flag_goes_where_the_others_are(name: str) -> None:
    before, after = PLACES[name]
    assert added(before, ONE) == after


def test_two_flags_that_make_a_long_line_have_one_each() -> None:
    assert added("RUN make\n", ONE, TWO) == f"RUN {ONE} {TWO} make\n"
    assert added(f"RUN {LONG}\n", ONE, TWO) == f"RUN {ONE} \\\n    {TWO} \\\n    {LONG}\n"


def test_the_file_says_what_continues_a_line() -> None:
    text = f"# escape=`\nFROM a\nRUN {LONG} make\n"
    document = make_project({"Dockerfile": text}).documents["Dockerfile"]
    assert isinstance(document, Dockerfile)
    edit = add_mount(document, document.runs[0], ONE)
    assert apply_edits(text, [edit]) == text.replace("RUN ", f"RUN {ONE} `\n    ")
