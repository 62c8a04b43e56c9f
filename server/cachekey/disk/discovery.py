"""Which files count: those that Cachekey reads below a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cachekey.devcontainer.naming import compose_files
from cachekey.disk.files import absolute, inside, read, reason
from cachekey.disk.ignore import IgnoreRules
from cachekey.kinds import HEAD, kind_of, may_be_compose, may_be_dockerfile, reads_as_dockerfile

SKIPPED_FOLDERS = frozenset({".git", ".hg", ".svn", ".jj", "node_modules"})
_MOST_BUILDERS = 2000
"""Files that start builds, Makefiles and scripts among them, that are looked at in one folder."""

_Layers = tuple[tuple[str, IgnoreRules], ...]


def parents(folder: str) -> Iterator[str]:
    """Yield a folder and all folders above it."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def repository(folder: str) -> str | None:
    """Return the nearest folder at or above ``folder`` that holds ``.git``."""
    return next((top for top in parents(folder) if os.path.lexists(f"{top}/.git")), None)


# -- ignoring --------------------------------------------------------------------------------------


def _layer(folder: str, layers: _Layers) -> _Layers:
    base = folder.rstrip("/") + "/"
    for name in (".git/info/exclude", ".gitignore"):
        if os.path.isfile(base + name) and inside(base + name, folder):
            text = read(base + name).text or ""
            if rules := IgnoreRules(text.removeprefix("\ufeff").split("\n")):
                layers = (*layers, (base, rules))
    return layers


def _ignored(path: str, layers: _Layers) -> bool:
    """Ask the nearest ignore file first; the first that has an opinion decides."""
    for base, rules in reversed(layers):
        verdict = rules.verdict(path[len(base) :])
        if verdict is not None:
            return verdict
    return False


def _layers_above(root: str) -> _Layers:
    top = repository(root)
    if top is None or top == root:
        return ()
    chain: list[str] = []
    for folder in parents(os.path.dirname(root)):
        chain.append(folder)
        if folder == top:
            break
    layers: _Layers = ()
    for folder in reversed(chain):
        layers = _layer(folder, layers)
    # Whoever names an ignored folder wants to see what is in it.
    return () if _ignored(root + "/", layers) else layers


# -- finding files ---------------------------------------------------------------------------------


_WINDOWS = os.name == "nt"
_JUNCTION = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT: a link to a folder, which Python takes for the folder itself."""


def _is_junction(entry: os.DirEntry[str]) -> bool:
    """Tell whether a folder is a link of Windows, that leads out of the tree or round in circles."""
    if not _WINDOWS:
        return False
    try:
        return getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0) == _JUNCTION
    except OSError:
        return False


@dataclass(frozen=True)
class Found:
    """Files below a folder, sorted, and the folders that could not be read, with the reason."""

    files: tuple[str, ...]
    problems: tuple[tuple[str, str], ...] = ()
    named: tuple[str, ...] = ()
    """Those that are compose files because a devcontainer.json names them, each behind who names it."""


@dataclass
class _Walk:
    root: str
    excluded: Callable[[str], bool]
    ignore_files: bool
    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    others: dict[str, _Layers] = field(default_factory=dict)
    """Files that are compose files if a devcontainer.json says so, and what may ignore them."""
    problems: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> Found:
        pending = [(self.root, _layers_above(self.root) if self.ignore_files else ())]
        while pending:
            folder, layers = pending.pop()
            if self.ignore_files:
                layers = _layer(folder, layers)
            for entry in self._entries(folder):
                path = f"{folder.rstrip('/')}/{entry.name}"
                if entry.is_dir(follow_symlinks=False) and not _is_junction(entry):
                    if entry.name not in SKIPPED_FOLDERS and not self._out(path + "/", layers):
                        pending.append((path, layers))
                elif self._counts(path, entry) and not self._out(path, layers):
                    self._file(path, entry)
                elif may_be_compose(path) and entry.is_file(follow_symlinks=False):
                    self.others[path] = layers
        named = self._named()
        files = sorted(_bounded([*self.files, *self._good_links(), *named]))
        return Found(tuple(files), tuple(self.problems), tuple(named))

    def _named(self) -> list[str]:
        """Return the compose files that only a devcontainer.json tells to be some."""
        base, known = self.root.rstrip("/") + "/", frozenset(self.files)

        def text_of(name: str) -> str | None:
            path = base + name
            layers = self.others.get(path)
            if path not in known and (layers is None or self._out(path, layers)):
                return None
            return read(path, self.root).text

        configurations = [path for path in self.files if kind_of(path) == "devcontainer"]
        names = compose_files((path.removeprefix(base) for path in configurations), text_of)
        return [base + name for name in names if base + name in self.others]

    def _counts(self, path: str, entry: os.DirEntry[str]) -> bool:
        if kind_of(path) is not None:
            return True
        if not may_be_dockerfile(path) or not entry.is_file(follow_symlinks=False):
            return False
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return reads_as_dockerfile(file.read(HEAD))
        except OSError:
            return False

    def _out(self, path: str, layers: _Layers) -> bool:
        return _ignored(path, layers) or self.excluded(path)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except OSError as error:
            self.problems.append((folder, reason(error)))
            return []

    def _file(self, path: str, entry: os.DirEntry[str]) -> None:
        if entry.is_symlink():
            self.links.append(path)
        elif entry.is_file(follow_symlinks=False):
            self.files.append(path)

    def _good_links(self) -> Iterator[str]:
        seen = {absolute(os.path.realpath(path)) for path in self.files} if self.links else set()
        for path in sorted(self.links):
            real = absolute(os.path.realpath(path))
            if real not in seen and os.path.isfile(real) and inside(real, self.root):
                seen.add(real)
                yield path


def _bounded(paths: list[str]) -> list[str]:
    """Leave out files of other trades beyond a number, the deepest first: scripts come by thousands."""
    others = [path for path in paths if kind_of(path) == "builds"]
    if len(others) <= _MOST_BUILDERS:
        return paths
    others.sort(key=lambda path: (path.count("/"), path))
    gone = set(others[_MOST_BUILDERS:])
    return [path for path in paths if path not in gone]


def find(
    root: str,
    excluded: Callable[[str], bool] = lambda path: False,
    *,
    ignore_files: bool = True,
) -> Found:
    """List the files below ``root`` (see :func:`cachekey.disk.files.absolute`) that Cachekey reads.

    Links are not followed out of ``root``, and folders that are links not at all: what they lead to
    inside of ``root`` is found in its own place. ``excluded`` is asked for every file and, with a
    final ``/``, for every folder.
    """
    return _Walk(root, excluded, ignore_files).run()
