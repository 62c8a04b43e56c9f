"""Edits of compose files: small insertions that keep the rest as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cachekey.devcontainer.compose import ComposeFile
from cachekey.syntax.yaml import YamlNode
from cachekey.text import Edit, Source, Span

_END = re.compile(r"^\.\.\.", re.MULTILINE)


def undeclare(file: ComposeFile, name: str) -> Edit | None:
    """Take the lines away that declare a volume; ``None`` where they hold something else, too."""
    source = file.source
    for found, key, value in file.section("volumes"):
        if found != name:
            continue
        first = source.line_of(key.span.start)
        start = source.line_starts[first]
        if source.text[start : key.span.start].strip():
            return None
        end = max(key.span.end, value.span.end)
        written = source.text[key.span.start : end].rstrip()
        last = source.line_of(key.span.start + len(written))
        following = source.line_starts[last + 1 : last + 2] or [len(source.text)]
        return Edit(Span(start, following[0]), "")
    return None


def declare(file: ComposeFile, name: str) -> Iterator[Edit]:
    """Declare a volume at the top of a file's ``volumes``; the section is made if need be.

    Nothing where the file gives no place for it: there is no mapping, or an alias stands for it.
    """
    roots = [document for document in file.documents if document.kind == "mapping"]
    for root in roots:
        if (found := root.entries.get("volumes")) is not None:
            yield from _into(file.source, *found, name)
            return
    if roots:
        yield from _section(file.source, roots[-1], name)


def add(node: YamlNode, name: str, value: str, behind: str = "") -> Iterator[Edit]:
    """Put ``name: value`` among the members of a mapping, in the form in which it is written.

    It stands behind the member ``behind`` where that is a text on one line, else in front of all.
    Without a value a block has ``name:``, and a mapping in braces ``name: {}``.
    """
    source, flow = node.source, bool(node.raw.flow_style)
    written = f"{name}: {value or ('{}' if flow else '')}".rstrip()
    first = node.members[0][0].span.start if node.members else node.span.start
    start = source.line_starts[source.line_of(first)]
    indent = " " * (first - start)
    other = node.get(behind)
    if other is not None and other.text is not None and "\n" not in source.slice(other.span):
        gap = ", " if flow else f"{source.newline}{indent}"
        yield Edit(Span(other.span.end, other.span.end), f"{gap}{written}")
    elif flow:
        at = source.text.find("{", node.span.start) + 1
        yield Edit(Span(at, at), f"{written}{', ' if node.members else ''}")
    elif node.members and not source.text[start:first].strip(" -"):
        # Behind a dash a member may stand as well; behind anything else (`? `, a tag) it may not.
        yield Edit(Span(first, first), f"{written}{source.newline}{indent}")


def _into(source: Source, key: YamlNode, node: YamlNode, name: str) -> Iterator[Edit]:
    """Declare a volume in a section that is there."""
    colon = source.text.find(":", key.span.end) + 1
    between = source.text[colon : node.span.start]
    if not colon or node.span.start < colon or "*" in source.line_text(source.line_of(colon)):
        # An alias, or a key without a colon: what would be written belongs to something else.
        return
    if node.kind == "mapping" and node.members:
        yield from add(node, name, "")
    elif node.kind == "mapping" or (node.kind == "scalar" and node.text is None):
        # An empty section: `volumes:`, `volumes: {}` or `volumes: ~`.
        if _in_braces(source, key):
            yield Edit(Span(colon, node.span.end), f" {{{name}: {{}}}}")
        elif not between.strip():
            column = key.span.start - source.line_starts[source.line_of(key.span.start)]
            indent = " " * (column + 2)
            end = node.span.end if node.span.start < node.span.end else colon
            yield Edit(Span(colon, end), f"{source.newline}{indent}{name}:")


def _in_braces(source: Source, key: YamlNode) -> bool:
    start = source.line_starts[source.line_of(key.span.start)]
    return bool(source.text[start : key.span.start].strip())


def _section(source: Source, root: YamlNode, name: str) -> Iterator[Edit]:
    """Make a section, at the end of the file where it can be."""
    if root.raw.flow_style:
        yield from add(root, "volumes", f"{{{name}: {{}}}}")
        return
    if not root.members:
        return
    first = root.members[0][0].span.start
    start = source.line_starts[source.line_of(first)]
    indent = source.text[start:first]
    newline, end = source.newline, len(source.text)
    section = f"{indent}volumes:{newline}{indent}  {name}:"
    if indent.strip(" "):
        return
    if _END.search(source.text, root.span.start):
        yield Edit(Span(start, start), f"{section}{newline}")
    else:
        gap = "" if source.text.endswith(("\n", "\r")) else newline
        yield Edit(Span(end, end), f"{gap}{section}{newline}")
