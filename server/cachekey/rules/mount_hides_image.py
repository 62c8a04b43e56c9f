"""A cache mount hides what the image has in that directory.

During the RUN the target shows the cache and nothing else. On a broad directory this takes away
programs, settings or keys that the commands need.

## Bad
```dockerfile
FROM rust:1.90
WORKDIR /src
RUN --mount=type=cache,target=/usr/local/cargo cargo fetch
```

## Good
```dockerfile
FROM rust:1.90
WORKDIR /src
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/usr/local/cargo/git cargo fetch
```

## Fix
Mount only the directories of the tool that lie below.

What an earlier RUN has fetched ahead without the mount (`go mod download`) is hidden as well, and fetched
again: an information, with the mount for that RUN. So is what a fetched installer has installed there
(`curl … sh.rustup.rs | sh`).

Silent for images that are not known to have anything there, unless the file itself has copied
something into the directory.

## Source
BuildKit: what lies below a mount is not seen; the images' own build files, named in `knowledge/images`; the tools' manuals in `knowledge/tools`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.commands.effect import inside
from cachekey.dockerfile.coverage import all_known, maybe_covered, surely_idle, wanted
from cachekey.dockerfile.installed import installed_into
from cachekey.dockerfile.lost import mount_over
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.cleanups import clean_ups
from cachekey.edits.mount import add_mount, is_mountable, set_option
from cachekey.edits.toolmount import spread
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.knowledge.paths import UnknownValueError, expand_template
from cachekey.knowledge.records import Hides, Kind
from cachekey.record import record, remembered
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.text import Edit, Span
from cachekey.tools.directories import UsedDirectory
from cachekey.tools.uses import ToolUse


@rule("CK404", "mount-hides-image", Severity.WARNING, Fixable.SOMETIMES)
def check(run: Run, ctx: Context) -> Iterator[Finding]:
    """Report cache mounts on directories that the image is known to fill."""
    if run.onbuild:
        return
    for mount in run.caches:
        # With `from` the new cache starts as a copy of another image's directory.
        if not mount.directory or mount.origin:
            continue
        what = _hidden(run, mount)
        copied = _copied(run, mount, ctx) if what is None else None
        if copied is not None:
            line = ctx.document.source.line_of(copied.start) + 1
            lies = "The cache"
            if not mount.target.text:
                lies = "Without a target the cache lies over the working directory and"
            yield ctx.finding(
                mount.target_span,
                f"{lies} hides what line {line} has copied to {mount.directory}",
                related=[ctx.related(copied, "Copied here")],
                fixes=partial(_fixes, run, mount, ctx),
            )
        if what is not None:
            yield ctx.finding(
                mount.target_span,
                f"The cache hides what the image has in {mount.directory}: {what}",
                fixes=partial(_fixes, run, mount, ctx),
            )
        elif copied is None and (fetched := _fetched(run, mount)) is not None:
            yield _again(fetched, mount, ctx)
        elif copied is None:
            yield from _installed(run, mount, ctx)


@record(frozen=True)
class _Fetched:
    """What an earlier RUN has fetched into the image, without a mount."""

    run: Run
    use: ToolUse
    directory: UsedDirectory


def _fetched(run: Run, mount: Mount) -> _Fetched | None:
    """Return what the mount hides of that which an earlier RUN only ran to fetch."""
    if mount.readonly or surely_idle(run, mount):
        return None
    for earlier in run.earlier():
        for use in earlier.uses:
            if use.via is not None or use.applies is not True:
                continue
            for item in use.directories:
                if _is_refetched(item, earlier, run, use, mount):
                    return _Fetched(earlier, use, item)
    return None


def _is_refetched(item: UsedDirectory, earlier: Run, run: Run, use: ToolUse, mount: Mount) -> bool:
    """Tell whether a directory that a command surely fills lies below the mount, where it is used again."""
    surely = item.fills and item.used is True and item.path is not None and item.confidence.warns
    if not surely or item.cache.kind is Kind.RESULT or maybe_covered(earlier, item):
        return False
    if item.relation(mount.directory or "/") not in ("exact", "parent"):
        return False
    # What cannot be read (`make`) uses what somebody has mounted for it.
    used = any(one.tool is use.tool for one in run.uses) or not all_known(run)
    return used and not _is_removed(earlier, item.path or "")


@remembered
def _is_removed(run: Run, folder: str) -> bool:
    """Tell whether the RUN itself empties what it has filled: then its layer holds nothing."""
    return any(clean_ups(run, [folder]))


def _again(fetched: _Fetched, mount: Mount, ctx: Context) -> Finding:
    tool, path = fetched.use.tool.name, fetched.directory.path
    head = fetched.use.invocation.head
    line = ctx.document.source.line_of(head.start) + 1
    return ctx.finding(
        mount.target_span,
        f"This cache hides what line {line} has fetched into {path}: {tool} fetches it again",
        related=[ctx.related(head, "Fetched here, without the cache")],
        fixes=partial(_shared, fetched, mount, line, ctx),
        severity=Severity.INFORMATION,
        cause=(fetched.run.span.start, fetched.use.tool.id, fetched.directory.role),
    )


def _shared(fetched: _Fetched, mount: Mount, line: int, ctx: Context) -> Iterator[Fix]:
    flag = ctx.document.source.slice(mount.span)
    yield ctx.fix(
        f"Mount this cache on line {line} as well",
        lambda: [add_mount(ctx.document, fetched.run, flag)],
        safety=Safety.UNSAFE,
        preferred=True,
        reason="the image no longer holds what is fetched there",
    )


def _installed(run: Run, mount: Mount, ctx: Context) -> Iterator[Finding]:
    """Tell what an earlier RUN has installed by a fetched installer, and the mount hides."""
    for earlier in run.earlier():
        if mount_over(earlier, mount.directory or "/") is not None:
            return
        head = installed_into(earlier, mount.directory or "/")
        if head is None or _is_removed(earlier, mount.directory or "/"):
            continue
        line = ctx.document.source.line_of(head.start) + 1
        yield ctx.finding(
            mount.target_span,
            f"This cache hides what line {line} has installed into {mount.directory}",
            related=[ctx.related(head, "Installed here, without the cache")],
            fixes=partial(_fixes, run, mount, ctx),
            severity=Severity.INFORMATION,
        )
        return


def _copied(run: Run, mount: Mount, ctx: Context) -> Span | None:
    """Return the last COPY or ADD in front of the RUN that brings something into the directory."""
    found: Span | None = None
    for part in reversed(ctx.document.stage_of(run).chain):
        for step in part.steps:
            if step.run is run:
                return found
            target = step.copied.target if step.copied is not None else None
            if target is not None and inside(target, mount.directory or "/"):
                found = step.instruction.span
    return found


def _hidden(run: Run, mount: Mount) -> str | None:
    folder = mount.directory
    facts = run.scope.base.facts
    for broad in run.knowledge.broad():
        if broad.path == folder:
            return broad.what
    if facts is None or not facts.confidence.warns:
        return None
    for ships in facts.ships:
        if ships.path == folder:
            return ships.what
    for use in run.uses:
        for hides in use.tool.hides:
            shipped = facts.id in hides.images
            if (hides.images and not shipped) or (hides.made_by and not _is_made(run, use, hides)):
                continue
            # What an image has lies where the image says, wherever the file moves the variable.
            if _path(run, hides.path, facts.env if shipped else {}) == folder:
                return hides.what
    return None


def _is_made(run: Run, use: ToolUse, hides: Hides) -> bool:
    """Tell whether an earlier RUN has put it there, into the layer."""
    return any(
        other.tool is use.tool and other.makes(hides)
        for earlier in run.earlier()
        if mount_over(earlier, _path(earlier, hides.path, {}) or "/") is None
        for other in earlier.uses
    )


def _path(run: Run, template: str, own: Mapping[str, str | None]) -> str | None:
    def lookup(name: str) -> str | None:
        if name in own:
            return own[name]
        value = run.scope.shell_variable(name)
        if value is None and name in run.scope.variables:
            raise UnknownValueError(name)
        return value

    try:
        return expand_template(template, lookup)
    except UnknownValueError:
        return None


def _fixes(run: Run, mount: Mount, ctx: Context) -> Iterator[Fix]:
    folder = (mount.directory or "").rstrip("/")
    paths = [item.path for item in wanted(run) if item.path.startswith(f"{folder}/")]
    paths = [path for path in dict.fromkeys(paths) if is_mountable(path)]
    # One id for several directories would trade this for CK103.
    if paths and not (len(paths) > 1 and (mount.id or "target" not in mount.options)):
        edits = partial(_narrowed, ctx.document, mount, paths)
        yield ctx.fix(f"Mount {' and '.join(paths)}", edits, preferred=True)


def _narrowed(dockerfile: Dockerfile, mount: Mount, paths: list[str]) -> Iterator[Edit]:
    yield set_option(mount, "target", paths[0])
    if len(paths) > 1:
        yield spread(dockerfile, mount, paths[1:])
