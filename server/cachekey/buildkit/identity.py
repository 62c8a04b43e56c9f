"""Joins a mount with its key: namespace, name, and what ``from=`` or the owner options add."""

from __future__ import annotations

import posixpath
from hashlib import sha256
from typing import TYPE_CHECKING

from cachekey.buildkit.keys import Base, Key, NameFrom, Owner, default_name, rewritten
from cachekey.buildkit.mounts import Mount, MountError
from cachekey.buildkit.scope import PLATFORM_ARGS
from cachekey.record import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cachekey.syntax.dockerfile.tree import Instruction

# Instructions that leave the file system as it is, so that a stage made of them alone is its parent.
_NO_LAYER = frozenset(
    (
        *("ARG", "ENV", "LABEL", "CMD", "ENTRYPOINT", "EXPOSE", "USER", "SHELL", "STOPSIGNAL"),
        *("HEALTHCHECK", "MAINTAINER", "VOLUME", "ONBUILD"),
    )
)


def _makes_layer(instruction: Instruction, dormant: bool) -> bool:
    if instruction.keyword == "WORKDIR" and instruction.args.text.strip() == "/":
        return False
    return instruction.keyword not in _NO_LAYER and not dormant


class BuildIdentity:
    """Knows the stages read so far, and gives each accepted cache mount its key."""

    def __init__(self, path: str, namespace: str, engine: str) -> None:
        self.path, self.namespace, self.engine = path, namespace, engine
        self._names: list[str | None] = []
        self._stages: list[tuple[int | None, str, list[tuple[Instruction, bool]]]] = []
        self._fingerprints: list[str] = []

    def expect(self, names: list[str | None]) -> None:
        """Announce the names of all stages, in order."""
        self._names = [name.lower() if name else None for name in names]

    def add(self, parent: int | None, base: str, steps: Iterable[tuple[Instruction, bool]]) -> None:
        """Record a stage that has been read: the stage or image it is built on, and its steps.

        A step that never runs here (behind ONBUILD, untriggered) is marked by ``True``.
        """
        self._stages.append((parent, base, list(steps)))

    def _fingerprint(self, index: int) -> str:
        """Return by which two stages are the same snapshot; few files ever ask for it."""
        while len(self._fingerprints) <= index:
            self._fingerprints.append(self._worked_out(*self._stages[len(self._fingerprints)]))
        return self._fingerprints[index]

    def _worked_out(
        self, parent: int | None, base: str, steps: list[tuple[Instruction, bool]]
    ) -> str:
        below = base if parent is None else self._fingerprints[parent]
        layers = [
            instruction for instruction, dormant in steps if _makes_layer(instruction, dormant)
        ]
        if not layers:
            return below
        digest = sha256(below.encode(errors="surrogatepass"))
        for instruction, _ in steps:
            # Everything counts once there is a layer: ENV and USER change what a RUN does.
            digest.update(b"\0" + instruction.keyword.encode(errors="surrogatepass"))
            digest.update(instruction.args.text.encode(errors="surrogatepass"))
        if any(item.keyword in ("COPY", "ADD") for item in layers):
            digest.update(self.path.encode(errors="surrogatepass"))
        return digest.hexdigest()[:8]

    def identify(self, mount: Mount) -> Mount:
        """Return the mount with its key, or with the complaint about its ``from``."""
        if mount.error is not None or mount.type != "cache" or not mount.type_known:
            return mount
        if self.engine == "buildah":
            return self._buildah(mount)
        origin = mount.origin
        fingerprint = None
        if origin and origin.lower() != "scratch":
            error = self._check_origin(mount, origin)
            if error is not None:
                return replace(mount, error=error)
            fingerprint = self._origin_fingerprint(origin)
            origin = self._first_name(origin, fingerprint)
        owner = None
        if mount.owner_options and mount.source == "/":
            uid, gid, mode = mount.uid, mount.gid, mount.number("mode")
            mode = 0o755 if "mode" not in mount.options else mode
            if uid is None or gid is None or mode is None:
                return self._open_owner(mount, origin, fingerprint)
            owner = Owner(uid, gid, mode & 0o777)
        base = Base(origin or None, fingerprint, owner) if fingerprint or owner else None
        return self._with_key(mount, base)

    def _open_owner(self, mount: Mount, origin: str, fingerprint: str | None) -> Mount:
        # An owner that a variable decides is compared by its text.
        text = ",".join(f"{item.name}={item.value.key}" for item in mount.owner_options)
        print_ = f"{fingerprint or ''}[{text}]"
        unresolved = frozenset().union(*(item.value.unresolved for item in mount.owner_options))
        mount = self._with_key(mount, Base(origin or None, print_, None))
        assert mount.key is not None
        name = replace(mount.key.name, unresolved=mount.key.name.unresolved | unresolved)
        scope = self.path if name.unresolved - PLATFORM_ARGS else ""
        return replace(mount, key=replace(mount.key, name=name, scope=scope))

    def _with_key(self, mount: Mount, base: Base | None) -> Mount:
        ident = mount.value("id")
        source: NameFrom = "target"
        if ident is not None and ident.text:
            name, source = ident, "id"
        else:
            name = default_name(mount.target)
        # Platform arguments mean the same in every file of one build; others are the file's own.
        scope = self.path if name.unresolved - PLATFORM_ARGS else ""
        key = Key(self.namespace, name, source, base, scope)
        return replace(mount, key=key)

    def _check_origin(self, mount: Mount, origin: str) -> MountError | None:
        """Refuse a stage that is not there yet (BuildKit: ``dispatchRunMounts``)."""
        span = mount.options["from"].span
        current = len(self._stages)
        lowered = origin.lower()
        if lowered in self._names[:current]:
            return None
        if current < len(self._names) and self._names[current] == lowered:
            return MountError(f"circular dependency detected on stage: {origin}", span)
        if lowered in self._names:
            message = (
                f'cannot mount from stage "{origin}" to "{mount.target.text}", '
                "stage needs to be defined before current command"
            )
            return MountError(message, span)
        return None

    def _origin_fingerprint(self, origin: str) -> str:
        lowered = origin.lower()
        earlier = self._names[: len(self._stages)]
        if lowered in earlier:
            last = len(earlier) - 1 - earlier[::-1].index(lowered)
            return self._fingerprint(last)
        return f"image {origin}"

    def _first_name(self, origin: str, fingerprint: str) -> str:
        """Return the name of the first stage that is the snapshot of ``from=``, or the image as written.

        One snapshot has one name, however a mount writes it.
        """
        earlier = self._names[: len(self._stages)]
        if origin.lower() not in earlier:
            return origin
        alike = (n for n, _ in enumerate(earlier) if self._fingerprint(n) == fingerprint)
        return next((name for n in alike if (name := earlier[n])), origin)

    def _buildah(self, mount: Mount) -> Mount:
        """Form the key as Buildah does: the cleaned id or target, nothing joins it.

        Source: experiments with buildah 1.28 in tests/buildkit; it ignores the namespace, refuses a
        relative target, and keeps nothing of a mount with ``from=``.
        """
        target = mount.target
        if target.known and not target.text.startswith("/"):
            message = (
                f'invalid container path "{target.text}", must be an absolute path'
                if target.text
                else "must set volume destination"
            )
            return replace(mount, error=MountError(message, mount.target_span))
        ident = mount.value("id")
        source: NameFrom = "target"
        if ident is not None and ident.text:
            name, source = rewritten(ident, posixpath.normpath(ident.text).lstrip("/")), "id"
        else:
            name = default_name(target)
            name = rewritten(name, name.text.lstrip("/"))
        base = None
        if mount.origin:
            base = Base(mount.origin, f"nothing is kept@{mount.span.start}", None)
        if mount.source != "/":
            base = Base(mount.origin or None, f"{base or ''}source={mount.source}", None)
        scope = self.path if name.unresolved else ""
        return replace(mount, key=Key("", name, source, base, scope))
