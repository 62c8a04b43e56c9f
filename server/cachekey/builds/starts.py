"""From a command line to the builds that it starts, those of the files it names included."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cachekey.builds.bake import Baker, target_builds
from cachekey.builds.bakefile import DEFAULT_NAMES, read_set
from cachekey.builds.composefile import by_service, composition, service_build
from cachekey.builds.flags import Line
from cachekey.builds.invocation import Invocation, Kind, Runner, Said
from cachekey.builds.places import Looker, Place, place, settle
from cachekey.builds.shell import Started
from cachekey.builds.values import UNKNOWN, Outcome
from cachekey.devcontainer.compose import Service, read_file
from cachekey.devcontainer.paths import within
from cachekey.record import record, replace
from cachekey.text import Source, Span, where_of

_ANYTHING = frozenset(("args", "platforms", "target", "file"))
_PROFILES = "COMPOSE_PROFILES"
_YAML = (".yml", ".yaml")
_CARRIES = frozenset(
    [
        "cache-from",
        "cache-to",
        "tags",
        "labels",
        "output",
        "attest",
        "pull",
        "no-cache",
        "secrets",
        "ssh",
    ]
)
"""Attributes of a target that decide no key."""
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")


@record(frozen=True)
class Caller:
    """Who starts builds: what all builds of one step or recipe have in common."""

    path: str
    source: Source
    kind: Kind
    name: str
    bases: tuple[str, ...]
    """Folders that it may be started in; where there are several, the Dockerfile decides."""
    runner: Runner = "unknown"
    runs_on: str = ""
    native: str = ""
    job: str = ""
    step: int = -1
    builder: str | None = None
    env: Mapping[str, Said] | None = None
    """Environment variables that the file sets."""

    @property
    def place(self) -> dict[str, Any]:
        """Return where it stands, by the names of the fields."""
        return {name: getattr(self, name) for name in ("path", "source", "name", "bases")}

    def build(self, span: Span, name: str = "") -> Invocation:
        """Return a build about which nothing is known yet."""
        return Invocation(
            path=self.path,
            kind=self.kind,
            name=name or self.name,
            span=span.fixed,
            where=where_of(self.source, span),
            runner=self.runner,
            runs_on=self.runs_on,
            native=self.native,
            job=self.job,
            step=self.step,
            builder=self.builder,
        )

    def adopt(self, other: Invocation, span: Span) -> Invocation:
        """Return a build that another file describes as one that is started here."""
        own = self.build(span, f"{self.name} {other.name}".strip())
        kept = ("folder", "dockerfile", "file", "args", "contexts", "target", "platforms")
        values = {name: getattr(other, name) for name in (*kept, "cache_from", "cache_to", "open")}
        return replace(own, values_in=other.values_in or other.path, **values)


def builds_of(item: Started, caller: Caller, looker: Looker) -> Iterator[Invocation]:
    """Yield the builds of one command line.

    What a Bake or compose file describes is that file's own build already: it is told of once more
    only for a caller whose builder is known.
    """
    bases = caller.bases
    if item.cwd is not None or len(bases) == 1:
        bases = tuple(base for one in bases if (base := _from(one, item.cwd)) is not None)
    runner, runs_on = caller.runner, caller.runs_on
    if item.program == "depot":
        runner, runs_on = "kept", "depot"
    caller = replace(caller, bases=bases, runner=runner, runs_on=runs_on)
    if item.line.shows:
        return
    if item.verb == "build":
        yield _build(item, caller, looker)
    elif caller.job and bases:
        if item.verb == "bake":
            files = [_path(bases[0], said) for said in item.line.files]
            names = [said.text for said in item.line.words if said.text]
            loose = item.line.loose
            yield from baked(caller, item.span, files, names, item.line.sets, looker, loose)
        else:
            yield from _composed(item, caller, looker)


def _from(base: str, cwd: str | None) -> str | None:
    return None if cwd is None else within(base, cwd.lstrip("/") or ".")


def _path(base: str, said: Said) -> str | None:
    return within(base, said.text)


def _build(item: Started, caller: Caller, looker: Looker) -> Invocation:
    line = item.line
    context = next((said for said in reversed(line.words)), None)
    file = line.files[-1] if line.files else None
    found = _place(caller, looker, context, file)
    opened = _ANYTHING if line.loose else frozenset[str]()
    if file is None and item.program in ("podman", "buildah") and found.folder is not None:
        other = within(found.folder, "Containerfile")
        if other is not None and looker.is_there(other):
            found = Place(found.folder, other)
    return replace(
        caller.build(item.span),
        folder=found.folder,
        dockerfile=found.dockerfile,
        file=file,
        open=opened,
        **values_of(line),
    )


def values_of(line: Line) -> dict[str, Any]:
    """Return the values of a command line that decide keys, by the names of their fields."""
    return {
        "args": tuple(line.args.items()),
        "contexts": tuple(line.contexts.items()),
        "target": line.target,
        "platforms": tuple(line.platforms),
        "cache_from": tuple(line.cache_from),
        "cache_to": tuple(line.cache_to),
    }


def _place(caller: Caller, looker: Looker, context: Said | None, file: Said | None) -> Place:
    if context is None or context.text is None or (file is not None and file.text in (None, "-")):
        if context is not None and context.text is None and file is not None and file.text:
            # The file alone tells which Dockerfile it is.
            found = settle(
                looker, caller.bases, True, lambda b: place(b, ".", file.text, beside=False)
            )
            return Place(None, found.dockerfile)
        return Place(None, None)
    text, written = context.text, file.text if file is not None else None
    return (
        settle(
            looker,
            caller.bases,
            len(caller.bases) == 1,
            lambda base: place(base, text, written, beside=False),
        )
        if caller.bases
        else Place(None, None)
    )


def baked(
    caller: Caller,
    span: Span,
    files: Sequence[str | None],
    names: Sequence[str],
    sets: Sequence[Said],
    looker: Looker,
    loose: bool = False,
) -> Iterator[Invocation]:
    """Yield the builds of ``bake`` with these files (none: those that Bake finds) and targets."""
    base = caller.bases[0]
    wanted = files or [within(base, name) for name in DEFAULT_NAMES]
    if None in wanted:
        yield replace(caller.build(span), open=_ANYTHING)
        return
    texts = [(path, text) for path in wanted if path and (text := looker.text(path)) is not None]
    given = {
        name: Outcome(UNKNOWN if said.text is None else said.text)
        for name, said in (caller.env or {}).items()
    }
    scripts = [(path, Source(text)) for path, text in texts if not path.endswith(_YAML)]
    composed = [path for path, _ in texts if path.endswith(_YAML)]
    sure = not loose and len(composed) == 1 and posixpath.dirname(composed[0]) == base.strip("./")
    sure = sure and not any(_decides(said) for said in sets)
    for path in composed if files else ():
        for made in _services(path, names, looker):
            adopted = caller.adopt(made, span)
            yield replace(adopted, open=adopted.open if sure else _ANYTHING)
    baker = Baker(read_set(scripts, given))
    chosen = baker.expand(names or ("default",))
    if not chosen and not names:
        chosen = baker.names
    for name in chosen:
        for made in target_builds(baker, name, looker, caller.bases[:1], sets):
            adopted = caller.adopt(made, span)
            yield replace(adopted, open=adopted.open | (_ANYTHING if loose else frozenset()))


def _services(path: str, names: Sequence[str], looker: Looker) -> Iterator[Invocation]:
    """Yield what Bake makes of a compose file: a target of each service that is built."""
    file = read_file(path, looker.text)
    if file is None:
        return
    for service in by_service(composition(file, looker), dict.fromkeys(names)):
        yield service_build(service, path, service.key, file.source)


def _decides(said: Said) -> bool:
    """Tell whether a line of ``--set`` may decide which file is built, or with what."""
    return (said.text or "").partition(".")[2].partition("=")[0].partition(".")[0] not in _CARRIES


def _composed(item: Started, caller: Caller, looker: Looker) -> Iterator[Invocation]:
    base = caller.bases[0]
    paths = [within(base, said.text) for said in item.line.files]
    if not paths:
        places = [posixpath.join(base, name) for name in COMPOSE_NAMES]
        paths = [next((path for path in places if looker.text(path) is not None), None)]
    first = read_file(paths[0], looker.text) if paths[0] is not None else None
    if first is None:
        return
    names = {said.text: said for said in item.line.words if said.text}
    active = None if names else _profiles(item, caller, looker)
    for service in by_service(composition(first, looker), names):
        if active is not None and not _is_active(service, active):
            continue
        made = service_build(service, first.path, service.key, first.source)
        several = len(paths) > 1 or item.line.loose
        adopted = caller.adopt(made, item.span)
        yield replace(adopted, open=_ANYTHING if several else adopted.open)


def _profiles(item: Started, caller: Caller, looker: Looker) -> frozenset[str] | None:
    """Return the active profiles of a Compose command; None when they are not known, or all are."""
    stated = (caller.env or {}).get(_PROFILES)
    said = [*item.line.profiles, *((stated,) if stated is not None else ())]
    texts = [one.text for one in said if one.text is not None and not one.open]
    own = looker.text(posixpath.join(caller.bases[0], ".env"))
    if len(texts) < len(said) or item.line.loose or "*" in texts or _PROFILES in (own or ""):
        return None
    return frozenset(name.strip() for text in texts for name in text.split(","))


def _is_active(service: Service, active: frozenset[str]) -> bool:
    """Tell whether a service has an active profile, or none at all."""
    setting = service.setting("profiles")
    names = [node.text for node in setting.node.elements] if setting is not None else []
    return not names or any(n is None or "$" in n.text or n.text in active for n in names)
