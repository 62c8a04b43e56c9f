"""Reads any file that starts builds: which reader is told by the file's name."""

from __future__ import annotations

import re
from collections.abc import Callable

from cachekey.builds.bake import bake_builds
from cachekey.builds.errands import may_call
from cachekey.builds.gitlab import read_gitlab
from cachekey.builds.invocation import BuildFile, unique
from cachekey.builds.places import Looker, Read
from cachekey.builds.recipes import (
    read_justfile,
    read_makefile,
    read_script,
    speaks_of_builds,
)
from cachekey.builds.workflow import read_workflow
from cachekey.kinds import Builder, builder_of, kind_of
from cachekey.record import replace
from cachekey.syntax import yaml
from cachekey.text import Source

_LOCAL = re.compile(r"uses:\s*['\"]?\./")


def read_build_file(path: str, source: Source, read: Read) -> BuildFile:
    """Read a file; whatever it holds, this never fails.

    ``read`` gives the texts of other files of the workspace. What is too large is not read at all.
    """
    kind = builder_of(path)
    looker = Looker(read)
    if kind is None or not concerns(path, source.text, looker):
        # A recipe that it calls may begin to build.
        return BuildFile(path, source, reads=looker.asked, missed=looker.missed)
    return replace(_READERS[kind](path, source, looker), missed=looker.missed)


def concerns(path: str, text: str, looker: Looker | None = None) -> bool:
    """Tell whether a file may have to do with builds of images; a quick look, before any reading.

    With ``looker`` the recipes that a workflow or pipeline calls are looked at, too; without it they
    count as some that build.
    """
    kind = builder_of(path) if kind_of(path) == "builds" else None
    if kind is None or kind == "bake":
        return True
    if kind not in ("workflow", "gitlab"):
        return speaks_of_builds(text)
    if speaks_of_builds(text, yaml.LARGEST):
        return True
    return bool(_LOCAL.search(text)) or may_call(path, text, looker)


def _bake(path: str, source: Source, looker: Looker) -> BuildFile:
    return BuildFile(
        path, source, unique(bake_builds(path, source, looker)), (), looker.asked, looker.looked_for
    )


_READERS: dict[Builder, Callable[[str, Source, Looker], BuildFile]] = {
    "bake": _bake,
    "workflow": read_workflow,
    "gitlab": read_gitlab,
    "make": read_makefile,
    "just": read_justfile,
    "shell": read_script,
}
