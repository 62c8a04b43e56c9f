"""YAML is read alike with and without libyaml."""

from __future__ import annotations

import random

import pytest
from cachekey.syntax import yaml as reader
from cachekey.syntax.yaml import YamlNode, parse
from cachekey.text import Source

TEXTS = (
    "jobs:\n  a:\n    steps:\n      - run: |\n          make\n        with: {a: \"b\\n\", c: [d, 'e''f']}\n",
    "a: &x\n  b: 1\nc:\n  <<: *x\n  d: >-\n    foo\n    bar\n\n\n  e: plain\n    more\n",
    "services:\n  a:\n    build: .\n    x: !reset null\n    y: ~\n---\nb: 2\n",
    '# c\r\na:\r\n  - b\r\n  - "c d\r\n    e"\r\n',
    "a: *nobody\n",
    "a: &a [*a]\n",
    "",
)
PIECES = (
    *"\t \n:\"'{}[]#|>%@`,\r\\é",
    *("- ", "&a ", "*a", "!x ", "\u2028", "\x85", "\U0001f600", "\ufeff", "\ud800", "\x07", "? "),
    *("---\n", "...\n", "<<: *a\n", "|2-", '"\\U0001F600"', '"\\ud83d"', ":-", "a:b", "- " * 25),
)


def told(text: str) -> object:
    seen: dict[int, int] = {}

    def of(node: YamlNode) -> object:
        if id(node.raw) in seen:
            return seen[id(node.raw)]
        seen[id(node.raw)] = len(seen)
        below = [of(one) for one in node.elements]
        pairs = [(of(key), of(value)) for key, value in node.members]
        value = node.raw.value if node.kind == "scalar" else None
        return (node.kind, node.span, node.tag, value, below, pairs)

    return [of(node) for node in parse(Source(text))]


@pytest.fixture(params=range(4))
def damaged(request: pytest.FixtureRequest) -> list[str]:
    dice = random.Random(request.param)
    found = list(TEXTS)
    for _ in range(150):
        text = dice.choice(TEXTS)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(text) + 1)
            text = text[:at] + dice.choice(PIECES) + text[at + dice.choice((0, 0, 0, 1, 3)) :]
        found.append(text)
    return found


def test_two_readers_agree(damaged: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fast = [told(text) for text in damaged]
    monkeypatch.setattr(reader, "_FAST", None)
    assert fast == [told(text) for text in damaged]


def test_nothing_is_too_deep() -> None:
    for text in ("- " * 29_000 + "x", "? " * 29_000, "\n".join(" " * i + "a:" for i in range(620))):
        parse(Source(text))


def test_what_takes_long_is_not_read() -> None:
    for text in (
        "a: [" + "1," * 31_000 + "]\n",
        "- a\n" * 31_000,
        "a: [" + "{a}," * 16_000 + "]\n",
    ):
        assert parse(Source(text)) == ()
    long = parse(Source("a: |\n" + "  words and words\n" * 10_000))
    assert len(long) == 1
    assert len(long[0].string("a") or "") > 100_000
