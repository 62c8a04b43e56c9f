"""Who owns a new volume and who may write to it: every combination of uid, gid and mode."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from . import ask, builders, session
from .kinds import BASE

UIDS = (None, 0, 1000, 1001)
GIDS = (None, 0, 1000)
MODES = (None, 0o700, 0o755, 0o770, 0o777, 0o1777, 0)
USERS = ((0, 0), (1000, 1000), (1001, 0))
UMASKS = {"buildkit": 0, "docker": 0o022, "buildah": 0o022}
"""The daemon's umask cuts `mode=`: buildkitd sets its own to 0, the others run with the usual."""


@dataclass(frozen=True)
class Volume:
    """One combination; None is an option that is not written."""

    number: int
    uid: int | None
    gid: int | None
    mode: int | None

    @property
    def folder(self) -> str:
        return f"/own{self.number}"

    @property
    def flag(self) -> str:
        options = [f"type=cache,target={self.folder}"]
        options += [f"uid={self.uid}"] if self.uid is not None else []
        options += [f"gid={self.gid}"] if self.gid is not None else []
        options += [f"mode={self.mode:o}"] if self.mode is not None else []
        return f"--mount={','.join(options)}"

    def seen(self, umask: int) -> tuple[int, int, int]:
        """Owner, group and mode of the new directory."""
        mode = 0o755 if self.mode is None else self.mode & 0o777 & ~umask
        return self.uid or 0, self.gid or 0, mode

    def writable(self, user: tuple[int, int], umask: int) -> bool:
        """Whether a user may make a file in it."""
        uid, gid, mode = self.seen(umask)
        if user[0] == 0:
            return True
        shift = 6 if user[0] == uid else 3 if user[1] == gid else 0
        return (mode >> shift) & 0o3 == 0o3


VOLUMES = [
    Volume(number, *each) for number, each in enumerate(itertools.product(UIDS, GIDS, MODES))
]


def dockerfile() -> str:
    """Three RUNs, one a user, each with every volume."""
    mounts = " ".join(volume.flag for volume in VOLUMES)
    runs = []
    for uid, gid in USERS:
        tests = "; ".join(
            f"echo RES {uid}.{v.number} $(stat -c %u:%g:%a {v.folder}) "
            f"$(touch {v.folder}/{uid} 2>/dev/null && echo yes || echo no)"
            for v in VOLUMES
        )
        runs.append(f"USER {uid}:{gid}\nRUN {mounts} {tests}\n")
    return f"{BASE}FROM base\n{''.join(runs)}"


@pytest.mark.parametrize("name", builders.NAMES)
def test_owner_and_writer(name: str) -> None:
    found, built = session.built(name, dockerfile())
    umask = UMASKS[name]
    wrong = []
    for user, volume in itertools.product(USERS, VOLUMES):
        uid, gid, mode = volume.seen(umask)
        want = f"{uid}:{gid}:{mode:o} {'yes' if volume.writable(user, umask) else 'no'}"
        got = built.labels[f"{user[0]}.{volume.number}"]
        found.count(f"owner-{user[0]}-{volume.number}", got == want)
        if got != want:
            wrong.append(f"user {user}, {volume.flag}: {got}, expected {want}")
    assert wrong == []


def test_cachekey_knows_the_owner() -> None:
    """The base of a key holds what a standalone BuildKit makes of the three options."""
    bases = [mount["base"] for mount in ask.keys(dockerfile())]
    for base, volume in zip(bases, VOLUMES * len(USERS), strict=True):
        if (volume.uid, volume.gid, volume.mode) == (None, None, None):
            assert base is None
        else:
            uid, gid, mode = volume.seen(0)
            assert base == {"uid": uid, "gid": gid, "mode": f"{mode:04o}"}
