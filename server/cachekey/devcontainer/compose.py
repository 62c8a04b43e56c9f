"""Compose files: the service that a dev container runs in, merged as Compose merges it.

Source: compose-spec *Merge* and *Extend*; compose-go ``override/merge.go`` and ``loader/extends.go``.
Only what a container gets is read. Values with variables stay as they are written: only the host
knows them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from cachekey.devcontainer.envfile import read_env_files
from cachekey.devcontainer.mounts import RuntimeMount, service_mount, tmpfs_mount
from cachekey.devcontainer.paths import within
from cachekey.devcontainer.settings import Read, Setting, Variable, plain, since_override
from cachekey.record import cached_property, record
from cachekey.syntax.yaml import YamlNode, parse
from cachekey.text import Mapped, Source, Span

_MOST_FILES = 16
_DEEPEST_EXTENDS = 16
_REPLACED = ("command", "entrypoint", "healthcheck")
"""Sequences of a service that a later file replaces; others it extends."""


@record(frozen=True, eq=False)
class ComposeFile:
    """One compose file. Offsets are offsets in ``source``."""

    path: str
    source: Source
    documents: tuple[YamlNode, ...]
    """Its documents, merged in order; none when it cannot be read or is too large."""
    spent: Span | None = None
    """Where the budget was gone: nowhere, what is too large is not read at all."""

    @cached_property
    def places(self) -> tuple[Span, ...]:
        """Return the spans of all entries, wider ones first, for comments above them."""
        found: set[tuple[int, int]] = set()
        seen: set[int] = set()
        waiting = list(self.documents)
        while waiting:
            node = waiting.pop()
            if id(node.raw) in seen:
                continue
            seen.add(id(node.raw))
            for item in node.elements:
                found.add((item.span.start, -item.span.end))
                waiting.append(item)
            for key, value in node.members:
                found.add((key.span.start, -max(key.span.end, value.span.end)))
                waiting.append(value)
        return tuple(Span(start, -end) for start, end in sorted(found))

    @cached_property
    def mounts(self) -> tuple[RuntimeMount, ...]:
        """Return what the services mount, as this file writes it."""
        found: list[RuntimeMount] = []
        for _, _, service in self.section("services"):
            volumes = service.get("volumes") if service.kind == "mapping" else None
            for item in volumes.elements if volumes is not None else ():
                mount = service_mount(item, self.path)
                found += [mount] if mount is not None else []
        return tuple(found)

    def at(self, span: Span) -> YamlNode | None:
        """Return the entry of a service's ``volumes`` that stands at a place."""
        for _, _, service in self.section("services"):
            volumes = service.get("volumes") if service.kind == "mapping" else None
            for item in volumes.elements if volumes is not None else ():
                if item.span == span:
                    return item
        return None

    @property
    def readable(self) -> bool:
        """Tell whether anything of it is known."""
        return any(document.kind == "mapping" for document in self.documents)

    def section(self, name: str) -> Iterator[tuple[str, YamlNode, YamlNode]]:
        """Yield name, key and value of the entries of ``services`` or ``volumes``."""
        for document in self.documents:
            node = document.get(name)
            if node is not None and node.kind == "mapping":
                for key, (written, value) in node.entries.items():
                    yield key, written, value


@record(frozen=True, eq=False)
class Build:
    """What a service builds, in paths of the workspace."""

    path: str
    span: Span
    context: str | None
    """The folder; ``None`` when it lies elsewhere or a variable tells it."""
    dockerfile: str | None
    """The Dockerfile; ``None`` like ``context``, and for one that is written inline."""
    target: str | None
    args: Mapping[str, str]
    said: tuple[str, Mapped] | None = None
    """File and text that name the Dockerfile, or else the folder; ``None`` when neither is written."""
    names_dockerfile: bool = False


@record(frozen=True, eq=False)
class Service:
    """A service after merging and extending."""

    name: str
    path: str
    """The last file that names it."""
    key: Span
    settings: Mapping[str, tuple[Setting, ...]]
    """Values by key, in the order of merging: for scalars the last one counts."""
    folders: Mapping[str, str]
    """The folder from which the paths of each file are resolved."""
    unread: tuple[str, ...]
    """Why something of it is not known: a file outside, an ``extends`` in a circle."""
    from_files: Mapping[str, Variable]
    """The variables of the files that ``env_file`` names."""
    has_env_file: bool
    """One of those files is not there to be read."""

    def setting(self, name: str) -> Setting | None:
        """Return the value that counts."""
        found = self.settings.get(name)
        if not found or found[-1].node.tag == "!reset":
            return None
        return found[-1]

    def literal(self, name: str) -> str | None:
        """Return a value's text when no variable tells it."""
        found = self.setting(name)
        return plain(found.text) if found else None

    @cached_property
    def mounts(self) -> tuple[RuntimeMount, ...]:
        """Return the mounts of ``volumes``; of two on one target the later counts."""
        found: dict[str, RuntimeMount] = {}
        for setting in since_override(self.settings.get("volumes", ())):
            for item in setting.node.elements:
                mount = service_mount(item, setting.path)
                if mount is not None:
                    key = mount.place or f"\0{setting.path}{mount.span.start}"
                    found.pop(key, None)
                    found[key] = mount
        return (*found.values(), *self.tmpfs())

    def tmpfs(self) -> Iterator[RuntimeMount]:
        """Yield the mounts of ``tmpfs``."""
        for setting in since_override(self.settings.get("tmpfs", ())):
            for item in setting.node.elements or (setting.node,):
                if item.text is not None:
                    yield tmpfs_mount(item, item.text, setting.path)

    @cached_property
    def environment(self) -> Mapping[str, Variable]:
        """Return its variables: of the files that it names, over those the ``environment``'s own."""
        found: dict[str, Variable] = dict(self.from_files)
        for setting in since_override(self.settings.get("environment", ())):
            for name, value, span in _pairs(setting.node):
                text = plain(value) if value is not None else None
                found[name] = Variable(name, text, setting.path, span, value)
        return found

    @cached_property
    def build(self) -> Build | None:
        """Return what it builds."""
        settings = self.settings.get("build", ())
        if not settings:
            return None
        values: dict[str, tuple[str, Mapped | None]] = {}
        args: dict[str, str] = {}
        for setting in settings:
            if setting.node.kind == "mapping":
                for name, (_, value) in setting.node.entries.items():
                    values[name] = (setting.path, value.text)
                    if name == "args":
                        known = ((n, plain(v)) for n, v, _ in _pairs(value) if v is not None)
                        args.update((n, v) for n, v in known if v is not None)
            else:
                values["context"] = (setting.path, setting.text)
        where, context = values.get("context", (settings[-1].path, None))
        written = plain(context) if context is not None else "."
        folder = within(self.folders[where], written)
        file = plain(values["dockerfile"][1]) if "dockerfile" in values else "Dockerfile"
        inline = "dockerfile_inline" in values
        dockerfile = within(folder, file) if folder is not None and not inline else None
        target = plain(values["target"][1]) if "target" in values else None
        last = settings[-1]
        found = values.get("dockerfile", values.get("context"))
        said = (found[0], found[1]) if found is not None and found[1] is not None else None
        return Build(
            last.path, last.span, folder, dockerfile, target, args, said, "dockerfile" in values
        )


@record(frozen=True, eq=False)
class Composition:
    """All compose files of a configuration, in their order."""

    files: tuple[ComposeFile, ...]
    unread: tuple[str, ...]
    """Why files are missing."""
    read: Read
    folders: Mapping[str, str]
    """The folder from which the paths of each file are resolved: that of the first one, and for a
    file that is included its own."""

    def service(self, name: str) -> Service | None:
        """Return a service merged over the files; ``None`` when no file names it."""
        settings: dict[str, tuple[Setting, ...]] = {}
        folders = dict(self.folders)
        unread = list(self.unread)
        place: tuple[str, Span] | None = None
        for file in self.files:
            for found, key, node in file.section("services"):
                if found == name and node.kind == "mapping":
                    place = (file.path, key.span)
                    self._take(file, node, settings, folders, unread, ((file.path, name),))
        if place is None:
            return None
        files, complete = read_env_files(settings.get("env_file", ()), folders, self.read)
        return Service(name, *place, settings, folders, tuple(unread), files, not complete)

    def _take(
        self,
        file: ComposeFile,
        node: YamlNode,
        settings: dict[str, tuple[Setting, ...]],
        folders: dict[str, str],
        unread: list[str],
        chain: tuple[tuple[str, str], ...],
    ) -> None:
        """Lay a service's entry over what is there; what it extends comes first."""
        extended = node.get("extends")
        if extended is not None:
            self._extend(file, extended, settings, folders, unread, chain)
        for name, (_, value) in node.entries.items():
            before = settings.get(name, ())
            new = (Setting(file.path, value),)
            kept = value.kind != "scalar" and name not in _REPLACED and value.tag != "!override"
            settings[name] = (*before, *new) if kept or name == "build" else new

    def _extend(
        self,
        file: ComposeFile,
        node: YamlNode,
        settings: dict[str, tuple[Setting, ...]],
        folders: dict[str, str],
        unread: list[str],
        chain: tuple[tuple[str, str], ...],
    ) -> None:
        name = plain(node.text if node.kind == "scalar" else node.string("service"))
        written = node.string("file")
        other: ComposeFile | None = file
        if written is not None:
            path = within(folders[file.path], plain(written))
            other = read_file(path, self.read) if path else None
            if other is not None and path is not None:
                folders.setdefault(path, posixpath.dirname(path))
        if other is None or name is None or (other.path, name) in chain:
            unread.append("what a service extends cannot be read")
            return
        if len(chain) >= _DEEPEST_EXTENDS:
            unread.append("services extend each other too deeply")
            return
        for found, _, value in other.section("services"):
            if found == name and value.kind == "mapping":
                deeper = (*chain, (other.path, name))
                self._take(other, value, settings, folders, unread, deeper)
                return
        unread.append(f"there is no service {name} to extend")

    def file(self, path: str) -> ComposeFile | None:
        """Return one of the files by its path."""
        return next((file for file in self.files if file.path == path), None)

    @cached_property
    def services(self) -> tuple[str, ...]:
        """Return the names of all services."""
        return tuple(
            dict.fromkeys(n for file in self.files for n, _, _ in file.section("services"))
        )

    @cached_property
    def volumes(self) -> Mapping[str, tuple[str, YamlNode, YamlNode]]:
        """Return the volumes that are declared: file, key and value by name."""
        return {
            name: (file.path, key, value)
            for file in self.files
            for name, key, value in file.section("volumes")
        }


def compose(paths: Iterable[str | None], read: Read) -> Composition:
    """Read the files of a configuration and those that they include.

    ``None`` stands for a file whose path is not known.
    """
    listed = list(paths)[:_MOST_FILES]
    folder = posixpath.dirname(next((path for path in listed if path is not None), ""))
    files: list[ComposeFile] = []
    folders: dict[str, str] = {}
    unread: list[str] = []
    waiting = [(path, folder, False) for path in listed]
    while waiting and len(folders) < _MOST_FILES:
        path, folder, included = waiting.pop(0)
        if path in folders:
            continue
        file = read_file(path, read) if path is not None else None
        if path is None or file is None or not file.readable:
            unread.append(f"{path or 'a compose file'} cannot be read")
            continue
        folders[path] = folder
        # What is included stands below what includes it.
        files.insert(0 if included else len(files), file)
        waiting += ((other, place, True) for other, place in _included(file, folder))
    unread += ["too many compose files"] if waiting else []
    return Composition(tuple(files), tuple(unread), read, folders)


def _included(file: ComposeFile, folder: str) -> Iterator[tuple[str | None, str]]:
    """Yield the files that one includes, each with the folder from which its paths are resolved."""
    for document in file.documents:
        entries = document.get("include")
        for entry in entries.elements if entries is not None else ():
            item = entry.get("path") if entry.kind == "mapping" else entry
            nodes = (item.elements or (item,)) if item is not None else ()
            paths = [within(folder, plain(node.text)) for node in nodes]
            first = next((path for path in paths if path is not None), "")
            said = entry.string("project_directory") if entry.kind == "mapping" else None
            given = within(folder, plain(said)) if said is not None else None
            place = given if given is not None else posixpath.dirname(first)
            yield from ((path, place) for path in paths)


def taken_in(file: ComposeFile) -> Iterator[str]:
    """Yield the files that one includes, and those whose services its own extend.

    Their paths are resolved from the folder of the file, as when Compose is called with it.
    """
    folder = posixpath.dirname(file.path)
    for path, _ in _included(file, folder):
        if path is not None:
            yield path
    for _, _, node in file.section("services"):
        extended = node.get("extends")
        written = extended.string("file") if extended is not None else None
        path = within(folder, plain(written)) if written is not None else None
        if path is not None:
            yield path


def read_file(path: str, read: Read) -> ComposeFile | None:
    """Read one compose file; ``None`` when it is not there."""
    text = read(path)
    return None if text is None else read_compose(path, Source(text))


def read_compose(path: str, source: Source) -> ComposeFile:
    """Take a compose file's text apart; whatever it holds, this never fails."""
    return ComposeFile(path, source, parse(source))


def engine_name(key: YamlNode, value: YamlNode) -> Mapped | None:
    """Return what the engine calls a declared volume, where Compose puts no project's name in front.

    Source: compose-spec *volumes*: ``name``, ``external``; compose-go ``loader`` for the older
    ``external: {name: …}``.
    """
    external = value.get("external")
    said = value.string("name")
    if said is None and external is not None and external.kind == "mapping":
        said = external.string("name")
    if said is not None:
        return said if plain(said) == said.text else None
    outside = external is not None and (
        external.kind == "mapping" or plain(external.text) == "true"
    )
    return key.text if outside else None


def _pairs(node: YamlNode) -> Iterator[tuple[str, Mapped | None, Span]]:
    """Yield the pairs of a mapping, or of a list of ``NAME=value``."""
    if node.kind == "mapping":
        for name, (key, value) in node.entries.items():
            yield name, value.text, Span(key.span.start, max(key.span.end, value.span.end))
    for item in node.elements:
        if item.text is not None:
            name, equals, _ = item.text.text.partition("=")
            yield name, item.text.slice(len(name) + 1) if equals else None, item.span
