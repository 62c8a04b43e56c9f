"""Rich text as Markdown, and as plain text for those who show no Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NewType
from urllib.parse import quote

from cachekey.markup.rich import Piece, Rich, written
from cachekey.markup.visible import one_line

Markdown = NewType("Markdown", str)
"""Text that a Markdown renderer shows as it was meant."""
Plain = NewType("Plain", str)
"""Lines of text without any markup."""

# Prose that no dialect of Markdown takes for anything else: no punctuation that marks something up,
# no list or heading at its beginning, nothing that becomes a link by itself.
_HARMLESS = re.compile(
    r"""(?!\d+[.)]\s)(?!.*(?://|www\.))
        (?:\w|[/.("'$]|\#(?=\w))
        (?:[^\W_]|(?<=[^\W_])_(?=[^\W_])|\#(?=\w)|[ ./,;:()"'=+%?${}\-])*""",
    re.VERBOSE,
)
_FENCE = re.compile("`+")
_OWN_SCHEMES = ("file:", "https:", "command:cachekey.explainrule?")
"""Of the links that this program makes: documents of the workspace, sources of what it knows, and the
one command that editors of ours may be asked for, which shows a page."""


def markdown(text: Rich) -> Markdown:
    """Write one line as Markdown."""
    return Markdown(written(text, _piece, "**"))


def card(found: Sequence[Rich]) -> Markdown:
    """Write a first line and below it a list of the others."""
    head, *rest = found
    return Markdown("\n".join([markdown(head), "", *(f"- {markdown(line)}" for line in rest)]))


def paragraphs(found: Iterable[Rich]) -> Markdown:
    """Write each line as a paragraph."""
    return Markdown("\n\n".join(map(markdown, found)))


def table(head: Sequence[str], rows: Iterable[Sequence[Rich]]) -> Markdown:
    """Write a table; the words of its head are literals."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    # Tables are cut up before anything else is read, code spans included.
    cells = ([markdown(cell).replace("|", "\\|") for cell in row] for row in rows)
    return Markdown("\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells)]))


def plain(text: Rich) -> Plain:
    """Write one line without markup."""
    return Plain(written(text, lambda piece: one_line(piece.text), ""))


def plain_card(found: Sequence[Rich]) -> Plain:
    """Write a first line and below it a list of the others, without markup."""
    head, *rest = found
    return Plain("\n".join([plain(head), "", *(f"- {plain(line)}" for line in rest)]))


def plain_paragraphs(found: Iterable[Rich]) -> Plain:
    """Write each line as a paragraph, without markup."""
    return Plain("\n\n".join(map(plain, found)))


def _piece(piece: Piece) -> str:
    if piece.kind == "ours":
        return piece.text
    if piece.kind == "code":
        return _code(piece.text)
    if piece.kind == "link" and piece.target.lower().startswith(_OWN_SCHEMES):
        target = _destination(piece.target)
        if _HARMLESS.fullmatch(piece.text):
            return f"[{piece.text}]({target})"
        # Some renderers, VS Code's among them, look for the end of a link's text inside of code, too.
        return f"{_code(piece.text)} ([open]({target}))"
    return _prose(piece.text)


def _prose(text: str) -> str:
    return text if _HARMLESS.fullmatch(text) else _code(text)


def _code(text: str) -> str:
    """Write a code span: inside of one nothing means anything but its own closing fence."""
    shown = one_line(text) or '""'
    longest = max(map(len, _FENCE.findall(shown)), default=0)
    fence = "`" * (longest + 1)
    # A blank at both ends is taken away again by whoever reads it.
    edge = longest and (shown[0] == "`" or shown[-1] == "`")
    pad = " " if edge or (shown[0] == shown[-1] == " ") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _destination(uri: str) -> str:
    return quote(uri, safe="/:%#?&=+,;@!$*~-._", errors="surrogatepass")
