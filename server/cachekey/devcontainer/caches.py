"""Which tool's cache a mount or a variable of a devcontainer.json is for.

Three grades of certainty: a variable of the tool points into the mount, the mount lies where the
tool keeps its cache anyway, or only the name says so. Facts come from the knowledge files.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer, EnvEntry
from cachekey.devcontainer.substitution import literal
from cachekey.knowledge import Claim, Knowledge
from cachekey.knowledge.paths import usual_places
from cachekey.knowledge.records import CacheDir, Kind
from cachekey.record import record

Grade = Literal["variable", "default", "name"]


@record(frozen=True)
class RuntimeCache:
    """A mount recognised as the cache of a tool."""

    mount: RuntimeMount
    claim: Claim
    grade: Grade
    entry: EnvEntry | None = None
    """The variable that points into the mount, for the grade ``variable``."""

    @property
    def cache(self) -> CacheDir:
        """Return the directory's record."""
        return self.claim.cache

    @property
    def tool(self) -> str:
        """Return the tool's name for messages."""
        return self.claim.tool.name


@lru_cache(maxsize=8)
def _by_variable(knowledge: Knowledge) -> dict[str, tuple[Claim, str]]:
    found: dict[str, tuple[Claim, str]] = {}
    for tool in knowledge.tools():
        for cache in tool.caches:
            if cache.kind is not Kind.DOWNLOAD:
                continue
            for way in cache.moved_by:
                if way.env:
                    found.setdefault(way.env, (Claim(tool, cache), way.below))
                if way.env and way.ignore_case:
                    found.setdefault(way.env.lower(), (Claim(tool, cache), way.below))
            if cache.pin:
                found.setdefault(cache.pin, (Claim(tool, cache), ""))
    return found


def claim_of_variable(knowledge: Knowledge, name: str) -> tuple[Claim, str] | None:
    """Return the download cache that a variable moves, and the path below its value."""
    known = _by_variable(knowledge)
    return known.get(name) or known.get(name.lower())


def told(document: Devcontainer, knowledge: Knowledge) -> Iterator[tuple[EnvEntry, Claim, str]]:
    """Yield the variables that tell a tool where its cache is, with that directory.

    Entries whose value is not known literally are left out, and directories whose names depend on a
    version (``ruby/*/cache``): nobody can mount those by name.
    """
    for entry in document.env:
        found = claim_of_variable(knowledge, entry.name)
        value = entry.text
        if found is None or value is None or not value.startswith("/"):
            continue
        claim, below = found
        if "*" in below:
            continue
        yield entry, claim, posixpath.normpath(posixpath.join(value, below))


def cache_of(
    mount: RuntimeMount, document: Devcontainer, knowledge: Knowledge
) -> RuntimeCache | None:
    """Return the download cache that a mount is for, by the best evidence there is."""
    place = mount.place
    if place is None:
        return None
    for entry, claim, directory in told(document, knowledge):
        if mount.covers(directory):
            return RuntimeCache(mount, claim, "variable", entry)
    claims = knowledge.claims(place) if place.startswith("/") and "$" not in place else ()
    for claim in claims:
        if claim.cache.kind is Kind.DOWNLOAD:
            return RuntimeCache(mount, claim, "default" if is_usual(place, claim) else "name")
    guess = _by_name(mount, place, knowledge)
    return RuntimeCache(mount, guess, "name") if guess else None


def is_usual(place: str, claim: Claim) -> bool:
    """Tell whether the tool itself would go there, whatever people call such directories."""
    invented = set(claim.cache.looks_like)
    usual = [glob for glob in usual_places(claim.cache) if glob not in invented]
    parts = ("", *(f"/{part}" for part in claim.cache.parts))
    if any(fnmatchcase(place, glob + part) for glob in usual for part in parts):
        return True
    # The directory of the tool itself, in which it makes the cache.
    around = [posixpath.dirname(glob) for glob in usual]
    return any(fnmatchcase(place, glob) for glob in around if _is_of_one(glob))


def _is_of_one(glob: str) -> bool:
    """Tell whether a directory is one tool's: no home, nor what all tools share in one."""
    name = posixpath.basename(glob)
    return glob.count("/") > 1 or (name.startswith(".") and name not in _SHARED)


_SHARED = (".cache", ".config", ".local")


_HOST_HOME = re.compile(
    r"(?:(?:\$\{localEnv:(?:HOME|USERPROFILE)\}/?){1,2}|~|\$HOME|\$\{HOME\}|/home/[^/$]+|/Users/[^/$]+|/root)"
    r"(?P<below>/[^$]+)"
)
"""A source below the home of the host's user: by a variable, or as it is on one machine."""


def carried_over(
    mount: RuntimeMount, document: Devcontainer, knowledge: Knowledge
) -> tuple[Claim, str] | None:
    """Return what a bind brings from the host that names its own absolute place, and that place.

    Only a tool's own directory in the host's home, where the same tool looks into it in the container
    by another path: a directory by another name may be filled by the container alone.
    """
    source = mount.source.text.rstrip("/") if mount.source is not None else ""
    match, place = _HOST_HOME.fullmatch(source), mount.place
    if match is None or place is None or place == source or "$" in place:
        return None
    below = match["below"]
    there = f"/home/user{below}"
    for claim in knowledge.claims(there):
        if not claim.cache.own_paths or not claim.tool.confidence.warns:
            continue
        names = claim.cache.variables
        here = is_usual(place, claim) or any(
            entry.name in names and entry.text == place for entry in document.env
        )
        if here and is_usual(there, claim):
            return claim, f"~{below}" if source.startswith("$") else source
    return None


_CONFIGURATION = frozenset((".config", "etc"))


def _by_name(mount: RuntimeMount, place: str, knowledge: Knowledge) -> Claim | None:
    if not _CONFIGURATION.isdisjoint(place.split("/")):
        # What is called after its tool there is the tool's configuration.
        return None
    names = [literal(mount.value("id")), mount.volume, posixpath.basename(place)]
    for name in names:
        stem = re.sub(r"[-_.]?(?:cache|volume|vol|downloads)[-_.]?", "", (name or "").lower())
        tool = knowledge.tool(stem) if stem in knowledge.tool_ids else None
        if tool is None:
            continue
        for cache in tool.caches:
            if cache.kind is Kind.DOWNLOAD and (cache.pin or len(tool.caches) == 1):
                return Claim(tool, cache)
    return None


def project_output(mount: RuntimeMount, knowledge: Knowledge) -> Claim | None:
    """Return the build output or installed result of one project that a mount holds."""
    place = mount.place
    if place is None:
        return None
    below = place.replace("${containerWorkspaceFolder}", "/workspaces/project")
    if "$" in below:
        return None
    for claim in knowledge.claims(below):
        if claim.cache.kind is not Kind.DOWNLOAD and claim.cache.relative:
            return claim
    return None
