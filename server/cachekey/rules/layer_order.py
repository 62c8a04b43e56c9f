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

It goes as well for packages that the command itself names (`apt-get install curl`): they need none of the files.

Silent where a file that names the dependencies is copied by itself, where an earlier RUN has installed
them already, in front of the copy (from manifests that it mounts), and for commands that need the sources: a
compiler's RUN belongs behind them.

## Source
Docker's documentation, "Optimize cache usage in builds: order your layers".
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from cachekey.commands.effect import inside, meets
from cachekey.dockerfile.context import Copied
from cachekey.dockerfile.records import Dockerfile, Run, Stage, Step
from cachekey.finding import Finding, Severity
from cachekey.knowledge.patterns import matches
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.tools.uses import ToolUse

_What = tuple[str, str, tuple[str, ...]]

_TIDYING = frozenset(("rm", "echo", "set", "true", ":", "export"))
"""Programs beside an installation that need no file of the project."""


@rule("CK504", "layer-order", Severity.HINT, Fixable.NEVER)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report the first installation behind each copy of all that it belongs to.

    The copy may stand in a stage that this one is built on.
    """
    told: set[Copied] = set()
    copies: dict[int, list[Copied]] = {}
    folders: dict[Copied, str] = {}
    installed: dict[int, set[_What]] = {}
    for stage in dockerfile.stages:
        parent = stage.parent.index if stage.parent is not None else -1
        before = list(copies.get(parent, ()))
        copies[stage.index] = before
        there = set(installed.get(parent, ()))
        installed[stage.index] = there
        silent = False
        for number, step in enumerate(stage.steps):
            if step.copied is not None:
                folder = _gathered(step.copied, stage, dockerfile)
                if folder is not None:
                    folders[step.copied] = folder
                if step.copied.origin is None or folder is not None:
                    before.append(step.copied)
            if step.run is None or step.run.onbuild or silent:
                continue
            for use in step.run.uses:
                if not before:
                    there |= _what_is_installed(use)
                    continue
                whole, what = _whole(use, step.run, before, stage.steps[number + 1 :], folders)
                if whole is None or _is_spared(whole, what, stage, step.run, ctx):
                    continue
                if not silent and not _what_is_installed(use) & there:
                    silent = True
                    if whole not in told:
                        yield _finding(step.run, use, whole, what, ctx)
                    told.add(whole)


def _is_spared(whole: Copied, what: str, stage: Stage, run: Run, ctx: Context) -> bool:
    """Tell whether a copy brings little, or stands in a stage that others are built on as well.

    What is put in front of it there would be theirs, too.
    """
    if whole.origin is None and run.context.takes_little(ctx.path):
        return True
    if what or any(step.copied is whole for step in stage.steps):
        return False
    home = next(one for one in stage.chain if any(step.copied is whole for step in one.steps))
    return any(one.parent is home and one not in stage.chain for one in ctx.document.stages)


def _what_is_installed(use: ToolUse) -> set[_What]:
    """Return the tool, its folder and the files that name what it installs; nothing when none do."""
    cwd = use.invocation.cwd
    names = tuple(_names(use)) if use.via is None and cwd is not None else ()
    return {(use.tool.id, cwd, names)} if names and cwd is not None else set()


def _whole(
    use: ToolUse,
    run: Run,
    before: list[Copied],
    behind: Sequence[Step],
    gathered: Mapping[Copied, str],
) -> tuple[Copied | None, str]:
    """Return the copy of everything, or of a folder, behind which an installation stands."""
    if use.reads_no_file and _needs_nothing(run):
        return next((one for one in before if _takes_all(one) and one.target != "/"), None), ""
    if not _installs(use, before):
        return None, ""
    for one in gathered:
        if one in before:
            return one, f"file of {gathered[one]}"
    whole = next((one for one in before if _takes_all(one)), None)
    return (whole, "file") if whole is not None else _folder(use, run, before, behind)


def _finding(run: Run, use: ToolUse, whole: Copied, what: str, ctx: Context) -> Finding:
    span = whole.instruction.span
    line = ctx.document.source.line_of(span.start) + 1
    if not what:
        return ctx.finding(
            use.invocation.head,
            f"Every change of any file runs this again, since line {line} copies all files first, and "
            f"{use.tool.name} needs none of them: put this step in front of that line",
            related=[ctx.related(span, "All files are copied here")],
        )
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


def _gathered(copied: Copied, stage: Stage, dockerfile: Dockerfile) -> str | None:
    """Return the word with which a copy brings sources that another stage has: a tool's, or all files."""
    origin = None if copied.origin is None else dockerfile.stage_named(copied.origin, stage)
    steps = [step for part in origin.chain for step in part.steps] if origin is not None else []
    runs = [step.run for step in steps if step.run is not None]
    folders = [use.gathered for run in runs for use in run.uses if use.gathered is not None]
    copies = [step.copied for step in steps if step.copied is not None]
    wholes = [one.target for one in copies if one.origin is None and _takes_all(one)]
    for word in copied.words[:-1]:
        path = "/" + posixpath.normpath(f"/{word}").lstrip("/")
        if any(inside(path, folder) for folder in folders):
            return word
        if any(target is not None and inside(target, path) for target in wholes):
            return word
    return None


def _needs_nothing(run: Run) -> bool:
    """Tell whether all that a RUN does is to install packages that its commands name, and to tidy up."""
    if not run.commands.complete or run.instruction.heredocs:
        return False
    tools = {use.tool.id for use in run.uses if use.reads_no_file}
    own = {id(use.invocation): use for use in run.uses if use.own and use.tool.id in tools}
    for item in run.commands.items:
        use = own.get(id(item))
        # `npx` only starts what stands behind it.
        if use is None and not item.shown and item.program not in _TIDYING:
            return False
    return True


def _folder(
    use: ToolUse, run: Run, before: Sequence[Copied], behind: Sequence[Step]
) -> tuple[Copied | None, str]:
    """Return what copies the folder that the installation's files lie in, and name the folder.

    Not where more is copied there later: then this folder is what the installation needs.
    """
    cwd = use.cwd
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
    names = [
        word.rstrip("/").rpartition("/")[2]
        for one in before
        if one.origin is None
        for word in one.words[:-1]
    ]
    return not any(
        matches(name, file) or matches(file, name)
        for name in names
        for file in files
        if name.strip(".*")
    )
