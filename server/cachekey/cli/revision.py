"""The files of a git revision, read through one call of git's plumbing, which runs nothing else.

``git cat-file --batch`` gives trees and blobs as they are stored: no hook, filter or attribute has a
say, and the working tree is not touched.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from cachekey.disk.discovery import SKIPPED_FOLDERS

_TREE, _FILES = b"40000", (b"100644", b"100755", b"100664")
_LARGEST = 1_000_000
"""Bytes of a file that is read."""
_MOST_TREES = 50_000


class RevisionError(Exception):
    """There is no such revision, or git cannot be asked; the text says why."""


class Revision:
    """One revision of a repository."""

    def __init__(self, wish: IO[bytes], answer: IO[bytes], name: str) -> None:
        self._wish, self._answer = wish, answer
        found = self._object(f"{name}^{{tree}}".encode("utf-8", "surrogateescape"))
        if found is None:
            raise RevisionError(f"there is no revision '{name}'")
        identity, self._root = found
        self._length = len(identity) // 2
        self._blobs: dict[str, bytes] = {}

    def files(self, wanted: Callable[[str], bool]) -> Iterator[str]:
        """Yield the paths of the files that are wanted; folders of packages are not looked into."""
        waiting = [("", self._root)]
        seen = 0
        while waiting:
            folder, tree = waiting.pop()
            for mode, name, identity in self._entries(tree):
                path = f"{folder}{name}"
                if mode == _TREE and name not in SKIPPED_FOLDERS and seen < _MOST_TREES:
                    seen += 1
                    below = self._object(identity)
                    if below is not None:
                        waiting.append((f"{path}/", below[1]))
                elif mode in _FILES:
                    self._blobs[path] = identity
                    if wanted(path):
                        yield path

    def read(self, path: str) -> bytes | None:
        """Return what a file holds; None for one that is not there or too large."""
        identity = self._blobs.get(path)
        found = self._object(identity) if identity is not None else None
        return found[1] if found is not None and len(found[1]) <= _LARGEST else None

    def _entries(self, tree: bytes) -> Iterator[tuple[bytes, str, bytes]]:
        at = 0
        while at < len(tree):
            end = tree.index(b"\0", at)
            mode, _, name = tree[at:end].partition(b" ")
            at = end + 1 + self._length
            yield mode, name.decode("utf-8", "replace"), tree[end + 1 : at].hex().encode()

    def _object(self, name: bytes) -> tuple[bytes, bytes] | None:
        if b"\n" in name:
            return None
        try:
            self._wish.write(name + b"\n")
            self._wish.flush()
            head = self._answer.readline().split()
        except OSError as error:
            raise RevisionError(f"git does not answer: {error.strerror}") from error
        if len(head) != 3 or not head[2].isdigit():
            return None
        size = int(head[2])
        body = self._answer.read(size + 1)
        return (head[0], body[:size]) if len(body) == size + 1 else None


@contextmanager
def revision(folder: str, name: str) -> Iterator[Revision]:
    """Open a revision of the repository that a folder lies in; raises :class:`RevisionError`."""
    command = ["git", "-C", folder, "--no-replace-objects", "cat-file", "--batch"]
    try:
        git = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise RevisionError(f"git cannot be started: {error.strerror}") from error
    assert git.stdin is not None
    assert git.stdout is not None
    try:
        yield Revision(git.stdin, git.stdout, name)
    finally:
        git.kill()
        git.stdout.close()
        with suppress(OSError):
            git.stdin.close()
        git.wait()
