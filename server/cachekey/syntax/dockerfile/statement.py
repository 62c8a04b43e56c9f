"""One instruction's joined text: keyword, flags, arguments, exec form, the one inside ONBUILD."""

from __future__ import annotations

import re
from typing import NamedTuple

from cachekey.syntax.dockerfile.execform import NotStringsError, read_json
from cachekey.syntax.dockerfile.flags import split_flags, split_words
from cachekey.syntax.dockerfile.go import SPACE, go_quote
from cachekey.syntax.dockerfile.mapping import cut, span_of
from cachekey.syntax.dockerfile.tree import Heredoc, Instruction, SyntaxProblem
from cachekey.text import Mapped, Span

_WITH_HEREDOCS = frozenset(("ADD", "COPY", "RUN"))
_JSON = frozenset((*_WITH_HEREDOCS, "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "VOLUME"))
_PAIRS = frozenset(("ENV", "LABEL"))
KEYWORDS = _JSON | _PAIRS | {"ARG", "EXPOSE", "FROM", "MAINTAINER", "ONBUILD", "STOPSIGNAL"}
KEYWORDS |= {"USER", "WORKDIR"}
"""All instructions of Docker's own frontend."""

_KEYWORD = re.compile(r"([^\t\v\f\r ]+)[\t\v\f\r ]*")
_FIRST_WORD = re.compile(rf"[^{SPACE}]+[{SPACE}]*")
_BLANKS = re.compile(r"[\t\v\f\r ]")
_QUOTED = re.compile(r"['\"\\`\x1c-\x1f]")


class Frame(NamedTuple):
    """What the lines around an instruction say about it."""

    first_line: int
    last_line: int
    end: int | None
    """Offset behind the last terminator of its here-documents, if it has any."""
    heredocs: tuple[Heredoc, ...]


def read(
    text: Mapped, escape: str, frame: Frame, problems: list[SyntaxProblem], inside: bool = False
) -> Instruction:
    """Take apart ``text``, which is trimmed and not empty."""
    match = _KEYWORD.match(text.text)
    head = match.end(1) if match else len(text.text)
    keyword = text.text[:head].upper()
    keyword_span = span_of(text, 0, head)
    flags, at = split_flags(text, match.end() if match else head, escape)
    at = len(text.text) - len(text.text[at:].lstrip(SPACE))
    args = cut(text, at, len(text.text))
    json = None
    if keyword in _JSON:
        json = _exec_form(keyword, args, problems)
    elif keyword in _PAIRS:
        _check_pairs(keyword, args, escape, keyword_span, problems)
    inner = None
    # ONBUILD ONBUILD is refused later on; not following it keeps the depth bounded.
    if keyword == "ONBUILD" and args.text and not inside:
        inner = read(args, escape, frame, problems, inside=True)
    return Instruction(
        keyword,
        keyword_span,
        keyword_span.to(Span(0, text.end if frame.end is None else frame.end)),
        text.anchor,
        frame.last_line - frame.first_line,
        flags,
        args,
        json,
        frame.heredocs,
        inner,
    )


def may_hold_heredocs(text: Mapped, escape: str) -> bool:
    """Tell whether ``<<`` in this instruction's joined text opens here-documents."""
    match = _KEYWORD.match(text.text)
    keyword = match.group(1).upper() if match else ""
    if keyword in _WITH_HEREDOCS and "[" not in text.text:
        return True
    if keyword not in _WITH_HEREDOCS and keyword != "ONBUILD":
        return False
    instruction = read(text, escape, Frame(0, 0, None, ()), [])
    inner = instruction.inner or instruction
    return inner.keyword in _WITH_HEREDOCS and inner.json is None


def _exec_form(
    keyword: str, args: Mapped, problems: list[SyntaxProblem]
) -> tuple[Mapped, ...] | None:
    if keyword == "HEALTHCHECK":
        kind = _FIRST_WORD.match(args.text)
        args = cut(args, kind.end() if kind else 0, len(args.text))
    if not args.text.startswith("["):
        return None
    try:
        return read_json(args)
    except NotStringsError as error:
        problems.append(SyntaxProblem(args.span(), str(error)))
        return None


def _check_pairs(
    keyword: str, args: Mapped, escape: str, place: Span, problems: list[SyntaxProblem]
) -> None:
    if not _QUOTED.search(args.text) and all("=" in word for word in args.text.split()):
        return
    words = split_words(args, escape)
    if not words:
        return
    if "=" not in words[0].text:
        if not _BLANKS.search(args.text):
            problems.append(SyntaxProblem(place, f"{keyword} must have two arguments"))
        return
    for word in words:
        if "=" not in word.text:
            message = (
                f"Syntax error - can't find = in {go_quote(word.text)}."
                " Must be of the form: name=value"
            )
            problems.append(SyntaxProblem(word.span(), message))
            return
