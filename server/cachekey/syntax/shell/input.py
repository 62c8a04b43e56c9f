"""Reads the gaps between commands, redirections, and the here-documents that they open."""

from __future__ import annotations

import re
from typing import cast

from cachekey.syntax.shell.scan import BLANK, Scanner
from cachekey.syntax.shell.tree import Redirect, Word
from cachekey.text import Mapped

_REDIRECT = re.compile(r"(\d*|\{\w+\})(<<<|<<-?|<>|<&|>>|>\||>&|<(?!\()|>(?!\())|()(&>>?)")
_MAY_REDIRECT = frozenset("<>&{0123456789")
_MAY_BE_BLANK = frozenset(" \t\\")
_NEEDS_SHELL = re.compile(r"\$\(|`")


class Inputs(Scanner):
    """A scanner with a place of its own: ``at`` is the index of the next character."""

    def __init__(self, source: Mapped, depth: int) -> None:
        super().__init__(source, depth)
        self.at = 0
        self.end = 0
        """Where the last command ended that was read, blanks behind it left out."""
        self.waiting: list[Redirect] = []

    # -- places -----------------------------------------------------------------------------

    def blank(self) -> None:
        """Step over blanks and escaped line ends."""
        at = self.at
        if at < self.size and self.text[at] in _MAY_BE_BLANK:
            self.at = cast("re.Match[str]", BLANK.match(self.text, at)).end()

    def gap(self) -> None:
        """Step over blanks, comments and line ends; here-documents begin behind a line end."""
        while True:
            self.blank()
            char = self.text[self.at : self.at + 1]
            if char == "#":
                end = self.text.find("\n", self.at)
                self.at = self.size if end < 0 else end
            elif char in ("\n", "\r"):
                self.at += 2 if self.text.startswith("\r\n", self.at) else 1
                self.bodies()
            else:
                return

    # -- redirections -----------------------------------------------------------------------

    def redirections(self, redirects: list[Redirect]) -> None:
        """Read the redirections that stand here."""
        self.blank()
        while self.redirect(redirects):
            self.blank()

    def redirect(self, redirects: list[Redirect]) -> bool:
        """Read a redirection, if one stands here."""
        text, start = self.text, self.at
        if start >= self.size or text[start] not in _MAY_REDIRECT:
            return False
        match = _REDIRECT.match(text, start)
        if match is None:
            return False
        operator = match.group(2) or match.group(4)
        self.at = match.end()
        self.blank()
        begin = self.at
        self.at, parts = self.word(begin)
        if self.at == begin:
            self.fail("a redirection without a target")
        target = Word(self.source, begin, self.at, parts)
        redirect = Redirect(self.source, start, operator, match.group(1) or "", target)
        redirects.append(redirect)
        if redirect.is_document:
            self.waiting.append(redirect)
        self.end = self.at
        return True

    def bodies(self) -> None:
        """Read the texts of here-documents, which begin where ``at`` is."""
        if not self.waiting:
            return
        # At the end of the text they stand elsewhere: a Dockerfile's own here-documents do.
        waiting, self.waiting = self.waiting, []
        for redirect in waiting if self.at < self.size else ():
            self._document(redirect)

    def _document(self, redirect: Redirect) -> None:
        name = redirect.target.unquoted().text
        begin = at = self.at
        while at < self.size:
            end = self.text.find("\n", at)
            end = self.size if end < 0 else end
            line = self.text[at:end].rstrip("\r")
            if (line.lstrip("\t") if redirect.operator == "<<-" else line) == name:
                break
            at = end + 1
        else:
            self.fail("a here-document is not closed")
            end = at = self.size
        redirect.body = self.source.slice(begin, at)
        if not redirect.target.quoted and _NEEDS_SHELL.search(redirect.body.text):
            self.fail("a here-document runs commands")
        # The line end behind the name belongs to it.
        self.at = min(end + 1, self.size)
