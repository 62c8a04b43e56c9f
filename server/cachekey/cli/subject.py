"""What ``cachekey prove`` is asked to build: a Dockerfile, a stage, a Bake target, a Compose service."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from cachekey.builds.invocation import Invocation, Said
from cachekey.cli.loading import Input
from cachekey.cli.options import config_of, loaded, overrides_of
from cachekey.cli.terminal import Progress, UsageError
from cachekey.disk.files import absolute
from cachekey.dockerfile.records import Dockerfile
from cachekey.kinds import kind_of
from cachekey.record import record

if TYPE_CHECKING:
    from argparse import Namespace

    from cachekey.cli.workspace import Workspace

_DEFAULT = "Dockerfile"
_KINDS = {"bake": "Bake target", "compose": "Compose service"}
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|git@", re.IGNORECASE)
"""A named context that is no folder."""
_OF_A_BUILD = ("target:", "service:")
"""A named context that is what another target or service builds."""


@record(frozen=True)
class Subject:
    """What is built; what a command line's own options say stands above it."""

    file: str
    """The Dockerfile."""
    context: str
    args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    platform: str | None = None
    contexts: Mapping[str, str] = field(default_factory=dict)


def subject_of(options: Namespace, progress: Progress) -> Subject:
    """Return what the user means by ``FILE|TARGET``; raises :class:`UsageError`.

    A path counts as one. ``FILE:NAME`` is a stage, target or service of that file. Any other name is
    looked for in ``./Dockerfile`` and in the Bake and compose files below this folder.
    """
    wanted = options.file
    inside = os.path.join(wanted, _DEFAULT)
    beside = inside if os.path.isfile(inside) else None
    if beside and (wanted in (".", "..") or "/" in wanted.replace(os.sep, "/")):
        return _plain(beside)
    file, colon, name = wanted.rpartition(":")
    if os.path.isfile(wanted):
        file, name = wanted, ""
    elif not (colon and name and os.path.isfile(file)):
        file, name = "", wanted
    if file and kind_of(file) not in ("builds", "compose"):
        return _plain(file, name)
    return _found(options, file, name, beside, progress)


def _plain(file: str, stage: str = "") -> Subject:
    return Subject(file, os.path.dirname(file) or ".", target=stage or None)


def _found(
    options: Namespace, file: str, name: str, beside: str | None, progress: Progress
) -> Subject:
    """Look a name up; ``beside`` is the Dockerfile in a folder of this name."""
    space = loaded(Input([file or "."], overrides_of(options), config_of(options)), progress)
    builds = [build for build in _builds(space) if not name or build.name == name]
    plain = [_plain(beside)] if beside else []
    if not file and _is_stage(space, name):
        plain.append(_plain(_DEFAULT, name))
    if len(builds) + len(plain) > 1:
        raise UsageError(_several(space, builds, plain))
    if builds:
        return _subject(options, space, builds[0])
    if plain:
        return plain[0]
    if file:
        what = f"no Bake target or Compose service {name}".rstrip()
        raise UsageError(f"{file} has {what} that builds an image")
    raise UsageError(f"{name}: no such file, stage of ./{_DEFAULT}, Bake target or Compose service")


def _builds(space: Workspace) -> Iterator[Invocation]:
    """Yield the builds of all Bake and compose files, those that come to the same build once."""
    seen = set()
    for summary in space.surroundings():
        for build in summary.builds:
            same = (build.name, build.dockerfile, build.folder, build.target and build.target.text)
            said = (*build.args, *build.contexts, *(("", one) for one in build.platforms))
            means = (*same, tuple((what, one.text, one.open) for what, one in said))
            if build.kind in _KINDS and means not in seen:
                seen.add(means)
                yield build


def _is_stage(space: Workspace, name: str) -> bool:
    """Tell whether ``./Dockerfile`` has a stage of this name, or of this number, as builders count."""
    model = None
    if os.path.isfile(_DEFAULT):
        model = space.model(space.name_of(absolute(_DEFAULT)))
    if not isinstance(model, Dockerfile):
        return False
    names = {stage.name.lower() for stage in model.stages if stage.name}
    return name.lower() in names or (name.isdecimal() and int(name) < len(model.stages))


def _several(space: Workspace, builds: Sequence[Invocation], plain: Sequence[Subject]) -> str:
    words = [f"{space.shown(build.path)}:{build.name}" for build in builds]
    words += [f"{one.file}:{one.target}" if one.target else one.file for one in plain]
    if len(set(words)) < len(words):
        return f"{words[0]} builds in several ways: prove its Dockerfile, with --build-arg and --target"
    return f"say which of these is to be proven: {', '.join(words)}"


# -- from a build of the workspace -----------------------------------------------------------------


def _subject(options: Namespace, space: Workspace, build: Invocation) -> Subject:
    label = f"{_KINDS[build.kind]} {build.name} in {space.shown(build.path)}"
    if build.dockerfile is None or "file" in build.open:
        raise UsageError(f"{label} names no Dockerfile of this folder that could be proven")
    if build.folder is None and options.context is None:
        raise UsageError(f"{label} has a build context elsewhere: --context names a folder for it")
    changed = _Changed(space, build)
    given = overrides_of(options).build_args
    args = {
        name: changed.text(said, f"{label} gives {name}", f"--build-arg {name}=VALUE")
        for name, said in build.args
        if name not in given
    }
    target = None
    if options.target is None and (build.target is not None or "target" in build.open):
        target = changed.text(build.target, f"{label} gives its target", "--target STAGE")
    platforms: list[str] = []
    if options.platform is None:
        unknown = [Said(None, build.span)] if "platforms" in build.open else []
        for said in (*build.platforms, *unknown):
            text = changed.text(said, f"{label} gives its platform", "--platform PLATFORM")
            platforms += [] if text == "local" else [text]
    return Subject(
        space.path_of(build.dockerfile),
        space.path_of(build.folder or "."),
        args,
        target,
        ",".join(platforms) or None,
        _contexts(options, space, build, label, changed),
    )


class _Changed:
    """Knows which values of a build are other ones here than its file says."""

    def __init__(self, space: Workspace, build: Invocation) -> None:
        self.set = set(os.environ)
        if build.kind == "compose":
            text = space.read(posixpath.join(posixpath.dirname(build.path), ".env")) or ""
            self.set |= set(re.findall(r"(?m)^\s*(?:export\s+)?(\w+)\s*[=:]", text))

    def text(self, said: Said | None, what: str, option: str) -> str:
        """Return a value; raises :class:`UsageError` for one that only the build itself computes."""
        if said is None or said.text is None or said.open & self.set:
            raise UsageError(f"{what} a value that is only known when it builds: add {option}")
        return said.text


def _contexts(
    options: Namespace, space: Workspace, build: Invocation, label: str, changed: _Changed
) -> dict[str, str]:
    given = {value.partition("=")[0] for value in options.build_context}
    found = {}
    for name, said in _without(build.contexts, given):
        option = f"--build-context {name}=VALUE"
        text = changed.text(said, f"{label} gives the context {name}", option)
        if text.startswith(_OF_A_BUILD):
            raise UsageError(f"{label} builds on {text}: add --build-context {name}=IMAGE")
        folder = posixpath.join(posixpath.dirname(space.path_of(build.path)), text)
        found[name] = text if _ELSEWHERE.match(text) else posixpath.normpath(folder)
    return found


def _without(pairs: Iterable[tuple[str, Said]], names: set[str]) -> Iterator[tuple[str, Said]]:
    return ((name, said) for name, said in pairs if name not in names)
