"""The JSONC scanner reads what jsonc-parser reads, knows all places, and never fails."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cachekey.syntax.jsonc import edit as jsonc_edit
from cachekey.syntax.jsonc.json5 import json5_parts
from cachekey.syntax.jsonc.parse import MAX_DEPTH, parse, span_in
from cachekey.syntax.jsonc.tree import Node
from cachekey.text import Source, Span, apply_edits
from hypothesis import given
from hypothesis import strategies as st

CLIENT = Path(__file__).parents[2] / "client-vscode"

TOKENS = [
    *("{", "}", "[", "]", ",", ":", '"a"', '"b"', '"c\\n"', "1", "0x1F", "-2.5e3", "1.", "true"),
    *("null", "'s q'", "word", " ", "\n", "// c\n", "/* d */", '"un\n', "\\", "#x", "+3"),
    *('"\\u00e9"', '"\\x41"', "/", '"mounts"', '"type=cache,target=/c"', "\ufeff"),
]
SAMPLE = (
    '{"image":"x", /* c */ "mounts":["type=cache,id=u1,target=/c", {"type":"volume"},], '
    '"n": {"a": [1,2,{"b":null}]}, }'
)


def value(node: Node | None) -> Any:
    if node is None:
        return None
    if node.kind == "object":
        return {member.key.text: value(member.value) for member in node.effective()}
    if node.kind == "array":
        return [value(element.value) for element in node.elements]
    return node.text.text if node.text is not None else node.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("// only a comment", None),
        ('\ufeff{"a": 1}', {"a": 1}),
        ('# first line\n{"a": 1}', {"a": 1}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ('{"a": [1, 2, {"b": "c"', {"a": [1, 2, {"b": "c"}]}),
        ('{"a": 1} trailing garbage {', {"a": 1}),
        ('{"a": [1, 2,],}', {"a": [1, 2]}),
        ('{"a": \'single\', unquoted: 1, "b": 2}', {"b": 2}),
        ('{"a": 0x1F, "b": +3000, "c": `x`}', {"a": 0}),
        ('{"a": "cut\nhere", "b": 1}', {"a": "cut"}),
        ('{"a": "\\x41\\q"}', {"a": "41"}),
        ('{"a": tru', {}),
        ('{"mou', {}),
    ],
)
def test_recovery(text: str, expected: Any) -> None:
    """Each was given to jsonc-parser, of which the Dev Containers CLI ignores the errors."""
    assert value(parse(Source(text)).root) == expected


@pytest.mark.skipif(
    not shutil.which("node") or not (CLIENT / "node_modules/jsonc-parser").is_dir(),
    reason="needs node and the client's development packages",
)
def test_it_reads_what_jsonc_parser_reads() -> None:
    """Broken files on purpose: random tokens, every prefix of a file, random edits of it."""
    chance = random.Random(20)
    inputs = ["".join(chance.choices(TOKENS, k=chance.randint(1, 14))) for _ in range(1000)]
    inputs += [SAMPLE[:end] for end in range(len(SAMPLE))]
    for _ in range(500):
        chars = list(SAMPLE)
        chars[chance.randrange(len(chars))] = chance.choice([*TOKENS, ""])
        inputs.append("".join(chars))
    script = (
        "const {parse} = require('jsonc-parser');"
        "const inputs = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "console.log(JSON.stringify(inputs.map(t => parse(t) ?? null)));"
    )
    run = subprocess.run(
        ["node", "-e", script],
        cwd=CLIENT,
        input=json.dumps(inputs),
        capture_output=True,
        text=True,
        check=True,
    )
    for text, expected in zip(inputs, json.loads(run.stdout), strict=True):
        assert value(parse(Source(text)).root) == expected, text


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "one\\\ntwo", "b": 1}',
        '{"a": "one\\\n", "b": ["x\\\n\\\ny"]}',
        '{"a\\\n": 1}',
        '{"a": "\\\n',
        '{"a": "cut\n", "b": 1}',
    ],
)
def test_crlf_reads_as_lf(text: str) -> None:
    """Also behind a backslash inside of a string."""
    assert value(parse(Source(text)).root) == value(parse(Source(text.replace("\n", "\r\n"))).root)


def nodes(node: Node) -> list[Node]:
    inside = [member.value for member in node.members if member.value]
    inside += [element.value for element in node.elements]
    return [node, *(other for child in inside for other in nodes(child))]


@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join))
def test_spans_lie_in_each_other(text: str) -> None:
    tree = parse(Source(text))
    for node in nodes(tree.root) if tree.root else ():
        assert 0 <= node.span.start < node.span.end <= len(text)
        for member in node.members:
            assert node.span.covers(member.span)
            assert text[member.key_span.start] == '"'
            assert member.comma is None or text[slice(*member.comma)] == ","
        for element in node.elements:
            assert node.span.covers(element.span)
            assert element.comma is None or text[slice(*element.comma)] == ","


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    parse(Source(text))
    list(json5_parts(parse(Source(text))))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=12,
    ),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_json_is_read_as_json(data: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    tree = parse(Source(text))
    assert value(tree.root) == data
    assert tree.skipped == ()


def test_deep_nesting_is_passed_over() -> None:
    for text in ("[" * 300_000, '{"a":' * 100_000, "[" * 1000 + "1" + "]" * 1000):
        tree = parse(Source(text))
        assert tree.root is not None
        assert tree.root.span == Span(0, len(text))
        assert len(nodes(tree.root)) == MAX_DEPTH + 1


def test_a_part_of_a_string_with_escapes() -> None:
    text = r'["type=\u0063ache,\ttarget=/c\ud83d\ude00d"]'
    root = parse(Source(text)).root
    assert root is not None
    string = root.elements[0].value.text
    assert string is not None
    assert string.text == "type=cache,\ttarget=/c\U0001f600d"

    def shown(part: str) -> str:
        start = string.text.index(part)
        return text[slice(*span_in(string, start, start + len(part)))]

    assert shown("cache") == r"\u0063ache"
    assert shown("\t") == r"\t"
    assert shown("/c\U0001f600") == r"/c\ud83d\ude00"
    assert shown("d") == "d"


def insert(text: str, entry: str, path: tuple[str, ...] = (), after: int | None = None) -> str:
    source = Source(text)
    root = parse(source).root
    assert root is not None
    node: Node | None = root
    for name in path:
        assert node is not None
        node = node.get(name)
    assert node is not None
    return apply_edits(text, jsonc_edit.insert(source, root, node, entry, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{ "k": 1 }'),
        ("{ }", '{\n  "k": 1\n}'),
        ("{\n}", '{\n  "k": 1\n}'),
        ('{ "a": 1 }', '{ "a": 1, "k": 1 }'),
        ('{ "a": 1, }', '{ "a": 1, "k": 1, }'),
        ('{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"k": 1\n}'),
        ('{\n  "a": 1,\n}', '{\n  "a": 1,\n  "k": 1,\n}'),
        ('{\n  "a": 1 // one\n}', '{\n  "a": 1, // one\n  "k": 1\n}'),
        ('{\n  "a": 1, // one\n  // rest\n}', '{\n  "a": 1, // one\n  "k": 1,\n  // rest\n}'),
        ('{\r\n  "a": 1 /* x */\r\n}', '{\r\n  "a": 1, /* x */\r\n  "k": 1\r\n}'),
        ("{\n  // nothing yet\n}", '{\n  // nothing yet\n  "k": 1\n}'),
        (
            '{\n    "a": {\n        "b": 1\n    }\n}',
            '{\n    "a": {\n        "b": 1\n    },\n    "k": 1\n}',
        ),
    ],
)
def test_insert_at_the_end(before: str, after: str) -> None:
    assert insert(before, '"k": 1') == after


@pytest.mark.parametrize(
    ("before", "position", "after"),
    [
        ('{ "a": 1, "b": 2 }', -1, '{ "k": 1, "a": 1, "b": 2 }'),
        ('{ "a": 1, "b": 2 }', 0, '{ "a": 1, "k": 1, "b": 2 }'),
        ('{\n  // head\n  "a": 1\n}', -1, '{\n  "k": 1,\n  // head\n  "a": 1\n}'),
        ('{ // head\n  "a": 1\n}', -1, '{ // head\n  "k": 1,\n  "a": 1\n}'),
        (
            '{\n  "a": 1, // one\n  // two\n  "b": 2\n}',
            0,
            '{\n  "a": 1, // one\n  "k": 1,\n  // two\n  "b": 2\n}',
        ),
    ],
)
def test_insert_in_between(before: str, position: int, after: str) -> None:
    assert insert(before, '"k": 1', after=position) == after


def remove(text: str, *names: str) -> str:
    source = Source(text)
    root = parse(source).root
    assert root is not None
    entries = [member for member in root.members if member.key.text in names]
    return apply_edits(text, jsonc_edit.remove(source, root, entries))


@pytest.mark.parametrize(
    ("before", "names", "after"),
    [
        ('{ "a": 1, "b": 2, "c": 3 }', "a", '{ "b": 2, "c": 3 }'),
        ('{ "a": 1, "b": 2, "c": 3 }', "b", '{ "a": 1, "c": 3 }'),
        ('{ "a": 1, "b": 2, "c": 3 }', "c", '{ "a": 1, "b": 2 }'),
        ('{ "a": 1, "b": 2, "c": 3 }', "bc", '{ "a": 1 }'),
        ('{ "a": 1, "b": 2, "c": 3 }', "ac", '{ "b": 2 }'),
        ('{ "a": 1 }', "a", "{}"),
        ('{\n  "a": 1, // one\n  // two\n  "b": 2 // 2\n}', "a", '{\n  // two\n  "b": 2 // 2\n}'),
        ('{\n  "a": 1, // one\n  "b": 2 // 2\n}', "b", '{\n  "a": 1 // one\n}'),
        ('{\n  "a": 1,\n  "b": 2,\n}', "b", '{\n  "a": 1,\n}'),
    ],
)
def test_remove(before: str, names: str, after: str) -> None:
    assert remove(before, *names) == after


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(0, 9), max_size=4),
    st.sampled_from([None, 2, "\t"]),
    st.booleans(),
    st.integers(-1, 4),
)
def test_an_inserted_member_is_there_and_nothing_else_changes(
    data: dict[str, int], indent: int | str | None, trailing: bool, position: int
) -> None:
    text = json.dumps(data, indent=indent)
    if trailing and data:
        text = text[:-1].rstrip() + "," + text[len(text[:-1].rstrip()) :]
    after = position if -1 <= position < len(data) else None
    result = value(parse(Source(insert(text, '"k": [1]', after=after))).root)
    assert result == {**data, "k": [1]}
    order = list(result)
    assert [name for name in order if name != "k"] == list(data)


def test_json5_is_told_from_json() -> None:
    text = '{ a: \'x\', "b": [0x10, .5, +1, 2], "c": "it\'s", d'
    parts = [(text[slice(*part.span)], part.json) for part in json5_parts(parse(Source(text)))]
    assert parts == [("a", '"a"'), ("'x'", '"x"'), ("0x10", "16"), (".5", "0.5"), ("+1", "1")]
