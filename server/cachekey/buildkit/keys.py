"""The identity of a cache mount: by which key the builder finds its volume.

Source: BuildKit ``dockerfile2llb/convert_runmount.go`` (namespace, id, internal base) and
``solver/llbsolver/mounts/mount.go`` (the base's reference joins the key), proven in tests/buildkit.
"""

from __future__ import annotations

import posixpath
from typing import Literal

from cachekey.record import cached_property, record, replace
from cachekey.syntax.dockerfile.expand import Expansion

NameFrom = Literal["id", "target"]


@record(frozen=True)
class Owner:
    """Directory options of a new volume; missing ones are filled in as BuildKit does it."""

    uid: int = 0
    gid: int = 0
    mode: int = 0o755

    def __str__(self) -> str:
        return f"uid={self.uid},gid={self.gid},mode={self.mode:04o}"


@record(frozen=True)
class Base:
    """What joins the name: a source snapshot, the directory options, or both."""

    origin: str | None = None
    """The stage or image of ``from=``: of stages that are one snapshot, the first."""
    fingerprint: str | None = None
    """By which two sources are the same snapshot; None without ``from=``."""
    owner: Owner | None = None

    def __str__(self) -> str:
        parts = [f"from={self.fingerprint}"] if self.fingerprint else []
        return ",".join(parts + ([str(self.owner)] if self.owner else []))


@record(frozen=True)
class Key:
    """The key of one cache mount."""

    namespace: str
    name: Expansion
    name_from: NameFrom
    base: Base | None
    scope: str = ""
    """Where an open name belongs: names that depend on a build argument of one file never equal
    those of another, since the two files are built with different arguments."""

    @property
    def unresolved(self) -> frozenset[str]:
        """Return the variables that decide the key and that the files do not tell."""
        return self.name.unresolved

    @cached_property
    def identity(self) -> tuple[str, str, str | None, Owner | None]:
        """Return what two mounts of one volume have in common; equal exactly when the keys are."""
        base = self.base
        return (
            f"{self.namespace}/{self.name.key}",
            self.scope,
            base.fingerprint if base else None,
            base.owner if base else None,
        )

    @cached_property
    def label(self) -> str:
        """Write the key without what joined it: short, and different for different names.

        BuildKit's own text begins with a slash when there is no namespace; that slash is left out
        where no other key could be mistaken for the rest.
        """
        full = f"{self.namespace}/{self.name.key}"
        if not full.startswith("/"):
            return full
        rest = full[1:]
        return rest if "/" not in rest or rest.startswith("/") else f"./{rest}"

    def __str__(self) -> str:
        return f"{self.label}:{self.base}" if self.base else self.label


def default_name(target: Expansion) -> Expansion:
    """Return the name of a mount without ``id``: its target as written, cleaned like Go's path.Clean."""
    cleaned = posixpath.normpath(target.text) if target.text else "."
    # Python keeps two leading slashes (POSIX lets them mean something); Go makes them one.
    if cleaned.startswith("//"):
        cleaned = cleaned[1:]
    return rewritten(target, cleaned)


def rewritten(value: Expansion, text: str) -> Expansion:
    """Return ``value`` with another text, its open parts found again in their order."""
    symbols, at = [], 0
    for start, end in value.symbols:
        found = text.find(value.text[start:end], at)
        if found >= 0:
            at = found + end - start
            symbols.append((found, at))
    return replace(value, text=text, symbols=tuple(symbols))
