"""A cache mount and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.record import record


@record(frozen=True, eq=False)
class Place:
    """One cache mount and where it stands."""

    dockerfile: Dockerfile
    run: Run
    mount: Mount

    @property
    def path(self) -> str:
        """Return the document's path."""
        return self.dockerfile.path

    @property
    def line(self) -> int:
        """Return the zero-based line of the mount."""
        return self.dockerfile.source.line_of(self.mount.span.start)


def same_cache(dockerfile: Dockerfile, mount: Mount) -> Sequence[Place]:
    """Return the mounts of the file that have the key of ``mount``, in file order."""
    assert mount.key is not None
    found = dockerfile.by_key.get(mount.key.identity, ())
    return [Place(dockerfile, run, other) for run, other in found]
