"""Parser directives: ``# syntax=``, ``# escape=`` and ``# check=`` at the top of a file."""

from __future__ import annotations

import re

from cachekey.syntax.dockerfile.go import SPACE
from cachekey.syntax.dockerfile.tree import Directive, SyntaxProblem
from cachekey.text import Mapped, Source, Span

_DIRECTIVE = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z")
DIRECTIVES = ("syntax", "escape", "check")


class DirectiveBlock:
    """What the first lines of a file say; a byte order mark is no longer in ``lines``."""

    def __init__(
        self,
        source: Source,
        lines: list[str],
        starts: list[int],
        names: tuple[str, ...] = DIRECTIVES,
    ) -> None:
        self.names = names
        self.source = source
        self.found: list[Directive] = []
        self.problems: list[SyntaxProblem] = []
        self.escape = "\\"
        self.rows: set[int] = set()
        """Numbers of the lines that hold directives."""
        shebang = bool(lines) and lines[0].startswith("#!")
        if not shebang:
            self._read(lines, starts, 0, "#")
        else:
            # The frontend is looked for behind a "#!" line, but that line ends the parser's block.
            self._read(lines, starts, 1, "#", only=("syntax", "check"))
        if not any(directive.name == "syntax" for directive in self.found):
            self._read(lines, starts, int(shebang), "//", only=("syntax",))

    def _read(
        self,
        lines: list[str],
        starts: list[int],
        row: int,
        mark: str,
        only: tuple[str, ...] = DIRECTIVES,
    ) -> None:
        seen: set[str] = set()
        for number in range(row, len(lines)):
            line = lines[number].rstrip("\r")
            body = line.lstrip(SPACE)
            inner = body[len(mark) :].lstrip(SPACE)
            match = _DIRECTIVE.match(inner) if body.startswith(mark) else None
            name = match.group(1).lower() if match else ""
            if match is None or name not in self.names:
                return
            first = starts[number] + len(line) - len(body)
            at = first + len(body) - len(inner)
            value = Mapped.plain(self.source, Span(at + match.start(2), at + match.end(2)))
            span = Span(first, at + match.end(2))
            if name in seen:
                message = f"only one {name} parser directive can be used"
                self.problems.append(SyntaxProblem(span, message))
            if name not in only or name in seen:
                continue
            seen.add(name)
            self.rows.add(number)
            self.found.append(Directive(name, value, span))
            if name == "escape":
                self._set_escape(value)

    def _set_escape(self, value: Mapped) -> None:
        if value.text in ("\\", "`"):
            self.escape = value.text
            return
        message = f"invalid escape token '{value.text}' does not match ` or \\"
        self.problems.append(SyntaxProblem(value.span(), message))
