"""What a dev container is made of, and where the workspace lies in it.

Source: Dev Containers CLI ``src/spec-node/imageMetadata.ts`` (merging), ``dockerCompose.ts``,
``singleContainer.ts``; containers.dev, *Dev Container metadata reference*.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from cachekey.devcontainer.compose import Composition, Service
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.paths import covers, within, workspace_root
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.substitution import LIFECYCLE, literal
from cachekey.dockerfile.records import Dockerfile, Stage, Step
from cachekey.knowledge.features import Feature
from cachekey.record import cached_property, record
from cachekey.syntax.jsonc.tree import Member
from cachekey.text import Span

if TYPE_CHECKING:
    from cachekey.knowledge import Image, Knowledge

_NAMED = re.compile(r"/workspaces/(\w[\w.-]*)(?=[/\s\"';:),]|\Z)")
"""A folder below the one where workspaces lie; hidden ones are stores that lie beside them."""
_WORD = re.compile(r"[^\s\"';&|()<>`]+")
_MOST_SCRIPTS = 16


@record(frozen=True)
class Place:
    """Where something is said: a file and a span in it."""

    path: str
    span: Span


@record(frozen=True, eq=False)
class FeatureUse:
    """A feature in use and what is known of it."""

    member: Member
    known: Feature | None

    @property
    def name(self) -> str:
        """Return its reference as written."""
        return self.member.key.text

    def option(self, name: str) -> str | None:
        """Return the literal value of one of its options, where the file gives it."""
        member = self._member(name)
        text = member.value.text if member is not None and member.value is not None else None
        return literal(text) if text is not None else None

    def said(self, name: str) -> bool:
        """Tell whether the file gives an option at all."""
        return self._member(name) is not None

    def _member(self, name: str) -> Member | None:
        node = self.member.value
        members = node.effective() if node is not None and node.kind == "object" else ()
        return next((member for member in members if member.key.text == name), None)


class Texts(Protocol):
    """The files of the workspace."""

    def read(self, path: str) -> str | None:
        """Return the text of one, or None."""


@record(frozen=True, eq=False)
class Makings:
    """What the files name. Paths are the container's, but for those of files."""

    document: Devcontainer
    knowledge: Knowledge
    texts: Texts
    composition: Composition | None
    service: Service | None
    dockerfile: Dockerfile | None
    stage: Stage | None
    """The stage that the container is made of."""
    builds: bool
    """An image is built; its Dockerfile may still be out of sight."""
    reference: str | None
    """The image at the bottom as written, variables included."""
    image: Image | None
    """What is known of it."""
    features: tuple[FeatureUse, ...]
    context: str | None = None
    """The folder from which the image is built."""

    @property
    def steps(self) -> Iterator[Step]:
        """Return the Dockerfile's steps up to the container's own stage, the last stage's first."""
        for link in self.stage.chain if self.stage is not None else ():
            yield from link.steps

    @property
    def foreign_features(self) -> bool:
        """Tell whether a feature is in use of which nothing is known."""
        return any(use.known is None for use in self.features)

    @cached_property
    def mounts(self) -> tuple[RuntimeMount, ...]:
        """Return the mounts that come into being, of the file and of the service."""
        inherited = self.service.mounts if self.service is not None else ()
        return (*inherited, *self.document.effective_mounts)

    # -- the workspace ------------------------------------------------------------------------

    @property
    def root(self) -> str:
        """Return the opened folder as a path of the workspace."""
        return workspace_root(self.document.path)

    @cached_property
    def basename(self) -> str:
        """Return the opened folder's name: the one that the files themselves write, else the one here.

        Who writes ``/workspaces/app/node_modules`` has called the folder so, whatever it is called
        where this is read.
        """
        return self._named or "workspace"

    @cached_property
    def _named(self) -> str:
        """Return the same; empty where neither the files nor the path tell it."""
        named = Counter(
            match.group(1) for text in self._written() for match in _NAMED.finditer(text)
        )
        for name, _count in named.most_common(1):
            return name
        return posixpath.basename(self.root)

    def _written(self) -> Iterator[str]:
        """Yield the paths and commands of the file, and the scripts that the commands name."""
        for mount in self.document.mounts:
            # One right below /workspaces may as well lie beside the workspace.
            if mount.place is not None and mount.place.count("/") > 2:
                yield mount.place
        for mount in self.service.mounts if self.service is not None else ():
            if mount.place is not None and mount.place.count("/") > 2:
                yield mount.place
        for path, node in self.document.tree.strings():
            if node.text is None or path[:1] == ("mounts",):
                continue
            yield node.text.text
            if path and path[0] in LIFECYCLE:
                for name in islice(_scripts(node.text.text), _MOST_SCRIPTS):
                    inside = within(self.root, name)
                    script = self.texts.read(inside) if inside else None
                    if script is not None:
                        yield script

    @cached_property
    def folder(self) -> str | None:
        """Return where the workspace lies in the container."""
        written = self.document.root.string("workspaceFolder")
        if written is None:
            return "/" if self.document.compose else f"/workspaces/{self.basename}"
        text = self.path(written.text)
        return text if text is not None and text.startswith("/") else None

    @property
    def shown_folder(self) -> str | None:
        """Return the same for a reader: a name that nobody tells stays the variable that stands for it."""
        member = self.document.root.string("workspaceFolder")
        text = member.text if member is not None else ""
        if self._named or (member is None and self.document.compose):
            return self.folder
        if member is None:
            return "/workspaces/${localWorkspaceFolderBasename}"
        return text if self.folder is not None and "Basename}" in text else self.folder

    def path(self, written: str | None) -> str | None:
        """Return a path of the container cleaned and literal; ``None`` when a variable tells it."""
        if written is None:
            return None
        for name in ("localWorkspaceFolderBasename", "containerWorkspaceFolderBasename"):
            written = written.replace(f"${{{name}}}", self.basename)
        if "${containerWorkspaceFolder}" in written:
            member = self.document.root.string("workspaceFolder")
            if member is not None and "${containerWorkspaceFolder}" in member.text:
                return None
            folder = self.folder
            written = written.replace("${containerWorkspaceFolder}", folder or "${}")
        if "$" in written:
            return None
        return posixpath.normpath(written)

    def place(self, mount: RuntimeMount) -> str | None:
        """Return a mount's target as a literal path of the container."""
        return self.path(mount.place)

    def in_workspace(self, path: str) -> bool:
        """Tell whether a path lies below the workspace's folder."""
        folder = self.folder
        return folder is not None and folder != "/" and path != folder and covers(folder, path)


def _scripts(command: str) -> Iterator[str]:
    """Yield the shell scripts that words of a command name, from the workspace."""
    for match in _WORD.finditer(command):
        word = match.group().removeprefix("${containerWorkspaceFolder}/").removeprefix("./")
        if word.endswith(".sh") and "$" not in word:
            yield word
