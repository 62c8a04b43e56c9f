"""The CSV record of a mount flag: BuildKit's recorded answers, and places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cachekey.syntax.dockerfile.mountflag import Field, MountFlag, parse_mount
from cachekey.syntax.dockerfile.parse import parse
from cachekey.text import Mapped, Source, Span
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parent.parent / "data"
HEAD: dict[str, Any] = json.loads((DATA / "buildkit-syntax.json").read_text("utf-8"))


def read(text: str) -> MountFlag:
    return parse_mount(Mapped.plain(Source(text), Span(0, len(text))))


def content(field: Field) -> str:
    return field.name.text + ("" if field.value is None else "=" + field.value.text)


@pytest.mark.parametrize(("text", "judged"), HEAD["csv"], ids=lambda value: repr(value)[:40])
def test_agrees_with_buildkit(text: str, judged: dict[str, Any]) -> None:
    mount = read(text)
    if "error" in judged:
        assert mount.problem is not None
        assert mount.problem.message == f"failed to parse csv mounts: {judged['error']}"
    else:
        assert mount.problem is None
        # The recorded answers are in the form that BuildKit's flag splitter gives to non-ASCII.
        fields = [content(field).encode().decode("latin-1") for field in mount.fields]
        assert fields == judged["result"]


def test_the_message_of_a_bare_quote() -> None:
    text = 'RUN --mount=type=cache,id=a\\"b,ro x'
    (run,) = parse(Source(text)).instructions
    assert run.flags[0].value is not None
    mount = parse_mount(run.flags[0].value)
    assert mount.problem is not None
    assert mount.problem.message == (
        'failed to parse csv mounts: parse error on line 1, column 16: bare " in non-quoted-field'
    )
    assert text[slice(*mount.problem.span)] == '"'
    assert [content(field) for field in mount.fields] == ["type=cache", 'id=a"b', "ro"]


def test_places_in_the_file() -> None:
    text = "RUN --mount=Type=cache,'\"id=a,b\"',target=/x,,ro y"
    (run,) = parse(Source(text)).instructions
    assert run.flags[0].value is not None
    mount = parse_mount(run.flags[0].value)
    assert mount.problem is None
    assert [field.key for field in mount.fields] == ["type", "id", "target", "", "ro"]
    assert mount.fields[0].name.text == "Type"
    values = [field.value for field in mount.fields]
    assert [value.text if value else None for value in values] == [
        "cache",
        "a,b",
        "/x",
        None,
        None,
    ]
    for field in mount.fields[:1] + mount.fields[2:]:
        assert text[slice(*field.span)] == content(field)
    assert text[slice(*mount.fields[1].span)] == '"id=a,b"'
    assert values[1] is not None
    assert text[slice(*values[1].span())] == "a,b"
    assert mount.fields[3].span == Span(text.index(",,") + 1, text.index(",,") + 1)


def test_doubled_quotes_keep_their_places() -> None:
    text = '"id=a""b",c'
    mount = read(text)
    value = mount.fields[0].value
    assert value is not None
    assert value.text == 'a"b'
    assert value.offset(2) == text.index("b")


def test_an_empty_value_is_no_record() -> None:
    mount = read("")
    assert mount.fields == ()
    assert mount.problem is not None
    assert mount.problem.message == "failed to parse csv mounts: EOF"


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text(alphabet='",=aé\n ', max_size=30))
def test_fields_lie_in_the_text_and_in_order(text: str) -> None:
    mount = read(text)
    at = 0
    for field in mount.fields:
        assert at <= field.span.start <= field.span.end <= len(text)
        at = field.span.end
        assert field.key == field.name.text.lower()
        for mapped in (field.name, field.value):
            if mapped is not None:
                for index, char in enumerate(mapped.text):
                    assert text[mapped.offset(index)] == char
