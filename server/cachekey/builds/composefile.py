"""What the services of a compose file build, after merging and extending.

Source: compose-spec *build.md* and *interpolation.md*; compose-go ``loader``. A variable has its default
where it is given one; what only the host knows has no text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from cachekey.builds.invocation import Invocation, Said
from cachekey.builds.places import Looker, place
from cachekey.devcontainer.compose import ComposeFile, Composition, Service, read_file
from cachekey.devcontainer.settings import Setting
from cachekey.syntax.yaml import YamlNode
from cachekey.text import Mapped, Source, Span, where_of

_NAMES = re.compile(r"((?:docker-)?compose)(\.ya?ml)\Z")
_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?::?-(?P<default>[^${}]*))?\}|(?P<other>\{))"
)
_BUILDS = re.compile(r"\bbuild\b|\bextends\b|\binclude\b")


def compose_builds(file: ComposeFile, looker: Looker) -> Iterator[Invocation]:
    """Yield a build for each service that the file itself names and that is built."""
    path, source = file.path, file.source
    if not _BUILDS.search(source.text):
        return
    made = composition(file, looker)
    for name in made.services:
        service = made.service(name)
        if service is not None and service.settings.get("build"):
            key = next((key for n, key, _ in made.files[0].section("services") if n == name), None)
            if key is not None:
                yield service_build(service, path, key.span, source)


def composition(file: ComposeFile, looker: Looker) -> Composition:
    """Return a compose file with the one that Compose lays over it unasked."""
    files = [file]
    for path in overrides(file.path):
        other = read_file(path, looker.text)
        if other is not None and len(files) == 1:
            files.append(other)
    folder = posixpath.dirname(file.path)
    includes = any(node.get("include") is not None for one in files for node in one.documents)
    unread = ("include",) if includes else ()
    folders = {item.path: folder for item in files}
    return Composition(tuple(files), unread, looker.text, folders)


def overrides(path: str) -> Iterator[str]:
    """Yield the files of which Compose lays the first that is there over a compose file."""
    folder, name = posixpath.split(path)
    match = _NAMES.match(name)
    for end in (".override.yml", ".override.yaml") if match is not None else ():
        assert match is not None
        yield posixpath.join(folder, match.group(1) + end)


def service_build(service: Service, path: str, span: Span, source: Source) -> Invocation:
    """Return what a service builds; places in other files than ``path`` are that of the service."""
    build = _Build(service, path, span)
    context, file = build.value("context"), build.value("dockerfile")
    found = place(
        build.folder,
        context.text if context is not None else ".",
        None if file is None else file.text or "",
        beside=True,
    )
    own = service.setting("platform")
    platforms = build.listed("platforms")
    if not platforms and own is not None:
        platforms = (build.said(own, own.text, own.span),)
    hidden = "dockerfile_inline" in build.values or (file is not None and not file.text)
    return Invocation(
        path=path,
        kind="compose",
        name=service.name,
        span=span.fixed,
        where=where_of(source, span),
        folder=found.folder,
        dockerfile=None if hidden else found.dockerfile,
        file=file,
        args=tuple(build.args.items()),
        contexts=tuple(build.contexts.items()),
        target=build.value("target"),
        platforms=platforms,
        cache_from=build.listed("cache_from"),
        cache_to=build.listed("cache_to"),
        open=_EVERYTHING if service.unread else frozenset(),
    )


class _Build:
    """The ``build`` of a service: what its files write there, the last one counting."""

    def __init__(self, service: Service, path: str, span: Span) -> None:
        self._service, self._path, self._span = service, path, span
        self.values: dict[str, tuple[Setting, YamlNode]] = {}
        self.args: dict[str, Said] = {}
        self.contexts: dict[str, Said] = {}
        for setting in service.settings["build"]:
            self._take(setting)

    def _take(self, setting: Setting) -> None:
        if setting.node.kind != "mapping":
            self.values["context"] = (setting, setting.node)
            return
        maps = {"args": self.args, "additional_contexts": self.contexts}
        for name, (_, node) in setting.node.entries.items():
            self.values[name] = (setting, node)
            if name in maps:
                maps[name].update({n: self.said(setting, t, s) for n, t, s in pairs(node)})

    @property
    def folder(self) -> str:
        """Return the folder from which the context's path counts."""
        last = self._service.settings["build"][-1]
        setting, _ = self.values.get("context", (last, None))
        return self._service.folders[setting.path]

    def said(self, setting: Setting, text: Mapped | None, written: Span) -> Said:
        """Return a value with its variables filled in, and where it stands."""
        found, opened = (None, frozenset[str]()) if text is None else filled(text.text)
        return Said(found, (written if setting.path == self._path else self._span).fixed, opened)

    def value(self, name: str) -> Said | None:
        """Return a single value."""
        setting, node = self.values.get(name, (None, None))
        if setting is None or node is None or node.tag == "!reset":
            return None
        return self.said(setting, node.text, node.span)

    def listed(self, name: str) -> tuple[Said, ...]:
        """Return the items of a list."""
        setting, node = self.values.get(name, (None, None))
        if setting is None or node is None:
            return ()
        return tuple(self.said(setting, item.text, item.span) for item in node.elements)


_EVERYTHING = frozenset(("args", "platforms", "target", "file"))


def filled(text: str) -> tuple[str | None, frozenset[str]]:
    """Fill in the defaults of variables; also return the variables' names."""
    opened: set[str] = set()
    parts: list[str] = []
    at = 0
    for match in _VARIABLE.finditer(text):
        parts.append(text[at : match.start()])
        at = match.end()
        if match.group("dollar"):
            parts.append("$")
        elif match.group("default") is not None:
            opened.add(match.group("name"))
            parts.append(match.group("default"))
        else:
            return None, frozenset()
    return "".join((*parts, text[at:])), frozenset(opened)


def pairs(node: YamlNode) -> Iterator[tuple[str, Mapped | None, Span]]:
    """Yield name, value and the value's place of a mapping, or of a list of ``NAME=value``."""
    if node.kind == "mapping":
        for name, (_, value) in node.entries.items():
            yield name, value.text, value.span
    for item in node.elements:
        if item.text is not None:
            name, equals, _ = item.text.text.partition("=")
            rest = item.text.slice(len(name) + 1) if equals else None
            yield name, rest, item.span if rest is None else rest.span()


def by_service(made: Composition, names: Mapping[str, object]) -> Iterator[Service]:
    """Yield the services of these names that are built, all without names."""
    for name in made.services:
        service = made.service(name) if not names or name in names else None
        if service is not None and service.settings.get("build"):
            yield service
