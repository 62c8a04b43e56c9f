"""The tool of this RUN keeps its cache elsewhere, so that the mount stays empty.

The mount is legal, the build is green, and every build downloads everything again. It happens
when `USER` changes the home, when the base image or an `ENV` moves the cache, and when a path is
remembered wrongly.

## Bad
```dockerfile
FROM python:3.13
ENV UV_LINK_MODE=copy
RUN --mount=type=cache,target=/root/.cache/pip uv sync
```

## Good
```dockerfile
FROM python:3.13
ENV UV_LINK_MODE=copy
RUN --mount=type=cache,target=/root/.cache/uv uv sync
```

## Fix
Mount the directory that the tool uses; below another user the same edit makes a new cache belong
to that user. Or tell the tool to use the target, by its own variable; that puts a variable into
the image and is not applied unasked. Where only a version names the directory (`ruby/3.4.0/cache`), the mount
can go.

A RUN whose mounts end with a backslash takes the next line in, be it another `RUN`; the fix removes that word.

What `cargo install` takes from a registry or from Git it builds in a temporary directory: a mount on `target`
beside it is an information.

A mount that is meant for a tool which has its caches in other mounts of the RUN is a hint: nothing is lost, and
nothing is ever in it (`/var/lib/apk` beside `/var/cache/apk`).

Where a command cannot be read (`make`), a mount that looks like the cache of one tool only is a hint, when that
tool surely runs in the RUN and has its cache elsewhere.

The mount of a compiler cache (sccache, ccache) that nothing tells the program to call is a hint: set the
variable that it names, `RUSTC_WRAPPER=sccache` for Cargo.

Silent about a mount for a tool of another RUN, which has the same cache (`npm i -g corepack` beside Yarn's).

Silent when one command of the RUN cannot be read or may run anything (`make`, scripts), when a
program is not known, when a variable, flag, configuration file or unknown base image may move the
cache (a hint, where the file itself tells another place or another home), for a parent or a part of the directory, and when the script
names the target. A configuration file counts that the Dockerfile itself names and copies to where the tool looks.

## Source
Each tool's own manual, named in its file below `knowledge/tools`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.commands.invocation import Invocation
from cachekey.dockerfile.coverage import Wanted
from cachekey.dockerfile.idle import (
    begun_again,
    in_a_closed_home,
    in_another_home,
    in_some_version,
    is_another_runs,
    is_empty,
    kept_elsewhere,
    meant_beside_unseen,
    needless,
    never_called,
    passed_by,
    supposed_elsewhere,
)
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.records import Run
from cachekey.edits.everywhere import lines_text
from cachekey.edits.mount import insert_line_before, is_plain, remove_mount
from cachekey.edits.toolmount import (
    clashes,
    companions,
    leaves_others,
    may_move,
    moved_along,
    places,
    retarget,
)
from cachekey.finding import Finding, Fix, Related, Safety, Severity
from cachekey.knowledge.records import Kind
from cachekey.rules.rule import Context, Fixable, capital, rule
from cachekey.syntax.dockerfile.tree import Instruction
from cachekey.text import Edit, Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse

_CLASHES = "another RUN has a cache of this name, with another owner or by another user"


@rule("CK301", "cache-target-mismatch", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report cache mounts that no command of the RUN uses while a tool's cache lies elsewhere."""
    if run.onbuild:
        return
    if run.caches and is_empty(run):
        yield _without_command(run, ctx)
        return
    again = begun_again(run)
    if again is not None:
        yield _goes_on(run, again, ctx)
        return
    yield from _on_unknown_base(run, ctx)
    yield from _never_called(run, ctx)
    yield from _beside_unseen(run, ctx)
    yield from _of_another_user(run, ctx)
    yield from _in_a_closed_home(run, ctx)
    for mount in run.caches:
        if mount.undefined or not run.visible_mount(mount) or not _is_path(mount):
            continue
        versioned = in_some_version(run, mount)
        if versioned is not None:
            yield _named_by_version(mount, versioned, ctx)
            continue
        passed = passed_by(run, mount)
        if passed is not None:
            yield _passed(run, mount, passed, ctx)
            continue
        found = kept_elsewhere(run, mount)
        if found and is_another_runs(ctx.document, run, mount):
            # That one speaks, if it has no use for it either.
            continue
        if not found:
            yield from _beside_another(run, mount, ctx)
            continue
        best = found[0]
        shown = mount.directory or mount.target.text
        yield ctx.finding(
            mount.target_span,
            f"{best.use.tool.name} keeps {_what(best)} in {best.path} here, not in {shown}: "
            "this mount stays empty",
            related=_why(best, ctx),
            fixes=partial(_fixes, run, mount, found, ctx),
        )


def _on_unknown_base(run: Run, ctx: Context) -> Iterator[Finding]:
    """Hint at mounts elsewhere than the file itself tells the tool, on an unknown base image.

    What is only remembered of an image is good for a hint, too.
    """
    for mount, use, item in supposed_elsewhere(run):
        default = item.decided_by.startswith("the default")
        unless = ", unless the base image says otherwise," if default else ","
        yield ctx.finding(
            mount.target_span,
            f"{use.tool.name} keeps its cache in {item.path} here{unless} and not in {mount.directory}",
            related=[]
            if default or item.span is None
            else [ctx.related(item.span, capital(item.decided_by))],
            fixes=partial(_moved, run, mount, item.path or "", ctx),
            severity=Severity.HINT,
        )


def _beside_unseen(run: Run, ctx: Context) -> Iterator[Finding]:
    """Hint at mounts that only their looks speak for, beside commands that nobody can read."""
    for mount in run.caches:
        best = meant_beside_unseen(run, mount)
        if best is not None:
            yield ctx.finding(
                mount.target_span,
                f"{best.use.tool.name} keeps {_what(best)} in {best.path} here, unless a command out of sight "
                f"says otherwise, and not in {mount.directory}",
                related=_why(best, ctx),
                fixes=partial(_moved, run, mount, best.path, ctx),
                severity=Severity.HINT,
            )


def _of_another_user(run: Run, ctx: Context) -> Iterator[Finding]:
    """Hint at mounts in the home of somebody else than who runs the RUN."""
    for mount in run.caches:
        found = in_another_home(run, mount)
        if found is not None:
            tool, path = found
            yield ctx.finding(
                mount.target_span,
                f"Whoever starts {tool.name} here does so as {run.scope.user.label}, whose cache is {path}: "
                "this mount stays empty",
                fixes=partial(_moved, run, mount, path, ctx),
                severity=Severity.HINT,
            )


def _in_a_closed_home(run: Run, ctx: Context) -> Iterator[Finding]:
    """Hint at mounts in the home of root, on an unknown base image, where somebody else runs the RUN."""
    moved = [mount for mount, _, _ in supposed_elsewhere(run)]
    for mount in run.caches:
        tool = None if mount in moved else in_a_closed_home(run, mount)
        if tool is not None:
            yield ctx.finding(
                mount.target_span,
                f"This RUN runs as {run.scope.user.label}, and the home of root is closed to others, unless the "
                f"base image opens it: {tool.name} cannot reach this mount",
                severity=Severity.HINT,
            )


def _never_called(run: Run, ctx: Context) -> Iterator[Finding]:
    """Hint at the mount of a compiler cache that nothing tells the compiling program to call."""
    unless = "" if run.scope.base.facts is not None else ", unless the base image does"
    for one in never_called(run):
        yield ctx.finding(
            one.mount.target_span,
            f"Nothing here tells {one.caller.name} to call {one.tool.name}{unless} ({one.variable}): "
            "this mount stays empty",
            severity=Severity.HINT,
        )


def _named_by_version(mount: Mount, found: tuple[ToolUse, UsedDirectory], ctx: Context) -> Finding:
    use, item = found
    return ctx.finding(
        mount.target_span,
        f"{use.tool.name} keeps {item.cache.what} in {_readable(item.among)} here, not in {mount.directory}: "
        "this mount stays empty",
        fixes=partial(_without, mount, in_some_version, ctx),
    )


def _passed(run: Run, mount: Mount, found: tuple[ToolUse, UsedDirectory], ctx: Context) -> Finding:
    use, item = found
    name, variable = use.tool.name, item.cache.pin
    return ctx.finding(
        mount.target_span,
        f"What {name} installs here it builds in a temporary directory, unless {variable} names one: "
        "this mount stays empty",
        related=[ctx.related(use.invocation.head, f"{name} installs here")],
        severity=Severity.INFORMATION,
        fixes=partial(_told, run, mount, use, item, ctx),
    )


def _told(run: Run, mount: Mount, use: ToolUse, item: UsedDirectory, ctx: Context) -> Iterator[Fix]:
    """Offer to tell the tool of the mount, in front of its command, or to remove that."""
    at, folder = use.invocation.head.start, mount.directory or ""
    plain = run.instruction.json is None and use.invocation.script is None
    if plain and is_plain(folder) and use.invocation.span.start == at:
        yield ctx.fix(
            f"Let {use.tool.name} build in it: set {item.cache.pin} for this command",
            Edit(Span(at, at), f"{item.cache.pin}={folder} "),
            preferred=True,
            safety=Safety.UNSAFE,
            reason="the mount may only be there for another command's sake",
        )
    yield from _without(mount, passed_by, ctx)


def _readable(glob: str) -> str:
    """Show a glob of ours to a reader: a star stands for a version, the one in front of a name for nothing."""
    return re.sub(r"\*(?=\w)", "", glob)


def _beside_another(run: Run, mount: Mount, ctx: Context) -> Iterator[Finding]:
    """Hint at a mount that is meant for a tool which has all its caches in other mounts of the RUN."""
    found = needless(run, mount)
    if found is not None:
        tool, other = found
        yield ctx.finding(
            mount.target_span,
            f"{tool.name} keeps nothing in {mount.directory}: this mount stays empty, and can go",
            related=[ctx.related(other.span, f"What {tool.name} keeps lies here")]
            if other is not None
            else [],
            fixes=partial(_without, mount, needless, ctx),
            severity=Severity.HINT,
            cause=(tool.id, mount.directory),
        )


def _without(
    mount: Mount, why: Callable[[Run, Mount], object | None], ctx: Context
) -> Iterator[Fix]:
    """Offer to remove the mounts of this directory that are as idle: ``why`` tells of each."""
    places = [
        other
        for run, other in ctx.document.caches
        if other.directory == mount.directory and why(run, other) is not None
    ]
    lines = lines_text(ctx.document.source.line_of(one.span.start) + 1 for one in places)
    yield ctx.fix(
        "Remove this mount" if len(places) == 1 else f"Remove this mount from {lines}",
        lambda: [remove_mount(ctx.document, one) for one in places],
        safety=Safety.UNSAFE,
        reason="another version of the tool might use it",
    )


def _moved(run: Run, mount: Mount, path: str, ctx: Context) -> Iterator[Fix]:
    edits = retarget(run, mount, path)
    if edits:
        reason = "what cannot be seen from here may say otherwise"
        yield ctx.fix(f"Mount {path}", *edits, safety=Safety.UNSAFE, reason=reason)


def _what(best: Wanted) -> str:
    cache = best.directory.cache
    return "its cache" if cache.kind is Kind.DOWNLOAD else cache.what


def _without_command(run: Run, ctx: Context) -> Finding:
    """Report a RUN that ends behind its mounts: the command stands in the next one, without them."""
    return ctx.finding(
        run.caches[0].span,
        "This RUN has no command, and its mounts end with it: nothing ever uses this cache",
        fixes=partial(_joined, run, ctx),
        missing=True,
    )


def _joined(run: Run, ctx: Context) -> Iterator[Fix]:
    instructions = ctx.document.tree.instructions
    behind = [item for item in instructions if item.span.start >= run.span.end]
    if not behind or behind[0].keyword != "RUN" or not _is_for(run, behind[0], ctx):
        return
    gap = Span(run.span.end, behind[0].keyword_span.end)
    source = ctx.document.source
    # An open quote would swallow the command, too.
    quoted = re.search("[\"']", source.slice(run.span))
    if "#" not in source.slice(gap) and not quoted:
        yield ctx.fix("Move the mounts to the next RUN", Edit(gap, ""), preferred=True)


def _is_for(run: Run, instruction: Instruction, ctx: Context) -> bool:
    """Tell whether a RUN may have a use for the mounts of another, as far as their places tell."""
    places = [mount.directory or "" for mount in run.caches]
    meant = {claim.tool.id for place in places for claim in run.knowledge.claims(place)}
    behind = next(one for one in ctx.document.runs if one.instruction is instruction)
    return not meant or not meant.isdisjoint(use.tool.id for use in behind.uses)


def _goes_on(run: Run, again: Invocation, ctx: Context) -> Finding:
    return ctx.finding(
        run.caches[0].span,
        "A backslash behind the mounts takes the next line in: the shell is to start a program named RUN, "
        "and the step fails",
        related=[ctx.related(again.head, "This word is part of the same RUN")],
        fixes=partial(_with_the_next_line, again, ctx),
    )


def _with_the_next_line(again: Invocation, ctx: Context) -> Iterator[Fix]:
    word = Edit(Span(again.head.start, again.args[0].span.start), "")
    yield ctx.fix("Let the mounts serve this line: remove the word RUN", word, preferred=True)


def _is_path(mount: Mount) -> bool:
    # `~` and paths of the host have rules of their own.
    text = mount.target.text
    return text.startswith("/") and not text.startswith("/Users/")


def _why(best: Wanted, ctx: Context) -> list[Related]:
    span = best.directory.span
    return [ctx.related(span, capital(best.directory.decided_by))] if span is not None else []


def _owner(run: Run) -> str:
    user = run.scope.user
    return user.name or user.text or "its user"


def _fixes(run: Run, mount: Mount, found: list[Wanted], ctx: Context) -> Iterator[Fix]:
    paths: dict[str, Wanted] = {item.path: item for item in reversed(found)}
    for number, path in enumerate(reversed(paths)):
        along = companions(ctx.document, mount, path)
        if not may_move(ctx.document, run, mount, paths[path], along):
            continue
        first, *more = places(paths[path].use, paths[path].directory)
        edits = retarget(run, mount, first)
        if edits is not None:
            own = f" and give it to {_owner(run)}" if len(edits) > 1 else ""
            if own or mount.id:
                # The copies would have to say the same; one id must not hold two directories.
                more = []
            moved = [place.line + 1 for place in (Place(ctx.document, run, mount), *along)]
            where = f" on {lines_text(moved)}" if along else ""
            title = f"Mount {' and '.join([first, *more])}{where}{own}"
            leaves = leaves_others(ctx.project.index, ctx.path, mount, along)
            if leaves:
                title += f", and leave {mount.directory} to its other mounts"
            others = partial(moved_along, ctx.document, mount, first, more, along)
            clash = clashes(Place(ctx.document, run, mount), first, along, bool(own))
            yield ctx.fix(
                title,
                *edits,
                others,
                preferred=number == 0,
                safety=Safety.UNSAFE if clash or leaves else Safety.SAFE,
                reason=_CLASHES if clash else "they have one cache now",
                apart=leaves,
            )
    best = found[0]
    if mount.directory is None or not is_plain(mount.directory) or "$" in mount.directory:
        return
    if best.directory.cache.kind is not Kind.DOWNLOAD:
        return
    variable = best.directory.cache.pin
    default = best.directory.decided_by.startswith("the default")
    whole = places(best.use, best.directory) == (best.path,)
    user = run.scope.user
    writable = user.is_root or user.uid == mount.uid or mount.is_open
    if variable and default and whole and writable and len(paths) == 1:
        line = f"ENV {variable}={mount.directory}"
        yield ctx.fix(
            f"Let {best.use.tool.name} use {mount.directory}",
            lambda: [insert_line_before(ctx.document, run.span.start, line)],
            safety=Safety.UNSAFE,
            reason=f"{variable} becomes part of the image's environment",
        )
