"""What a job of a workflow finds on its runner: where this repository lies, and what its scripts write."""

from __future__ import annotations

import posixpath
import re

from cachekey.builds.inputs import Places
from cachekey.builds.shell import Text
from cachekey.builds.steps import Job, Step, fill
from cachekey.commands.effects import effects_of
from cachekey.commands.read import read_commands
from cachekey.text import Mapped

_THIS = re.compile(r"\s*\$\{\{\s*github\.repository\s*\}\}\s*|")
_EXPRESSION = re.compile(r"\$\{\{((?:[^}]|\}(?!\})){0,500})\}\}")
_GIT = re.compile(r"(?<![\w./-])(?:git|gh)\s")
_BRINGS_NOTHING = (
    *("actions/cache", "actions/download-artifact", "actions/upload-artifact", "actions/setup-"),
    "docker/",
)
"""Actions that surely check nothing out."""
_STEPS = 20_000


def checkouts(job: Job) -> Places:
    """Return the folders into which a job checks this repository out, the innermost first.

    There is none when another repository has its place, or when the job has what another job left and fetches
    nothing else. A job that compares revisions has them side by side.
    """
    found: set[str] = set()
    left = any(step.uses == "actions/download-artifact" for step in job.steps)
    others = left and not any(map(_may_fetch, job.steps))
    for step in job.steps:
        if step.uses != "actions/checkout":
            continue
        folder = posixpath.normpath((step.text("path") or ".").strip("/"))
        folder = "" if folder == "." else folder
        raw = step.raw.get("repository")
        if raw is None or _THIS.fullmatch(raw.text):
            found.add(folder)
        else:
            others = others or not folder
    return tuple(sorted(found, key=len, reverse=True)) or (() if others else ("",))


def _may_fetch(step: Step) -> bool:
    """Tell whether a step may bring the repository: an unknown action, a local one, a script with Git."""
    if step.run is not None:
        return _GIT.search(step.run.text) is not None
    return step.uses == "actions/checkout" or not step.uses.startswith(_BRINGS_NOTHING)


def makes_anew(job: Job, build: Step, path: str) -> bool:
    """Tell whether the build's step, or one in front of it, writes the file at a path of the repository.

    `cat > Dockerfile <<EOF`: what the repository has there is not what is built.
    """
    name = posixpath.basename(path)
    return any(
        step.index <= build.index
        and step.run is not None
        and name in step.run.text
        and ">" in step.run.text
        and path in _written(step)
        for step in job.steps
    )


def _written(step: Step) -> set[str]:
    """Return the files into which a script redirects something from the start."""
    assert step.run is not None
    folder = posixpath.normpath(posixpath.join("/", step.folder or ""))
    commands = read_commands(
        Text(without_expressions(step.run, step)),
        shell=None,
        lookup=lambda _name: None,
        workdir=folder,
        steps=_STEPS,
        command_steps=20,
    )
    return {
        effect.path.lstrip("/")
        for item in commands.items
        if any(redirect.operator in (">", ">|", "&>") for redirect in item.simple.redirects)
        for effect in effects_of(item) or ()
        if effect.kind == "writes" and effect.path is not None
    }


def without_expressions(text: Mapped, step: Step) -> Mapped:
    """Return a script with its expressions filled in, or as variables that nobody knows."""
    if "${{" not in text.text:
        return text
    parts: list[Mapped] = []
    at = 0
    for match in _EXPRESSION.finditer(text.text):
        parts.append(text.slice(at, match.start()))
        said = fill(match.group(), step.span, step.scope)
        known = said.text if said.text is not None and not said.open else "${__expression__}"
        parts.append(text.standing(known, match.start(), match.end()))
        at = match.end()
    return Mapped.join([*parts, text.slice(at)], text.end)
