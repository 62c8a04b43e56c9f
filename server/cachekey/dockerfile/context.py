"""Which file of the build context lies at a path of the image: by COPY, ADD and bind mounts.

Sources: BuildKit ``dockerfile2llb/convert.go`` (``dispatchCopy``) and ``convert_runmount.go``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import Scope
from cachekey.commands.effect import inside
from cachekey.knowledge.patterns import matches
from cachekey.record import cached_property, record
from cachekey.syntax.dockerfile.expand import expand
from cachekey.syntax.dockerfile.namevalue import split_words
from cachekey.syntax.dockerfile.tree import Instruction
from cachekey.text import Elsewhere, Mapped
from cachekey.tools.environment import ConfigReader

_MOST_PARENTS = 5
"""Folders above the Dockerfile's that may be the build context."""


@record(frozen=True, eq=False)
class Copied:
    """A COPY or ADD, and those from the build context in front of it."""

    instruction: Instruction
    scope: Scope
    escape: str
    previous: Copied | None

    @cached_property
    def written(self) -> tuple[Mapped, ...]:
        """Return sources and destination as written."""
        given = self.instruction.json
        return tuple(given or split_words(self.instruction.args, self.escape))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Return sources and destination, variables filled in; nothing when one is not known."""
        found = [expand(word.text, self.scope.lookup, self.escape) for word in self.written]
        return tuple(value.text for value in found) if all(v.known for v in found) else ()

    def may_bring(self, path: str, folder: str) -> bool:
        """Tell whether it may bring ``path``, which lies in ``folder``, a directory of a tool.

        All of the build context, as in ``COPY . .``, does not: what a build leaves behind on the host
        is nothing that anybody wants in there.
        """
        target = self.target
        if target is None or self.instruction.heredocs:
            return True
        if inside(target, folder):
            return inside(target, path) or inside(path, target)
        if not inside(folder, target):
            return False
        name = folder[len(target) :].lstrip("/").split("/")[0]
        for source in self.words[:-1]:
            last = posixpath.basename(source.rstrip("/"))
            if last not in ("", ".", "*") and matches(name, last):
                return True
            if self.origin is not None or (self.instruction.keyword == "ADD" and "." in last[1:]):
                return True
        return False

    @cached_property
    def origin(self) -> str | None:
        """Return what ``--from`` names; None for the build context."""
        flags = self.instruction.flags
        value = next((flag.value for flag in flags if flag.name.text == "from"), None)
        return None if value is None else value.text

    @cached_property
    def target(self) -> str | None:
        """Return the absolute destination."""
        if len(self.words) < 2:
            return None
        workdir = self.scope.workdir
        if self.words[-1].startswith("/"):
            return posixpath.normpath(self.words[-1])
        if workdir is None or not workdir.known:
            return None
        return posixpath.normpath(posixpath.join("/", workdir.text, self.words[-1]))

    def inline(self, path: str) -> Mapped | None:
        """Return the here-document that it puts at a path."""
        for heredoc in self.instruction.heredocs:
            target = self.target
            names = (target, posixpath.join(target or "/", heredoc.name))
            if target is not None and path in names:
                return heredoc.body
        return None

    def folder_of(self, path: str, source: str) -> str | None:
        """Return the folder, as written, with which it brings a path: the file ``source`` of the context."""
        target = self.target
        if target is None or path == target or not inside(path, target):
            return None
        rest = path[len(target) :].lstrip("/")
        for word in self.words[:-1]:
            folder = posixpath.normpath(f"/{word}").lstrip("/")
            if folder and posixpath.join(folder, rest) == source:
                return word
        return None

    def sources(self, path: str) -> Iterator[str]:
        """Yield the files of the context that it may have put at a path."""
        if self.target is not None and inside(path, self.target):
            for source in self.words[:-1]:
                yield from _sources(source, self.target, path)


def _chain(copied: Copied | None) -> Iterator[Copied]:
    while copied is not None:
        yield copied
        copied = copied.previous


def _sources(source: str, target: str, path: str) -> Iterator[str]:
    source = posixpath.normpath(f"/{source}").lstrip("/")
    if path == target:
        yield source
        return
    rest = path[len(target) :].lstrip("/")
    folder, name = posixpath.split(source)
    if "/" not in rest and matches(rest, name):
        # One file into a folder, be it named or found by a glob.
        yield posixpath.join(folder, rest)
    yield posixpath.join(source, rest)


class ContextFiles:
    """The files of the build context that one RUN sees."""

    def __init__(
        self,
        copied: Copied | None,
        mounts: Iterable[Mount],
        read: ConfigReader,
        stages: Iterable[tuple[Mount, Copied]] = (),
    ) -> None:
        """Take the last COPY in front of the RUN, its mounts, and what reads a file.

        ``stages`` are its binds of other stages of the file, each with the last COPY in that stage.
        """
        self._copied, self._read, self._stages = copied, read, tuple(stages)
        self._binds = [m for m in mounts if m.type == "bind" and m.error is None and not m.origin]
        self._known: dict[str, tuple[str, str] | None] = {}

    def script(self, path: str, caller: Mapped) -> Mapped | None:
        """Return the text of a file of the image, at the place of the word that calls it."""
        inline = self._inline(path)
        if inline is not None:
            return inline
        found = self.find(path)
        return None if found is None else Elsewhere.of(found[1], found[0], caller)

    def config(self, name: str) -> str | None:
        """Return the text of a file by its path in the image, or from the Dockerfile's folder."""
        if not name.startswith("/"):
            return self._read(name)
        found = self.find(name)
        return None if found is None else found[1]

    def ships(self, path: str) -> bool:
        """Tell whether a mount or a COPY names the very file that lies at a path of the image.

        Whatever the context is, it has it then: the build would fail without.
        """
        if any(mount.directory == path for mount in self._binds):
            return True
        folder, name = posixpath.split(path)
        copied = self._copied
        while copied is not None:
            words = (posixpath.basename(word) for word in copied.words[:-1])
            if copied.origin is None and copied.target in (path, folder) and name in words:
                return True
            copied = copied.previous
        return False

    def find(self, path: str) -> tuple[str, str] | None:
        """Return name and text of the file of the context that lies at a path of the image."""
        if path not in self._known:
            self._known[path] = self._find(path)
        return self._known[path]

    def find_source(self, name: str) -> tuple[str, str] | None:
        """Return name and text of a file of the context, by its path there."""
        return self._in_context(posixpath.normpath(f"/{name}").lstrip("/"))

    def takes_little(self, dockerfile: str) -> bool:
        """Tell whether a Dockerfile's ignore file leaves everything out but what it names."""
        name = f"{posixpath.basename(dockerfile)}.dockerignore"
        found = self.find_source(name) or self.find_source(".dockerignore")
        lines = found[1].splitlines() if found is not None else ()
        return any(line.strip().lstrip("/") in ("*", "**") for line in lines)

    def _inline(self, path: str) -> Mapped | None:
        for place, copied in self._copies(path):
            if copied.instruction.heredocs and (found := copied.inline(place)) is not None:
                return found
        return None

    def _copies(self, path: str) -> Iterator[tuple[str, Copied]]:
        """Yield each COPY that may have brought what lies at a path, with the path in its own stage."""
        for mount, last in self._stages:
            if mount.directory and inside(path, mount.directory):
                rest = path[len(mount.directory) :].lstrip("/")
                place = posixpath.normpath(posixpath.join("/", mount.source or "", rest))
                yield from ((place, one) for one in _chain(last))
        yield from ((path, one) for one in _chain(self._copied))

    def _find(self, path: str) -> tuple[str, str] | None:
        for source in self._candidates(path):
            found = self._in_context(source)
            if found is not None:
                return found
        return None

    def _candidates(self, path: str) -> Iterator[str]:
        for mount in self._binds:
            if mount.directory and inside(path, mount.directory):
                rest = path[len(mount.directory) :].lstrip("/")
                source = (mount.source or "/").lstrip("/")
                yield posixpath.join(source, rest) if rest else source
        for place, copied in self._copies(path):
            yield from copied.sources(place)

    def _in_context(self, source: str) -> tuple[str, str] | None:
        """Read a file below the Dockerfile's folder or one above, whichever is the context.

        Where two of them have it, and not the same, nobody knows which one is meant.
        """
        found: tuple[str, str] | None = None
        for number in range(_MOST_PARENTS + 1):
            name = "../" * number + source
            text = self._read(name)
            if text is not None and found is not None and text != found[1]:
                return None
            if text is not None and found is None:
                found = (name, text)
        return found
