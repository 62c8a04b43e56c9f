"""Comments that silence findings: where they stand, what they stand for, and how one is written.

``# cachekey: ignore[CK101, split-cache] reason`` on its own line stands for the instruction below
it, or, between the lines of an instruction, for the next line. In devcontainer.json ``//`` and
``/* */`` stand for the property or element below, or for their own line when they end it.
``ignore`` without a list means every rule, ``ignore-file`` above everything means the whole file.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Any

from cachekey.builds.invocation import BuildFile
from cachekey.devcontainer.compose import ComposeFile, read_compose
from cachekey.finding import Finding
from cachekey.record import record
from cachekey.selectors import did_you_mean, quote
from cachekey.suggest import nearest
from cachekey.syntax.dockerfile.parse import parse as parse_dockerfile
from cachekey.syntax.jsonc.parse import parse as parse_jsonc
from cachekey.text import Edit, Source, Span, apply_edits

_COMMENT = re.compile(
    r"""(?:\#+|//+|/\*+)\s*cachekey\s*:\s*
        (?P<word>[A-Za-z][A-Za-z-]*)
        (?P<list>\s*\[(?P<codes>[^\]\r\n]*)(?P<close>\]?))?""",
    re.VERBOSE | re.IGNORECASE,
)
_HASHES = re.compile(r"(?:^|[ \t])(?P<mark>#[^\r\n]*)", re.MULTILINE)
_CODE = re.compile(r"[^\s,]+")
_BLANK = re.compile(r"\s*")
_WORDS = ("ignore", "ignore-file")


@record(frozen=True)
class Layout:
    """Where comments stand in a document and what they can stand for."""

    path: str
    source: Source
    mark: str
    """What begins a comment: ``#`` or ``//``."""
    comments: tuple[Span, ...]
    targets: tuple[Span, ...]
    """Instructions, or properties and elements, by where they begin, wider ones first."""
    partly: bool = False
    """The document was not read to its end: whether a comment is idle cannot be told."""


@record(frozen=True)
class Code:
    """One name in the list of a comment."""

    text: str
    span: Span


@record(frozen=True)
class Ignore:
    """One comment that silences, or means to."""

    span: Span
    """The comment."""
    target: Span | None
    """Findings that begin here are silenced; ``None``: it does not count, see ``problem``."""
    codes: tuple[Code, ...] | None
    """``None``: every rule."""
    problem: str = ""
    suggestion: Edit | None = None


def layout(document: Any) -> Layout:
    """Return the layout of a ``Dockerfile``, ``Devcontainer``, ``ComposeFile`` or ``BuildFile``."""
    if isinstance(document, BuildFile):
        comments = tuple(Span(*m.span("mark")) for m in _HASHES.finditer(document.source.text))
        # A comment counts for the line below it: these files have many languages.
        return Layout(document.path, document.source, "#", comments, ())
    if isinstance(document, ComposeFile):
        comments = tuple(Span(*m.span("mark")) for m in _HASHES.finditer(document.source.text))
        return Layout(document.path, document.source, "#", comments, document.places)
    return _layout(document.path, document.source, document.tree)


def _layout(path: str, source: Source, tree: Any) -> Layout:
    if hasattr(tree, "instructions"):
        comments = tuple(comment.span for comment in tree.comments)
        targets = tuple(i.span for i in tree.instructions)
        return Layout(path, source, "#", comments, targets)
    return Layout(path, source, "//", tuple(tree.comments), tuple(_json_targets(tree.root)))


def _json_targets(root: Any) -> list[Span]:
    found: list[Span] = []
    pending = [root] if root is not None else []
    while pending:
        node = pending.pop()
        found.append(node.span)
        for part in (*node.members, *node.elements):
            found.append(part.span)
            if part.value is not None:
                pending.append(part.value)
    return sorted(set(found), key=lambda span: (span.start, -span.end))


# -- reading comments ------------------------------------------------------------------------------


def ignores(place: Layout) -> tuple[Ignore, ...]:
    """Return the comments of a document that silence findings, in file order."""
    found: list[Ignore] = []
    following, landing = -1, -1
    # From the end, so that a block of comments is passed over once and not once for each of them.
    for span in reversed(place.comments):
        match = _BLANK.match(place.source.text, span.end)
        at = match.end() if match else span.end
        landing = landing if at == following else at
        following = span.start
        if (item := _read(place, span, landing)) is not None:
            found.append(item)
    return tuple(reversed(found))


def _read(place: Layout, span: Span, landing: int) -> Ignore | None:
    match = _COMMENT.match(place.source.slice(span))
    if match is None:
        return None
    word = match.group("word").lower()
    if word not in _WORDS:
        meant = nearest(word, _WORDS)
        if meant is None:
            return None
        start = span.start + match.start("word")
        edit = Edit(Span(start, start + len(word)), meant)
        message = f"Cachekey knows no comment {quote(word)}{did_you_mean(meant)}"
        return Ignore(span, None, (), message, edit)
    codes = _codes(match, span.start)
    if match.group("list") and not match.group("close"):
        return Ignore(span, None, codes, "The list of rules has no closing bracket")
    if codes == ():
        return Ignore(span, None, codes, "The list of rules is empty")
    if word == "ignore":
        return Ignore(span, _target(place, span, landing), codes)
    if place.targets and place.targets[0].start < span.start:
        what = "the first instruction" if place.mark == "#" else "the first brace"
        return Ignore(span, None, codes, f"A comment ignore-file counts only above {what}")
    return Ignore(span, Span(0, len(place.source.text)), codes)


def _codes(match: re.Match[str], base: int) -> tuple[Code, ...] | None:
    if match.group("list") is None:
        return None
    start = base + match.start("codes")
    return tuple(
        Code(item.group(), Span(start + item.start(), start + item.end()))
        for item in _CODE.finditer(match.group("codes"))
    )


def _target(place: Layout, comment: Span, at: int) -> Span:
    """Return what a comment stands for; ``at`` is where the next thing is that is no comment."""
    source = place.source
    line = source.line_span(source.line_of(comment.start))
    before = source.text[line.start : comment.start].lstrip("\ufeff").strip()
    last = source.line_span(source.line_of(comment.end))
    after = source.text[comment.end : last.end].strip()
    if before and not after:
        return line
    number = bisect_left(place.targets, at, key=lambda span: span.start)
    if number < len(place.targets) and place.targets[number].start == at:
        return place.targets[number]
    return source.line_span(source.line_of(at))


# -- edits that silence ----------------------------------------------------------------------------


def ignore_here(document: Any, finding: Finding) -> Edit | None:
    """Return the edit of *Ignore here*: a new comment, or one more code in the one that is there.

    ``None`` when no comment can stand in front of the place, as in a file without content, or when it
    would not be one there, as in a here-document that nothing ends.
    """
    place = layout(document)
    target = _outer(place, finding.span)
    if target is None:
        return None
    edit = _comment(place, target, finding)
    return edit if _silences(document, edit, finding) else None


def _silences(document: Any, edit: Edit, finding: Finding) -> bool:
    """Tell whether a comment counts for a finding, once it is written."""
    place = _read_again(document, Source(apply_edits(document.source.text, [edit])))
    at = finding.span.start + len(edit.text)
    return any(
        item.target is not None
        and item.target.contains(at)
        and any(code.text == finding.code for code in item.codes or ())
        for item in ignores(place)
    )


def _read_again(document: Any, source: Source) -> Layout:
    if isinstance(document, BuildFile):
        return layout(BuildFile(document.path, source))
    if isinstance(document, ComposeFile):
        return layout(read_compose(document.path, source))
    if hasattr(document.tree, "instructions"):
        return _layout(document.path, source, parse_dockerfile(source))
    return _layout(document.path, source, parse_jsonc(source))


def _comment(place: Layout, target: Span, finding: Finding) -> Edit:
    for item in ignores(place):
        if item.codes and item.target == target:
            end = item.codes[-1].span.end
            return Edit(Span(end, end), f", {finding.code}")
    source = place.source
    start = source.line_starts[source.line_of(target.start)]
    indent = source.text[start : target.start].lstrip("\ufeff")
    if indent.strip():
        # Nothing in the file begins its line: the comment goes into the line.
        comment = f"/* cachekey: ignore[{finding.code}] */ "
    else:
        comment = f"{place.mark} cachekey: ignore[{finding.code}]{source.newline}{indent}"
    return Edit(Span(target.start, target.start), comment)


def _outer(place: Layout, span: Span) -> Span | None:
    """Return the innermost target around ``span`` that begins its line, else the innermost."""
    around = [item for item in place.targets if item.start <= span.start <= item.end]
    if not around:
        return None
    text, starts = place.source.text, place.source.line_starts
    for target in reversed(around):
        line = starts[place.source.line_of(target.start)]
        if not text[line : target.start].strip("\ufeff \t"):
            # Of a property and its value on one spot, a comment stands for the wider one.
            return next(item for item in around if item.start == target.start)
    return around[-1]
