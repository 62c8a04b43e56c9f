"""Steps of ``buildkit-cache-dance``: their maps, and what is wrong with a step by itself.

Source: the action's ``action.yml`` and ``src/`` of v1 to v3.2. Version 2 has one folder and one target,
with defaults; version 3 took the defaults away, reads ``cache-map`` and, since 3.2, looks through a
Dockerfile without one; since 3.2 it feeds the builder ``default`` unless it is told another.
"""

from __future__ import annotations

import re

from cachekey.builds.invocation import Dance, Entry
from cachekey.builds.runner import builder_of, current
from cachekey.builds.steps import Job, Step, lines_of
from cachekey.record import replace
from cachekey.syntax.jsonc.parse import parse
from cachekey.syntax.jsonc.tree import Node
from cachekey.text import Mapped, Source, Span, where_of

ACTION = re.compile(r"[\w.-]+/buildkit-cache-dance(?:/(?P<half>inject|extract))?\Z")
_VERSION = re.compile(r"\bv?(\d{1,4})(?:\.(\d{1,4}))?(?:\.\d+)?\b")
_RESTORES = re.compile(r"actions/cache(?:/restore)?\Z|buildjet/cache\Z|namespacelabs/nscloud-cache")
_DEFAULTS = ("cache", "/root/.cache/go-build")
"""``cache-source`` and ``cache-target`` of versions 1 and 2."""
_LARGEST = 20_000


def read_dance(path: str, source: Source, job: Job, step: Step) -> Dance | None:
    """Return the dance of a step; None when the step is no such action."""
    match = ACTION.match(step.uses)
    if match is None or match.group("half") == "extract":
        return None
    version = _version(step.version)
    given = step.inputs
    old = version is not None and version[0] < 3
    names_builder = version is None or version >= (3, 2)
    dance = Dance(
        path=path,
        job=job.name,
        step=step.index,
        name=f"{job.name}/{step.name or step.uses}",
        span=step.span.fixed,
        where=where_of(source, step.span),
        version=version,
        entries=None,
        builder=_builder(job, step) if names_builder else current(job, step),
        restored=tuple(_restored(job)),
    )
    if "cache-map" in step.raw and not old:
        return replace(dance, entries=_entries(step, source))
    if any(name in given for name in ("cache-source", "cache-target")) or old:
        return _of_one(dance, step, source, old)
    if version is not None and (3, 0) <= version < (3, 2):
        return replace(
            dance,
            entries=(),
            problem="This version carries nothing without cache-map: the defaults of version 2 are gone",
        )
    file = step.inputs.get("dockerfile")
    return replace(dance, discovers=file.text if file is not None else "Dockerfile")


def _version(text: str) -> tuple[int, int] | None:
    reference, _, comment = text.partition("#")
    for part in (reference, comment):
        match = _VERSION.match(part.strip())
        if match is not None and len(part.strip()) < 20:
            minor = match.group(2)
            # `v3` is the newest of its kind.
            return int(match.group(1)), 99 if minor is None else int(minor)
    return None


def _builder(job: Job, step: Step) -> str | None:
    return builder_of(job, step, plain=True) if "builder" in step.raw else "default"


def _of_one(dance: Dance, step: Step, source: Source, old: bool) -> Dance:
    """Read ``cache-source`` and ``cache-target``."""
    names = ("cache-source", "cache-target")
    values = [step.text(name) for name in names]
    if any(name in step.inputs and step.text(name) is None for name in names):
        return dance
    if old:
        folder, target = (value or _DEFAULTS[at] for at, value in enumerate(values))
        extra = {"cache-id": "id", "cache-mode": "mode", "cache-sharing": "sharing"}
        options = [("target", target)]
        for name, option in extra.items():
            if text := step.text(name):
                options.append((option, text))
        at = step.inputs["cache-target"].span if "cache-target" in step.inputs else step.span
        entry = Entry(folder, tuple(options), at.fixed, where_of(source, at))
        return replace(dance, entries=(entry,))
    if None in values:
        missing = names[values.index(None)]
        return replace(
            dance,
            entries=(),
            problem=f"The input {missing} has no default any more: without it the other is ignored",
        )
    at = step.inputs["cache-target"].span
    entry = Entry(str(values[0]), (("target", str(values[1])),), at.fixed, where_of(source, at))
    return replace(dance, entries=(entry,))


def _entries(step: Step, source: Source) -> tuple[Entry, ...] | None:
    """Read the JSON of ``cache-map``; the positions in it are those of the workflow."""
    raw = step.raw["cache-map"]
    text = step.text("cache-map")
    if text is None or len(text) > _LARGEST:
        return None
    root = parse(Source(text)).root
    if root is None or root.kind != "object" or not root.closed:
        return None
    found: list[Entry] = []
    for member in root.effective():
        options = _options(member.value)
        if options is None:
            return None
        span = _place(raw, member.key_span) if step.here and raw.text == text else step.span
        found.append(Entry(member.key.text, options, span.fixed, where_of(source, span)))
    return tuple(found)


def _place(raw: Mapped, span: Span) -> Span:
    return raw.span(span.start, span.end)


def _options(value: Node | None) -> tuple[tuple[str, str], ...] | None:
    """Return the options as the action writes them: `type=cache,target=…,id=…`."""
    if value is None:
        return None
    if value.text is not None:
        return (("target", value.text.text),)
    if value.kind != "object" or value.get("target") is None:
        return None
    found: list[tuple[str, str]] = []
    for member in value.effective():
        assert member.value is not None
        node = member.value
        if node.text is not None:
            found.append((member.key.text, node.text.text))
        elif isinstance(node.value, bool) or node.value is None:
            found.append((member.key.text, str(node.value).lower()))
        else:
            number = node.value
            text = str(int(number)) if float(number).is_integer() else str(number)
            found.append((member.key.text, text))
    return tuple(found)


def _restored(job: Job) -> list[tuple[int, tuple[str, ...]]]:
    found: list[tuple[int, tuple[str, ...]]] = []
    for step in job.steps:
        raw = step.raw.get("path")
        if _RESTORES.match(step.uses) and raw is not None:
            found.append((step.index, tuple(line.text for line in lines_of(raw))))
    return found
