"""The installation of dependencies stands behind a COPY of everything, so that each change runs it anew.

A RUN is taken from the layer cache as long as nothing in front of it changes. Behind `COPY . .` every
edit of any file runs the installation again; the cache mount makes that quicker, and does not avoid it.

## Bad
```dockerfile
FROM node:22
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci
```

## Good
```dockerfile
FROM node:22
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
```

Copy first what the installation needs, and the rest behind it. Which files these are is the project's
own matter, so that there is no fix.

The same goes for a folder of the project that holds these files beside the sources
(`COPY services/api/ /app`), unless more of the sources is copied behind the installation.

Silent where a file that names the dependencies is copied by itself, and for commands that need the
sources: a compiler's RUN belongs behind them.

## Source
Docker's documentation, "Optimize cache usage in builds: order your layers".
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from cachekey.commands.effect import meets
from cachekey.dockerfile.context import Copied
from cachekey.dockerfile.records import Dockerfile, Run, Step
from cachekey.finding import Finding, Severity
from cachekey.knowledge.patterns import matches
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.tools.uses import ToolUse


@rule("CK504", "layer-order", Severity.HINT, Fixable.NEVER)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report the first installation behind each copy of all that it belongs to.

    The copy may stand in a stage that this one is built on.
    """
    told: set[Copied] = set()
    copies: dict[int, list[Copied]] = {}
    for stage in dockerfile.stages:
        before = list(copies.get(stage.parent.index, ())) if stage.parent is not None else []
        copies[stage.index] = before
        silent = False
        for number, step in enumerate(stage.steps):
            if step.copied is not None and step.copied.origin is None:
                before.append(step.copied)
            if step.run is None or step.run.onbuild or not before or silent:
                continue
            for use in step.run.uses:
                whole, what = _whole(use, step.run, before, stage.steps[number + 1 :])
                if whole is not None and not silent:
                    silent = True
                    if whole not in told:
                        yield _finding(step.run, use, whole, what, ctx)
                    told.add(whole)


def _whole(
    use: ToolUse, run: Run, before: list[Copied], behind: Sequence[Step]
) -> tuple[Copied | None, str]:
    """Return the copy of everything, or of a folder, behind which an installation stands."""
    if not _installs(use, before):
        return None, ""
    whole = next((one for one in before if _takes_all(one)), None)
    return (whole, "file") if whole is not None else _folder(use, run, before, behind)


def _finding(run: Run, use: ToolUse, whole: Copied, what: str, ctx: Context) -> Finding:
    span = whole.instruction.span
    line = ctx.document.source.line_of(span.start) + 1
    everything = what == "file"
    mount = "The" if run.caches else "A"
    return ctx.finding(
        use.invocation.head,
        f"Every change of any {what} runs this again, since line {line} copies "
        f"{'all files' if everything else 'all of it'} first. {mount} cache mount only makes that "
        f"quicker: copy what {use.tool.name} reads, install, then copy the rest.",
        related=[
            ctx.related(span, "All files are copied here" if everything else "It is copied here")
        ],
    )


def _folder(
    use: ToolUse, run: Run, before: Sequence[Copied], behind: Sequence[Step]
) -> tuple[Copied | None, str]:
    """Return what copies the folder that the installation's files lie in, and name the folder.

    Not where more is copied there later: then this folder is what the installation needs.
    """
    cwd = use.invocation.cwd
    if cwd is None or any(_goes_to(step.copied, cwd, run) for step in behind):
        return None, ""
    for name in _names(use):
        path = posixpath.normpath(posixpath.join(cwd, name))
        found = run.context.find(path)
        source = found[0].removeprefix("./") if found is not None else ""
        while source.startswith("../"):
            source = source[3:]
        for one in before if source else ():
            folder = one.folder_of(path, source)
            if folder is not None:
                return one, f"file of {folder}"
    return None, ""


def _goes_to(copied: Copied | None, cwd: str, run: Run) -> bool:
    """Tell whether a copy may bring more than single files to a directory."""
    if copied is None or copied.origin is not None:
        return False
    if copied.target is not None and not meets(copied.target, cwd):
        return False
    return not copied.words or any(
        run.context.find_source(word) is None for word in copied.words[:-1]
    )


def _names(use: ToolUse) -> Iterator[str]:
    """Yield the files of its working directory that an installation reads, as far as they are named."""
    for file in use.manifests:
        if not set(file) & set("*?["):
            yield file
        else:
            yield from (
                text
                for text in use.invocation.texts
                if text is not None and "/" not in text and matches(text, file)
            )


def _takes_all(copied: Copied) -> bool:
    return any(word.strip("./*") == "" for word in copied.words[:-1])


def _installs(use: ToolUse, before: list[Copied]) -> bool:
    """Tell whether a command installs what files name, and none of these was copied by itself."""
    files = use.manifests
    if not files or use.via is not None:
        return False
    names = [word.rstrip("/").rpartition("/")[2] for one in before for word in one.words[:-1]]
    return not any(
        matches(name, file) or matches(file, name)
        for name in names
        for file in files
        if name.strip(".*")
    )
