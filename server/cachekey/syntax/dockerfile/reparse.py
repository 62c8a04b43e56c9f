"""Reading a changed Dockerfile again: only the instructions that the change touches.

All others are the very objects of the tree that was read before; those behind the change are moved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from cachekey.syntax.dockerfile.parse import parse, parse_part
from cachekey.syntax.dockerfile.tree import Comment, DockerfileTree, Instruction
from cachekey.text import Source, Span, changed

_SENTINEL = "FROM scratch\n"
"""An instruction behind the part that is read: swallowed when the part does not end by itself."""


def reparse(old: DockerfileTree, source: Source) -> DockerfileTree | None:
    """Read ``source``, a changed text of ``old``; None when only a reading of all of it will do.

    Afterwards ``old`` must no longer be used: its instructions may have moved.
    """
    if old.problems or not old.instructions or _has_lone_returns(source.text):
        return None
    part = _Part(old, source)
    begin, text = part.begin, source.text[part.begin : part.end + part.shift]
    closed = part.last < len(old.instructions)
    again = Source(text + _SENTINEL if closed else text)
    top = part.first < 0
    tree = parse(again) if top else parse_part(again, old.escape)
    if top and _told(tree) != _told(old):
        return None
    read = list(tree.instructions)
    if tree.problems or (closed and not _is_sentinel(read.pop() if read else None, len(text))):
        return None
    _move(read, begin, source.line_of(begin))
    ahead, behind = list(old.instructions[: max(0, part.first)]), old.instructions[part.last :]
    between = old.instructions[len(ahead) : part.last]
    # The change may touch comments alone, or the blank line behind an instruction.
    same = _leading(between, old.source, read, source)
    rest = _leading(between[same:][::-1], old.source, read[same:][::-1], source)
    kept = [*between[:same], *between[len(between) - rest :]]
    written = [*read[:same], *read[len(read) - rest :]]
    lines = source.text.count("\n") - old.source.text.count("\n")
    _move(behind, part.shift, lines)
    for item, there in zip(kept, written, strict=True):
        # Comments may have come or gone between any two of them.
        item.anchor.move(there.anchor.at - item.anchor.at, there.anchor.line - item.anchor.line)
    return DockerfileTree(
        source,
        tree.directives if top else old.directives,
        old.escape,
        (*ahead, *kept[:same], *read[same : len(read) - rest], *kept[same:], *behind),
        tuple(_comments(old.comments, tree.comments, part)),
        (),
    )


class _Part:
    """The part of a text that has to be read again, in whole instructions and lines."""

    def __init__(self, old: DockerfileTree, source: Source) -> None:
        before, after = old.source.text, source.text
        starts = [item.anchor.at for item in old.instructions]
        self.shift = len(after) - len(before)
        """How far what stands behind the part has moved."""
        gone, _ = changed(before, after)
        self.first = bisect_left(starts, gone.start) - 1
        """Number of the first instruction that is read again; -1: what stands above all of them, too."""
        self.last = max(bisect_left(starts, gone.end), self.first + 1)
        """Number of the first instruction behind that is not."""
        self.begin = starts[self.first] if self.first >= 0 else 0
        # What comes behind must begin a line in the new text, too.
        while self.last < len(starts) and after[starts[self.last] + self.shift - 1] != "\n":
            self.last += 1
        self.end = starts[self.last] if self.last < len(starts) else len(before)


def _has_lone_returns(text: str) -> bool:
    return "\r" in text and text.count("\r") > text.count("\r\n")


def _is_sentinel(item: Instruction | None, at: int) -> bool:
    return item is not None and item.anchor.at == at


def _leading(
    old: Sequence[Instruction], before: Source, new: Sequence[Instruction], after: Source
) -> int:
    """Return how many instructions at the beginning of two lists are written alike."""
    number = 0
    for one, other in zip(old, new, strict=False):
        if _written(one, before) != _written(other, after):
            break
        number += 1
    return number


def _written(item: Instruction, source: Source) -> tuple[str, int]:
    # A continuation in front of a blank line belongs to the instruction, whose text has ended.
    return source.text[item.anchor.at : item.span.end], item.more_lines


def _told(tree: DockerfileTree) -> object:
    """Return what the directives say, which holds for all of the file."""
    return tree.escape, [(item.name, item.value.text) for item in tree.directives]


def _move(instructions: Sequence[Instruction], by: int, lines: int) -> None:
    for item in instructions:
        item.anchor.move(by, lines)


def _comments(old: Sequence[Comment], new: Sequence[Comment], part: _Part) -> list[Comment]:
    """Put the comments together; each is told by its place alone, so that it is made anew."""
    kept = [item for item in old if item.span.end <= part.begin]
    moved = [(item, part.shift) for item in old if item.span.start >= part.end]
    read = [(item, part.begin) for item in new]
    for item, by in (*read, *moved):
        span = Span(item.span.start + by, item.span.end + by)
        kept.append(Comment(span, item.text, item.inside))
    return kept
