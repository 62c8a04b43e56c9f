"""The workspace's files by their paths in a dev container: bound into it, or copied by its build."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from cachekey.devcontainer.makings import Makings
from cachekey.devcontainer.paths import covers, within
from cachekey.record import cached_property, record

_PROGRAMS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


@record(frozen=True, eq=False)
class Files:
    """Finds them."""

    made: Makings

    @cached_property
    def _binds(self) -> tuple[tuple[str, str], ...]:
        """Return pairs of a folder in the container and the workspace's path that is bound there."""
        return tuple(self._bound() if self.made.service is None else self._shared())

    def _bound(self) -> Iterator[tuple[str, str]]:
        """Yield them of a container of its own."""
        made = self.made
        if made.document.root.string("workspaceMount") is None and made.folder is not None:
            yield made.folder, made.root
        for item in made.mounts:
            source = item.source.text if item.source is not None else ""
            target = made.place(item)
            if item.type == "bind" and target and source.startswith("${localWorkspaceFolder}"):
                rest = source.removeprefix("${localWorkspaceFolder}").lstrip("/")
                yield target, posixpath.normpath(posixpath.join(made.root, rest))

    def _shared(self) -> Iterator[tuple[str, str]]:
        """Yield them of a service."""
        made, service = self.made, self.made.service
        for item in service.mounts if service is not None else ():
            target, source = made.place(item), item.source.text if item.source else ""
            if item.type == "bind" and target is not None and source.startswith("."):
                folder = service.folders.get(item.path, "") if service is not None else ""
                path = within(folder, source)
                around = posixpath.normpath(posixpath.join(made.root, ".."))
                if path is not None:
                    yield target, path
                elif posixpath.normpath(posixpath.join(folder, source)) == around:
                    # The folder around the opened one, as the templates write it.
                    yield posixpath.join(target, made.basename), made.root

    def find(self, path: str) -> tuple[str, str] | None:
        """Return path and text of a workspace's file by its path in the container."""
        if not self.made.document.compose:
            # The folder may be called otherwise here than where it was written down.
            path = self.made.path(path) or path
        for target, source in sorted(self._binds, key=lambda pair: -len(pair[0])):
            if covers(target, path):
                rest = path[len(target) :].strip("/")
                # A file may be mounted by itself.
                inside = within(source, rest) if rest else source
                text = self.made.texts.read(inside) if inside else None
                return (inside, text) if inside and text is not None else None
        return self._copied(path)

    def ships(self, name: str) -> str | None:
        """Return where on the PATH the Dockerfile puts a file of the context by this name."""
        paths = (f"{folder}/{name}" for folder in self._searched)
        return next((path for path in paths if self._copied(path) is not None), None)

    @cached_property
    def _searched(self) -> tuple[str, ...]:
        """Return the directories of the PATH."""
        stage = self.made.stage
        path = stage.end.variables.get("PATH") if stage is not None else None
        ahead = path.value.text.split(":") if path is not None else []
        folders = (each.rstrip("/") for each in ahead if each.startswith("/"))
        return tuple(dict.fromkeys((*folders, *_PROGRAMS)))

    def _copied(self, path: str) -> tuple[str, str] | None:
        """Return a file that a COPY of the build context puts at a path of the image."""
        if self.made.stage is None or self.made.context is None:
            return None
        for link in self.made.stage.chain:
            for step in reversed(link.steps):
                copied = step.copied
                if copied is None or copied.origin is not None or copied.target is None:
                    continue
                for source in copied.sources(path):
                    inside = within(self.made.context, source)
                    text = self.made.texts.read(inside) if inside else None
                    if inside and text is not None:
                        return inside, text
        return None
