"""What public features of dev containers mount, set and hand over, read from ``features/*.toml``."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cachekey.knowledge.image_records import Ships
from cachekey.knowledge.patterns import matches
from cachekey.knowledge.reader import Problem, Table
from cachekey.knowledge.records import Confidence
from cachekey.record import record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_FOLDER = Path(__file__).parent / "features"
_VERSION = re.compile(r"(?:@[^@/]*|:[^:/]*)\Z")


@record(frozen=True)
class FeatureMount:
    """A volume that a feature mounts, as written."""

    source: str
    target: str


@record(frozen=True, eq=False)
class Feature:
    """One feature, or a family of them that have nothing to say about caches."""

    id: str
    name: str
    source: str
    date: str
    confidence: Confidence
    match: tuple[str, ...]
    """Globs on its reference without version."""
    env: Mapping[str, str]
    """Variables that it sets in the image and that matter to caches."""
    own: tuple[str, ...]
    """Directories that it makes and hands over to the remote user, with what is in them."""
    lacks: tuple[str, ...]
    """Directories below those that are surely not there when it has run."""
    ships: tuple[Ships, ...]
    """Directories that it fills, so that a mount on them hides or freezes something."""
    mounts: tuple[FeatureMount, ...]
    tools: tuple[str, ...]
    """Ids of the tools that it installs."""
    sudo: bool
    """It gives the remote user sudo without a password."""
    makes_user: bool
    """It makes the user that its option ``username`` names, with a home, where the image has none."""
    leaves_homes: bool
    """It puts nothing into the folders of a home that programs share: ``.cache``, ``.config``, ``.local``."""
    unless: tuple[str, ...]
    """Options that make it do so after all."""


def feature(reference: str) -> Feature | None:
    """Return what is known of a feature by its reference; None for an unknown one.

    A path or the address of a tarball is never known.
    """
    name = _VERSION.sub("", reference.strip()).lower()
    for item in all_features():
        if any(matches(name, glob) for glob in item.match):
            return item
    return None


@lru_cache(maxsize=1)
def all_features() -> tuple[Feature, ...]:
    """Return all features of the data, as their files order them; a wrong file raises."""
    problems: list[Problem] = []
    found = [
        _parse(Table({**shared, **entry}, (path.stem, number), problems))
        for path in sorted(_FOLDER.glob("*.toml"))
        for shared, entries in (_open(path),)
        for number, entry in enumerate(entries)
    ]
    if problems:
        raise ValueError("; ".join(map(str, problems)))
    # A family's glob fits its members too, which say more.
    return tuple(sorted(found, key=lambda item: any("*" in glob for glob in item.match)))


def _open(path: Path) -> tuple[dict[str, object], list[dict[str, object]]]:
    data = tomllib.loads(path.read_text("utf-8"))
    return {key: value for key, value in data.items() if key != "features"}, data["features"]


def _parse(table: Table) -> Feature:
    ships = tuple(
        Ships(item.text("path", required=True), item.text("what", required=True))
        for item in table.tables("ships")
    )
    mounts = tuple(
        FeatureMount(item.text("source", required=True), item.text("target", required=True))
        for item in table.tables("mounts")
    )
    made = Feature(
        id=table.text("id", required=True),
        name=table.text("name", required=True),
        source=table.text("source", required=True),
        date=table.text("date", required=True),
        confidence=table.choice("confidence", Confidence, Confidence.REMEMBERED),
        match=table.texts("match"),
        env=table.mapping("env"),
        own=table.texts("own"),
        lacks=table.texts("lacks"),
        ships=ships,
        mounts=mounts,
        tools=table.texts("tools"),
        sudo=table.flag("sudo"),
        makes_user=table.flag("makes_user"),
        leaves_homes=table.flag("leaves_homes"),
        unless=table.texts("unless"),
    )
    table.close()
    return made
