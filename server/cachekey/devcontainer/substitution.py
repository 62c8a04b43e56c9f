"""Variables of devcontainer.json: ``${localEnv:NAME:default}`` and the like.

Follows the Dev Containers CLI (``variableSubstitution.ts``): everything between ``${`` and the next
``}`` is split at colons; what is not known stays in the text as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cachekey.record import record
from cachekey.suggest import nearest
from cachekey.syntax.jsonc.parse import span_in
from cachekey.text import Mapped, Span

HOST_ENV = ("localEnv", "env")
NAMED = ("localEnv", "env", "containerEnv")
PLAIN = (
    "localWorkspaceFolder",
    "localWorkspaceFolderBasename",
    "containerWorkspaceFolder",
    "containerWorkspaceFolderBasename",
    "devcontainerId",
)
KNOWN = (*NAMED, *PLAIN)

AFTER_START = ("remoteEnv", "customizations", "userEnvProbe")
LIFECYCLE = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)
"""Commands that run in the container, in the order in which they run."""


@record(frozen=True)
class Variable:
    """One ``${…}`` in a string value."""

    span: Span
    text: str
    """The whole variable as written."""
    kind: str
    """What stands before the first colon."""
    parts: tuple[str, ...]
    """What stands behind it, split at colons."""

    @property
    def name(self) -> str:
        """Return the name of the environment variable, empty for the plain ones."""
        return self.parts[0] if self.parts and self.kind in NAMED else ""

    @property
    def default(self) -> str | None:
        """Return the default that is really used: it ends at the next colon."""
        return self.parts[1] if len(self.parts) > 1 and self.kind in NAMED else None

    @property
    def cut(self) -> bool:
        """Tell whether a part of the default is lost at a colon."""
        return self.kind in NAMED and len(self.parts) > 2

    @property
    def known(self) -> bool:
        """Tell whether the Dev Containers tools substitute it."""
        return self.kind in KNOWN

    @property
    def template(self) -> bool:
        """Tell whether it is an option of a template, replaced before the file is ever used."""
        return self.kind == "templateOption"

    @property
    def meant(self) -> str | None:
        """Return the known variable that was probably meant, written out, if one is near."""
        lower = {name.lower(): name for name in KNOWN if name != "env"}
        kind = lower.get(self.kind.lower()) or nearest(self.kind, lower.values())
        kind = kind or _OTHER_TOOLS.get(self.kind)
        if kind is None or (kind in NAMED) != bool(self.parts):
            return None
        return "${" + ":".join((kind, *self.parts)) + "}"


_OTHER_TOOLS = {
    "workspaceFolder": "localWorkspaceFolder",
    "workspaceRoot": "localWorkspaceFolder",
    "workspaceFolderBasename": "localWorkspaceFolderBasename",
}
"""VS Code's own variables, which settings and tasks have and devcontainer.json does not."""


def variables(text: Mapped) -> tuple[Variable, ...]:
    """Return the variables in a string, in order."""
    found = []
    for start, stop in _places(text.text):
        kind, *parts = text.text[start + 2 : stop - 1].split(":")
        written = text.text[start:stop]
        found.append(Variable(span_in(text, start, stop), written, kind, tuple(parts)))
    return tuple(found)


def _places(text: str) -> Iterator[tuple[int, int]]:
    at = text.find("${")
    while at >= 0:
        end = text.find("}", at)
        if end < 0:
            return
        yield at, end + 1
        at = text.find("${", end)


def literal(text: Mapped | None) -> str | None:
    """Return a string's text when nothing in it is substituted."""
    if text is None or any(item.known or item.template for item in variables(text)):
        return None
    return text.text


def stable(text: str) -> str:
    """Return the text without its variables: what is there whatever their values are."""
    parts, at = [], 0
    for start, stop in _places(text):
        parts.append(text[at:start])
        at = stop
    return "".join((*parts, text[at:]))


Moment = Literal["host", "create", "container"]


def moment(variable: Variable) -> Moment | None:
    """Tell when a variable gets its value; ``None`` for one that is never substituted."""
    if variable.kind in HOST_ENV or variable.kind.startswith("local"):
        return "host"
    if variable.kind == "containerEnv":
        return "container"
    return "create" if variable.kind in PLAIN else None


def resolved_late(path: tuple[str, ...]) -> bool:
    """Tell whether a value is read after the container has started, so ``containerEnv`` counts."""
    return bool(path) and (path[0] in AFTER_START or path[0] in LIFECYCLE)
