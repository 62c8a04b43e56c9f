"""YAML as nodes with exact spans, read by PyYAML's ``compose()``.

Where PyYAML has libyaml, that reads what both read alike, ten times as fast; Python's own reader decides
what libyaml refuses, and whatever holds characters that the two take differently (a tab, a byte order mark).
What PyYAML refuses (tabs as indentation, an unclosed bracket) is unknown from top to bottom: there
is no document then. ``refusal`` tells what Go's reader refuses as well. Aliases stay references, so
that no text can make the tree larger than itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import yaml

from cachekey.record import cached_property, record
from cachekey.text import Mapped, Source, Span

Kind = Literal["mapping", "sequence", "scalar"]

LARGEST = 200_000
"""Characters; a larger file is data."""
_MOST_MARKS = 30_000
"""What may begin a node. Its number decides how long PyYAML takes: more of them, and an editor waits."""
_MARK = re.compile(r"[\n\r\x85\u2028\u2029,\[{]|[-?:] ")
_DEEPEST = 40
"""Brackets within each other: PyYAML needs the square of their number."""
_MOST_DOCUMENTS = 16
_FAST: Any = getattr(yaml, "CSafeLoader", None)
_APART = re.compile(
    r"[^\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    # So many nodes in each other on one line: libyaml's composer does not count how deep it is.
    r"|(?:[-?:][ ]+){20}"
)
"""What libyaml and Python's reader may take differently."""
_WORDS = re.compile(r"\S+|\s+")
_MOST_MERGES = 32
"""Mappings that ``<<`` may lead to from one mapping, each once."""


@record(frozen=True, eq=False, repr=False)
class YamlNode:
    """One value of the file. Aliases are the node that they name: there may be circles."""

    kind: Kind
    span: Span
    """The whole value, quotes included; a block's ends where the next token begins."""
    tag: str
    """``!reset`` and the like as written; what YAML gives a plain text itself otherwise."""
    source: Source
    raw: Any
    """PyYAML's node."""

    @cached_property
    def text(self) -> Mapped | None:
        """Return a scalar's text; ``None`` for other kinds and for ``null``."""
        if self.kind != "scalar" or self.tag == "tag:yaml.org,2002:null":
            return None
        return _mapped(self.source, self.span, str(self.raw.value))

    @cached_property
    def elements(self) -> tuple[YamlNode, ...]:
        """Return the elements of a sequence."""
        return tuple(_node(self.source, item) for item in _values(self, "sequence"))

    @cached_property
    def members(self) -> tuple[tuple[YamlNode, YamlNode], ...]:
        """Return keys and values of a mapping as written, ``<<`` included."""
        return tuple(
            (_node(self.source, key), _node(self.source, value))
            for key, value in _values(self, "mapping")
        )

    @cached_property
    def entries(self) -> dict[str, tuple[YamlNode, YamlNode]]:
        """Return key and value by name: own ones over those that ``<<`` merges in."""
        found: dict[str, tuple[YamlNode, YamlNode]] = {}
        for node in reversed(tuple(_merged(self))):
            for key, value in node.members:
                if key.text is not None and key.text.text != "<<":
                    found[key.text.text] = (key, value)
        return found

    def get(self, name: str) -> YamlNode | None:
        """Return the value of a key."""
        found = self.entries.get(name) if self.kind == "mapping" else None
        return found[1] if found else None

    def string(self, name: str) -> Mapped | None:
        """Return the text of a key whose value is a scalar."""
        value = self.get(name)
        return value.text if value is not None else None


def parse(source: Source) -> tuple[YamlNode, ...]:
    """Return the documents of a file; none when it cannot be read or is too large. Never raises."""
    if _is_too_large(source.text):
        return ()
    loaders: tuple[Any, ...] = (yaml.SafeLoader,)
    if _FAST is not None and not _APART.search(source.text):
        loaders = (_FAST, yaml.SafeLoader)
    found = next(
        (nodes for one in loaders if (nodes := _composed(source.text, one)) is not None), ()
    )
    return tuple(_node(source, raw) for raw in found)


@record(frozen=True)
class Refusal:
    """What a reader of YAML surely stumbles over."""

    span: Span
    message: str
    first: Span | None = None
    """Of a key that is written twice: where it is written first."""


def refusal(source: Source, documents: tuple[YamlNode, ...]) -> Refusal | None:
    """Return why Go's YAML reader, which Compose uses, surely refuses a text that ``parse`` has read.

    The text's grammar, where no document was found; a key that a mapping has twice, otherwise. None
    also for a text that is too large to be read here. Source: go-yaml ``decode.go`` (*uniqueKeys*);
    Compose itself runs on the tests' texts.
    """
    if documents:
        return _twice(documents)
    if _is_too_large(source.text):
        return None
    loader: Any = yaml.SafeLoader("")
    try:
        loader = yaml.SafeLoader(source.text)
        while loader.check_node():
            loader.get_node()
    except (yaml.scanner.ScannerError, yaml.parser.ParserError) as error:
        return _refused(source, error, loader.flow_level)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        # Anchors that are written twice, characters: Go's reader takes some of them.
        return None
    return None


def _refused(source: Source, error: Any, flow_level: int) -> Refusal | None:
    """Say what a scanner or a parser has found; None for a tab that Go's reader skips."""
    at = min(error.problem_mark.index, len(source.text))
    # Where the text just ends, what is open there is what is wrong.
    if at >= len(source.text.rstrip()) and error.context_mark is not None:
        at = error.context_mark.index
    if source.text[at : at + 1] == "\t":
        line = source.line_span(source.line_of(at))
        if flow_level or source.text[line.start : at].strip():
            return None
        return Refusal(Span(at, at + 1), "a tab stands where only spaces may indent a line")
    end = min(at + 1, len(source.text))
    return Refusal(Span(at, end), str(error.problem))


def _twice(documents: tuple[YamlNode, ...]) -> Refusal | None:
    """Return the first key of a text that its mapping has already."""
    found: list[Refusal] = []
    seen: set[int] = set()
    waiting = list(documents)
    while waiting:
        node = waiting.pop()
        if id(node.raw) in seen:
            continue
        seen.add(id(node.raw))
        waiting += (*node.elements, *(value for _, value in node.members))
        names: dict[str, YamlNode] = {}
        for key, value in node.members:
            # A key may be an alias, which Go compares by its name; what is reset may go before.
            if key.kind != "scalar" or not node.span.start <= key.span.start < node.span.end:
                continue
            first = names.setdefault(str(key.raw.value), key)
            if first.raw is not key.raw and value.tag != "!reset":
                said = f"the key '{key.raw.value}' is written twice in one mapping"
                found.append(Refusal(key.span, said, first.span))
    return min(found, key=lambda item: item.span.start, default=None)


def _is_too_large(text: str) -> bool:
    """Tell whether a reader would take longer than an editor waits."""
    if len(text) > LARGEST or len(_MARK.findall(text)) > _MOST_MARKS:
        return True
    return _depth(text) > _DEEPEST


def _composed(text: str, loader: Any) -> list[Any] | None:
    """Return PyYAML's nodes of the documents; None when the loader refuses them."""
    found: list[Any] = []
    try:
        for raw in yaml.compose_all(text, Loader=loader):
            if raw is None or len(found) >= _MOST_DOCUMENTS:
                break
            found.append(raw)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        # An escape such as "\UFFFFFFFF" is no YAMLError but a ValueError of chr().
        return None
    return found


def _depth(text: str) -> int:
    """Return how deep brackets lie in each other, those in strings included."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _node(source: Source, raw: Any) -> YamlNode:
    kinds: dict[str, Kind] = {"mapping": "mapping", "sequence": "sequence", "scalar": "scalar"}
    start, end = raw.start_mark.index, max(raw.start_mark.index, raw.end_mark.index)
    while start == end and start and source.text[start - 1] in " \t\r\n":
        # A value that is left out stands behind its colon; libyaml puts it in front of what follows.
        start = end = start - 1
    span = Span(start, end)
    return YamlNode(kinds[raw.id], span, str(raw.tag), source, raw)


def _values(node: YamlNode, kind: Kind) -> Any:
    return node.raw.value if node.kind == kind else ()


def _merged(node: YamlNode) -> Iterator[YamlNode]:
    """Yield a mapping and those that it merges in, the strongest first, each once."""
    seen: set[int] = set()
    waiting = [node]
    while waiting and len(seen) < _MOST_MERGES:
        current = waiting.pop(0)
        if current.kind != "mapping" or id(current.raw) in seen:
            continue
        seen.add(id(current.raw))
        yield current
        for key, value in current.members:
            if key.text is not None and key.text.text == "<<":
                waiting += value.elements if value.kind == "sequence" else [value]


def _mapped(source: Source, span: Span, value: str) -> Mapped:
    """Map a scalar's text; one whose escapes or folding change it is mapped to its start."""
    written = source.slice(span)
    if written == value:
        return Mapped.plain(source, span)
    if written[1:-1] == value and written[0] in "\"'":
        return Mapped.plain(source, Span(span.start + 1, span.end - 1))
    return _aligned(source, span, value)


def _aligned(source: Source, span: Span, value: str) -> Mapped:
    """Map a block, or a text over several lines, whose words stand in the file as they are."""
    pieces: list[Mapped] = []
    at = span.start
    if source.text[at] in "|>":
        at = source.text.find("\n", at, span.end) + 1
    for match in _WORDS.finditer(value):
        word = match.group()
        start = source.text.find(word, at, span.end) if not word.isspace() else at
        if start < 0:
            # An escape: the place of the whole text is all that can be told.
            return Mapped(value, ((0, span.start),), span.end)
        at = min(start + len(word), span.end)
        pieces.append(Mapped(word, ((0, start),), at))
    return Mapped.join(pieces, span.start)
