"""Reads one shell word: quotes, escapes, expansions; hands command substitutions to the parser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from cachekey.syntax.shell.tree import Part, PartKind

if TYPE_CHECKING:
    from cachekey.text import Mapped

MAX_DEPTH = 24
"""Levels of nesting that are read; a script that goes deeper counts as not readable."""

BLANK = re.compile(r"(?:[ \t]|\\\r?\n)*")
FAST_WORD = re.compile(r"[\w\-./:=@%+,^]+(?=[ \t\r\n;&|)]|\Z)")
_ENDS_WORD = frozenset(" \t\r\n;&|()<>")

_PLAIN = re.compile(r"[^\s;&|()<>'\"\\`$*?\[{~]+|[^\S \t\r\n]+")
_QUOTED = re.compile(r"[^\"\\`$]+")
_BRACED = re.compile(r"[^}'\"\\`$]+")
_ARITHMETIC = re.compile(r"[^()`$'\"\\]+")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_BRACE_LIST = re.compile(r"\{[^\s{}'\"\\`$;&|()<>]*(?:,|\.\.)[^\s{}'\"\\`$;&|()<>]*\}?")
_USER = re.compile(r"~([\w.\-]*)(?=[/\s:;&|()<>]|\Z)")
# Templates of Go's text/template are ordinary quoted arguments (`go list -f '{{.Dir}}'`); anything
# else in doubled braces, and every block tag, is a template that has yet to become a Dockerfile.
TEMPLATE = re.compile(
    r"\{%[-+]?\s|<%[=#\-\s]|\{\{(?!-?\s*(?:[.$(\"]|(?:range|if|with|end|else|json|join|printf|len|index)\b))"
)


class TooDeep(Exception):  # noqa: N818 - it stops the parse, nobody sees it
    """The script nests deeper than is read."""


class Scanner:
    """A cursor over a script's text; subclasses know what a command is."""

    def __init__(self, source: Mapped, depth: int) -> None:
        self.source = source
        self.text = source.text
        self.size = len(source.text)
        self.depth = depth
        self.problem: str | None = None

    def fail(self, problem: str) -> None:
        """Note that something cannot be read; the first note stands."""
        if self.problem is None:
            self.problem = problem

    def substitution(self, start: int, close: str) -> int:
        """Read commands from ``start`` up to ``close``; return the index behind it."""
        raise NotImplementedError

    def backticks(self, start: int, stop: int) -> None:
        """Read the commands between two backticks."""
        raise NotImplementedError

    def word(self, at: int) -> tuple[int, tuple[Part, ...]]:
        """Read a word that starts at ``at``; return where it stops, and its parts."""
        text, size = self.text, self.size
        parts: list[Part] = []
        while at < size:
            char = text[at]
            match = _PLAIN.match(text, at)
            if match:
                stop = match.end()
                parts.append(Part("text", at, stop, match.group(), False))
            elif char in _ENDS_WORD:
                if char not in "<>" or text[at + 1 : at + 2] != "(":
                    break
                stop = self.nested(at + 2, ")")
                parts.append(Part("hole", at, stop, "", False))
            elif char == "\\" and text.startswith(("\\\n", "\\\r\n"), at):
                stop = cast("re.Match[str]", BLANK.match(text, at)).end()
                if stop >= size or text[stop - 1] in " \t" or text[stop] in _ENDS_WORD:
                    # The word ends here; the escaped line end is part of the blank behind it.
                    break
                parts.append(Part("text", at, stop, "", False))
            else:
                stop = self._special(at, char, parts)
            at = stop
        if len(parts) == 1 and parts[0].kind == "glob" and parts[0].text == "[":
            parts[0] = parts[0]._replace(kind="text")
        return at, tuple(parts)

    def _special(self, at: int, char: str, parts: list[Part]) -> int:
        """Read what begins with a character that means something outside quotes."""
        text = self.text
        if char == "'":
            return self._single(at, parts)
        if char == '"':
            return self._double(at, parts)
        if char == "\\":
            return self._escape(at, parts)
        if char in "$`":
            stop, part = self.dollar(at, quoted=False)
            parts.append(part)
            if part.kind == "text" and text.startswith(("$'", '$"'), at):
                return self._ansi(at, parts) if text[at + 1] == "'" else self._dropped(at, parts)
            return stop
        kind: PartKind = "text"
        stop, value = at + 1, char
        if char in "*?[":
            kind = "glob"
        elif char == "{":
            match = _BRACE_LIST.match(text, at)
            # A list in braces is many words in bash and one in a plain sh: nobody can tell here.
            if match:
                kind, stop, value = "hole", match.end(), ""
        elif not parts or text[at - 1] == ":" or (text[at - 1] == "=" and _assigns(parts)):
            match = _USER.match(text, at)
            if match:
                # Further in, it depends on the shell and its mode whether a tilde is expanded.
                kind, stop, value = "hole" if parts else "tilde", match.end(), match.group(1)
        parts.append(Part(kind, at, stop, value, False))
        return stop

    def _single(self, at: int, parts: list[Part]) -> int:
        stop = self.text.find("'", at + 1)
        if stop < 0:
            self.fail("a single quote is not closed")
            stop = self.size
        parts.append(Part("text", at + 1, stop, self.text[at + 1 : stop], True))
        return min(stop + 1, self.size)

    def _ansi(self, at: int, parts: list[Part]) -> int:
        """Read ``$'...'``; its value is told only when no escape stands in it."""
        parts.pop()
        text, stop = self.text, at + 2
        while stop < self.size and text[stop] != "'":
            stop += 2 if text[stop] == "\\" else 1
        if stop >= self.size:
            self.fail("a quote is not closed")
            stop = self.size
        inner = text[at + 2 : stop]
        kind: PartKind = "hole" if "\\" in inner else "text"
        parts.append(Part(kind, at + 2, stop, "" if kind == "hole" else inner, True))
        return min(stop + 1, self.size)

    def _dropped(self, at: int, parts: list[Part]) -> int:
        """Read ``$"..."``: bash translates it, other shells keep the dollar sign."""
        parts[-1] = Part("hole", at, at + 1, "", False)
        return self._double(at + 1, parts)

    def _escape(self, at: int, parts: list[Part]) -> int:
        text = self.text
        stop = min(at + 2, self.size)
        # An escaped character is quoted as far as splitting and globbing are concerned.
        parts.append(Part("text", at, stop, text[at + 1 : stop] or "\\", True))
        return stop

    def _double(self, at: int, parts: list[Part]) -> int:
        text = self.text
        at += 1
        begun = len(parts)
        while at < self.size and text[at] != '"':
            char = text[at]
            match = _QUOTED.match(text, at)
            if match:
                stop = match.end()
                parts.append(Part("text", at, stop, match.group(), True))
            elif char == "\\":
                stop = min(at + 2, self.size)
                value = text[at:stop]
                if value[1:] in ("$", '"', "\\", "`"):
                    value = value[1:]
                elif text.startswith(("\\\n", "\\\r\n"), at):
                    stop, value = text.index("\n", at) + 1, ""
                parts.append(Part("text", at, stop, value, True))
            else:
                stop, part = self.dollar(at, quoted=True)
                parts.append(part)
            at = stop
        if at >= self.size:
            self.fail("a double quote is not closed")
            at = self.size
        if len(parts) == begun:
            parts.append(Part("text", at, at, "", True))
        return min(at + 1, self.size)

    def dollar(self, at: int, quoted: bool) -> tuple[int, Part]:
        """Read what begins with ``$`` or a backtick."""
        text = self.text
        if text[at] == "`":
            stop = self._backtick(at)
            return stop, Part("hole", at, stop, "", quoted)
        following = text[at + 1 : at + 2]
        if following == "(":
            double = text.startswith("((", at + 1)
            stop = self.arithmetic(at + 3) if double else self.nested(at + 2, ")")
            return stop, Part("hole", at, stop, "", quoted)
        if following == "{":
            return self._braces(at, quoted)
        match = _NAME.match(text, at + 1)
        if match:
            return match.end(), Part("var", at, match.end(), match.group(), quoted)
        if following and following in "@*#?$!-0123456789":
            return at + 2, Part("hole", at, at + 2, "", quoted)
        return at + 1, Part("text", at, at + 1, "$", quoted)

    def nested(self, at: int, close: str) -> int:
        """Read a command substitution, one level deeper."""
        self.deeper()
        stop = self.substitution(at, close)
        self.depth -= 1
        return stop

    def deeper(self) -> None:
        """Count a level of nesting; the caller takes it back."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail("the script nests too deeply")
            raise TooDeep

    def _backtick(self, at: int) -> int:
        text, stop = self.text, at + 1
        while stop < self.size and text[stop] != "`":
            stop += 2 if text[stop] == "\\" else 1
        if stop >= self.size:
            self.fail("a backtick is not closed")
            return self.size
        self.backticks(at + 1, stop)
        return stop + 1

    def _braces(self, at: int, quoted: bool) -> tuple[int, Part]:
        text = self.text
        match = _NAME.match(text, at + 2)
        if match:
            stop = match.end()
            if text.startswith("}", stop):
                return stop + 1, Part("var", at, stop + 1, match.group(), quoted)
            strict = text.startswith(":", stop)
            operator = text[stop + strict : stop + strict + 1]
            end = self._to_brace(stop, quoted)
            if operator and operator in "-=?":
                kind: PartKind = "var:" if strict else "var"
                return end, Part(kind, at, end, match.group(), quoted)
            return end, Part("hole", at, end, "", quoted)
        end = self._to_brace(at + 2, quoted)
        return end, Part("hole", at, end, "", quoted)

    def _to_brace(self, at: int, quoted: bool) -> int:
        """Return the index behind the brace that closes ``${``."""
        self.deeper()
        text = self.text
        ignored: list[Part] = []
        while at < self.size and text[at] != "}":
            char = text[at]
            match = _BRACED.match(text, at)
            if match:
                at = match.end()
            elif char == "\\":
                at += 2
            elif char == '"':
                at = self._double(at, ignored)
            elif char == "'":
                at = at + 1 if quoted else self._single(at, ignored)
            else:
                at = self.dollar(at, quoted=True)[0]
        if at >= self.size:
            self.fail("a brace is not closed")
        self.depth -= 1
        return min(at + 1, self.size)

    def arithmetic(self, at: int) -> int:
        """Return the index behind the ``))`` that closes ``((``."""
        self.deeper()
        text, level = self.text, 2
        ignored: list[Part] = []
        while at < self.size and level:
            char = text[at]
            match = _ARITHMETIC.match(text, at)
            if match:
                at = match.end()
            elif char in "()":
                level += 1 if char == "(" else -1
                if level == 1 and not text.startswith("))", at):
                    # `((` also opens a subshell within a subshell; which it was is not re-read.
                    self.fail("parentheses that are no arithmetic")
                at += 1
            elif char == "\\":
                at += 2
            elif char == '"':
                at = self._double(at, ignored)
            elif char == "'":
                at = self._single(at, ignored)
            else:
                at = self.dollar(at, quoted=True)[0]
        if level:
            self.fail("an arithmetic expression is not closed")
        self.depth -= 1
        return min(at, self.size)


def _assigns(parts: list[Part]) -> bool:
    """Tell whether what has been read is just the ``NAME=`` of an assignment."""
    return len(parts) == 1 and not parts[0].quoted and parts[0].text[:-1].isidentifier()
