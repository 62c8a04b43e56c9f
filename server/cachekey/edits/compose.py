"""Edits of compose files: small insertions that keep the rest as it stands."""

from __future__ import annotations

from collections.abc import Iterator

from cachekey.devcontainer.compose import ComposeFile
from cachekey.text import Edit, Span


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
    """Declare a volume at the top of a file's ``volumes``; the section is made if need be."""
    source = file.source
    for document in file.documents:
        found = document.entries.get("volumes") if document.kind == "mapping" else None
        if found is None:
            continue
        key, node = found
        if node.kind == "mapping" and node.members:
            first = node.members[0][0].span.start
            if source.text[node.span.start] == "{":
                yield Edit(Span(first, first), f"{name}: {{}}, ")
            else:
                start = source.line_starts[source.line_of(first)]
                indent = source.text[start:first]
                yield Edit(Span(first, first), f"{name}:{source.newline}{indent}")
        else:
            # An empty section: `volumes:` or `volumes: {}`.
            end = source.line_span(source.line_of(key.span.end)).end
            yield Edit(Span(key.span.end, end), f":{source.newline}  {name}:")
        return
    end = len(source.text)
    gap = "" if source.text.endswith(("\n", "\r")) else source.newline
    yield Edit(Span(end, end), f"{gap}volumes:{source.newline}  {name}:{source.newline}")
