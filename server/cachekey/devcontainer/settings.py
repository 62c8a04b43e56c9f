"""What the entries of a compose file's service say: values with their places."""

from __future__ import annotations

import re
from collections.abc import Callable

from cachekey.record import record
from cachekey.syntax.jsonc.parse import span_in
from cachekey.syntax.yaml import YamlNode
from cachekey.text import Mapped, Span

Read = Callable[[str], "str | None"]
"""Gives the text of a file of the workspace, or None."""


@record(frozen=True, eq=False)
class Setting:
    """A value of a service with the place that says it."""

    path: str
    node: YamlNode

    @property
    def span(self) -> Span:
        """Return where it stands in its file."""
        return self.node.span

    @property
    def text(self) -> Mapped | None:
        """Return its text when it is one."""
        return self.node.text

    @property
    def words(self) -> tuple[str, ...] | None:
        """Return a command's words; ``None`` when a variable tells some, or it is one text."""
        if self.node.kind != "sequence":
            return None
        texts = [plain(item.text) for item in self.node.elements]
        return None if None in texts else tuple(text for text in texts if text is not None)


@record(frozen=True, eq=False)
class Variable:
    """An environment variable of a service; ``text`` is ``None`` when only the host knows it."""

    name: str
    text: str | None
    path: str
    span: Span
    value: Mapped | None = None
    """Its value as the compose file writes it; ``None`` where an ``env_file`` does."""


_HOST = re.compile(
    r"(?<!\$)(?:\$\$)*(?P<written>\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)\}))"
)
"""A variable without a default, which Compose takes from the host or from its ``.env``."""


def host_variables(text: Mapped) -> tuple[tuple[str, Span], ...]:
    """Return names and places of the variables that Compose takes from the host, in order."""
    return tuple(
        (match["bare"] or match["name"], span_in(text, *match.span("written")))
        for match in _HOST.finditer(text.text)
    )


def plain(text: Mapped | None) -> str | None:
    """Return a text in which Compose substitutes nothing; ``$$`` stands for a dollar sign."""
    if text is None or re.search(r"(?<!\$)(?:\$\$)*\$(?:\{|[A-Za-z_])", text.text):
        return None
    return text.text.replace("$$", "$")


def since_override(settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """Drop what a later ``!override`` or ``!reset`` takes away."""
    for number in range(len(settings) - 1, -1, -1):
        if settings[number].node.tag == "!reset":
            return settings[number + 1 :]
        if settings[number].node.tag == "!override":
            return settings[number:]
    return settings
