"""The tokens of an HCL file. Linear, never fails: what is no token of HCL is one of its own kind."""

from __future__ import annotations

import re
from typing import NamedTuple

from cachekey.record import record

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r\ufeff]+)
  | (?P<comment>(?:\#|//)[^\n]*|/\*[\s\S]*?(?:\*/|\Z))
  | (?P<line>\n)
  | (?P<name>[^\W\d][\w-]*)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<heredoc><<-?[^\W\d][\w-]*(?=\r?\n))
  | (?P<quote>")
  | (?P<op>\.\.\.|=>|==|!=|<=|>=|&&|\|\||[{}\[\]():,.?=!<>+\-*/%])
  | (?P<odd>[\s\S])
    """,
    re.VERBOSE,
)
_PLAIN = re.compile(r'(?:[^"\\$%\n]|\\[^\n])+')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))")
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_DEEPEST = 12
"""Templates within templates; a deeper one is not looked into."""


class Token(NamedTuple):
    """A token: its kind (a group of the pattern, ``template`` or ``end``) and place."""

    kind: str
    text: str
    start: int
    stop: int
    parts: tuple[Piece, ...] = ()
    """Of a template: its pieces."""
    closed: bool = True


@record(frozen=True)
class Piece:
    """A piece of a quoted template: a literal text, or the tokens of an interpolation."""

    text: str | None
    tokens: tuple[Token, ...] = ()
    """Without text: what stands between ``${`` and ``}``; none for what is not read (``%{if}``)."""


def tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text; blanks and comments are left out, line ends are not."""
    found, _ = _until(text, 0, None, 0)
    return (*found, Token("end", "", len(text), len(text)))


def _until(text: str, at: int, closing: str | None, depth: int) -> tuple[list[Token], int]:
    """Read up to the brace that closes an interpolation, or to the end; return where that is."""
    found: list[Token] = []
    open_braces = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None
        kind, start, at = match.lastgroup or "odd", at, match.end()
        if kind in ("blank", "comment"):
            continue
        if kind == "quote":
            token = _template(text, start, depth)
            at = token.stop
        elif kind == "heredoc":
            token = _heredoc(text, match)
            at = token.stop
        else:
            token = Token(kind, match.group(), start, at)
            if closing is not None and token.text in ("{", "}"):
                if token.text == closing and not open_braces:
                    return found, at
                open_braces += 1 if token.text == "{" else -1
        found.append(token)
    return found, at


def _template(text: str, start: int, depth: int) -> Token:
    """Read a quoted template; it ends with its line when nobody closes it."""
    at = start + 1
    parts: list[Piece] = []
    while at < len(text):
        char = text[at]
        if char == '"':
            return Token("template", text[start : at + 1], start, at + 1, tuple(parts))
        if char == "\n":
            break
        if text.startswith(("$${", "%%{"), at):
            parts.append(Piece(char + "{"))
            at += 3
        elif text.startswith(("${", "%{"), at) and depth < _DEEPEST:
            inner, at = _until(text, at + 2, "}", depth + 1)
            parts.append(Piece(None, tuple(inner) if char == "$" else ()))
        elif (match := _PLAIN.match(text, at)) is not None:
            parts.append(Piece(_decoded(match.group())))
            at = match.end()
        else:
            parts.append(Piece(char))
            at += 1
    return Token("template", text[start:at], start, at, tuple(parts), closed=False)


def _decoded(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        number = match.group(1) or match.group(2)
        if number is None:
            return _SIMPLE.get(match.group(3), match.group())
        code = int(number, 16)
        return chr(code) if code < 0x110000 else match.group()

    return _ESCAPE.sub(one, text) if "\\" in text else text


def _heredoc(text: str, opening: re.Match[str]) -> Token:
    """Read a here-document; one with a template in it has no value that is read here."""
    head = opening.group()
    name = head.lstrip("<").lstrip("-")
    body = text.find("\n", opening.end()) + 1
    closing = re.compile(rf"^[ \t]*{re.escape(name)}[ \t\r]*$", re.MULTILINE).search(text, body)
    stop, after = (closing.start(), closing.end()) if closing else (len(text), len(text))
    value = text[body:stop]
    if head.startswith("<<-"):
        lines = value.split("\n")
        indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
        cut = min(indents, default=0)
        value = "\n".join(line[cut:] for line in lines)
    piece = Piece(None) if "${" in value or "%{" in value else Piece(value)
    start = opening.start()
    return Token("template", text[start:after], start, after, (piece,), closing is not None)
