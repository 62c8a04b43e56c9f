"""A cache mount and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.records import Dockerfile, Run, Stage
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

    @property
    def begins_as(self) -> Stage | None:
        """Return the stage of which a new volume is a whole copy, root file system and all.

        That is what ``from=`` does beside no ``source=``. A stage built on `scratch` may hold nothing but
        the contents of a cache; of an image nobody knows.
        """
        mount = self.mount
        if not mount.origin or mount.origin.isdecimal() or mount.source != "/":
            return None
        stage = self.dockerfile.stage_named(mount.origin, self.dockerfile.stage_of(self.run))
        return None if stage is None or stage.chain[-1].base.is_scratch else stage


def same_cache(dockerfile: Dockerfile, mount: Mount) -> Sequence[Place]:
    """Return the mounts of the file that have the key of ``mount``, in file order."""
    assert mount.key is not None
    found = dockerfile.by_key.get(mount.key.identity, ())
    return [Place(dockerfile, run, other) for run, other in found]
