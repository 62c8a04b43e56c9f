r"""`COPY --from` reads what lies in a cache mount only, and finds an empty directory.

What a RUN writes below a cache mount never becomes part of the layer. The stage that COPY reads
from has an empty directory there, or none.

## Bad
```dockerfile
FROM rust:1.90 AS build
WORKDIR /src
RUN --mount=type=cache,id=shop-target,target=/src/target \
    cargo build --release
FROM debian:13
COPY --from=build /src/target/release/app /bin/app
```

## Good
```dockerfile
FROM rust:1.90 AS build
WORKDIR /src
RUN --mount=type=cache,id=shop-target,target=/src/target \
    cargo build --release \
    && mkdir -p /out && cp -r /src/target/release/app /out/
FROM debian:13
COPY --from=build /out/app /bin/app
```

## Fix
Copy the result out of the cache at the end of the RUN, and point COPY at the copy.

Silent where the RUN takes the path elsewhere itself, where another RUN or COPY of the stage
writes below it without the mount, and for a directory above the mount.

## Source
BuildKit: cache mounts are not part of the result of a RUN; proven in `tests/buildkit`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.purpose import script_text
from cachekey.dockerfile.records import Dockerfile, Run, Stage, Step
from cachekey.edits.mount import append_command
from cachekey.finding import Finding, Fix, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.dockerfile.namevalue import split_words
from cachekey.syntax.dockerfile.tree import Instruction
from cachekey.text import Edit, Mapped

_PLAIN = re.compile(r"[\w./+@-]+\Z")
_TAKES_OUT = re.compile(r"\b(?:cp|mv|install|rsync|tar|ln|cat|dd|zip|strip|objcopy|find|copy)\b")

_OUT = ("/out", "/export", "/result")
"""Where a copy may go: the first that no mount covers."""


@rule("CK401", "copy-from-cache", Severity.WARNING, Fixable.SOMETIMES)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report sources of COPY --from that only a cache mount of that stage held."""
    stages = {stage.name.lower(): stage for stage in dockerfile.stages if stage.name}
    numbered = {str(stage.index): stage for stage in dockerfile.stages}
    for stage in dockerfile.stages:
        for step in stage.steps:
            instruction = step.instruction
            if instruction.keyword != "COPY" or instruction.json is not None:
                continue
            origin = next((f.value for f in instruction.flags if f.name.text == "from"), None)
            if origin is None:
                continue
            source = stages.get(origin.text.lower()) or numbered.get(origin.text)
            if source is not None and source.index < stage.index:
                yield from _of_copy(dockerfile, source, instruction, ctx)


def _of_copy(
    dockerfile: Dockerfile, stage: Stage, instruction: Instruction, ctx: Context
) -> Iterator[Finding]:
    for word in split_words(instruction.args, dockerfile.tree.escape)[:-1]:
        if not _PLAIN.match(word.text):
            continue
        path = "/" + posixpath.normpath(f"/{word.text}").lstrip("/")
        found = _held_by_cache(stage, path)
        if found is None:
            continue
        run, mount = found
        yield ctx.finding(
            word.span(),
            f"{path} lay in the cache mount on {mount.directory}: stage {stage.label} has nothing there",
            related=[ctx.related(mount.span, "this mount is not part of the layer")],
            fixes=partial(_fixes, dockerfile, run, path, word, ctx),
        )


def _held_by_cache(stage: Stage, path: str) -> tuple[Run, Mount] | None:
    """Return the last RUN that had ``path`` below a cache mount, if no layer can have it."""
    found: tuple[Run, Mount] | None = None
    for part in reversed(stage.chain):
        for step in part.steps:
            if step.run is not None and not step.run.dormant:
                mount = _below(step.run, path)
                if mount is not None and not mount.readonly:
                    found = (step.run, mount)
                elif _may_write(step.run, path):
                    return None
            elif step.instruction.keyword in ("COPY", "ADD") and _lands(step, path):
                return None
    if found is None or _moved_about(found[0]):
        return None
    return found


def _mounted(run: Run, place: str) -> bool:
    """Tell whether a mount of the RUN may lie at or below ``place``, or around it."""
    for mount in run.mounts:
        folder = mount.directory
        if folder is None and mount.type == "cache":
            return True
        if folder and (_inside(folder, place) or _inside(place, folder)):
            return True
    return False


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _below(run: Run, path: str) -> Mount | None:
    for mount in run.caches:
        folder = mount.directory
        if folder and (path == folder or path.startswith(f"{folder}/")):
            return mount
    return None


def _may_write(run: Run, path: str) -> bool:
    """Tell whether a RUN without the mount may write below ``path``: it names it, or runs the same tool."""
    text = script_text(run)
    if not run.commands.complete or any(item.opaque for item in run.commands.items):
        return True
    parts = [part for part in path.split("/") if part]
    if any(part in text for part in parts[-2:]):
        return True
    for use in run.uses:
        for item in use.directories:
            if item.path is not None and (path == item.path or path.startswith(f"{item.path}/")):
                return True
    return False


def _moved_about(run: Run) -> bool:
    """Tell whether the RUN itself takes something out of the cache, or may do so unseen."""
    if not run.commands.complete or any(item.opaque for item in run.commands.items):
        return True
    return bool(_TAKES_OUT.search(script_text(run)))


def _lands(step: Step, path: str) -> bool:
    """Tell whether a COPY or ADD may bring ``path``: all of the sources, as in ``COPY . .``, do not.

    What a build leaves behind on the host is nothing that anybody wants in there.
    """
    instruction = step.instruction
    words = [word.strip('[]",') for word in instruction.args.text.split()]
    if len(words) < 2 or instruction.heredocs:
        return True
    target = words[-1]
    if not target.startswith("/"):
        workdir = step.scope.workdir
        if workdir is None or not workdir.known:
            return True
        target = posixpath.join("/", workdir.text, target)
    target = posixpath.normpath(target)
    everything = all(word.rstrip("/*") in ("", ".") for word in words[:-1])
    if everything and not any(flag.name.text == "from" for flag in instruction.flags):
        return path == target
    return (
        path == target or path.startswith(f"{target.rstrip('/')}/") or target.startswith(f"{path}/")
    )


def _fixes(
    dockerfile: Dockerfile, run: Run, path: str, word: Mapped, ctx: Context
) -> Iterator[Fix]:
    out = next((place for place in _OUT if not _mounted(run, place)), None)
    if out is None:
        return
    edit = append_command(dockerfile, run, f"mkdir -p {out} && cp -r {path} {out}/")
    if edit is not None:
        name = posixpath.basename(path)
        yield ctx.fix(
            f"Copy it out of the cache: {out}/{name}",
            edit,
            Edit(word.span(), f"{out}/{name}"),
            preferred=True,
        )
