"""A relative target without `id` is its own key, in every project of the builder.

`WORKDIR` decides where a relative target is mounted, and nothing else: the key is the text as it
stands. `target=target` is one cache for all projects that write it, and a missing target is the
key `.`.

## Bad
```dockerfile
FROM node:22
WORKDIR /app
RUN --mount=type=cache,target=.npm npm ci --cache .npm
```

## Good
```dockerfile
FROM node:22
WORKDIR /app
RUN --mount=type=cache,id=project-npm,target=.npm npm ci --cache .npm
```

## Fix
An `id` that names the project; or the absolute path, where it is known and nothing but downloads
lie there.

Silent with an `id`, and where a variable decides the target.

## Source
BuildKit `dockerfile2llb/convert_runmount.go`: the id is `path.Clean(target)` before WORKDIR is
joined.
"""

from __future__ import annotations

import posixpath
from collections.abc import Hashable, Iterator
from functools import partial

from cachekey.buildkit.mounts import Mount
from cachekey.dockerfile.coverage import wanted
from cachekey.dockerfile.place import Place
from cachekey.dockerfile.purpose import purpose_of
from cachekey.dockerfile.records import Dockerfile, Run
from cachekey.edits.caches import reach_of, rename, wish_for
from cachekey.edits.mount import is_mountable, is_plain, set_option
from cachekey.edits.toolmount import clashes
from cachekey.finding import TOO, Finding, Fix, Safety, Severity
from cachekey.knowledge.records import Kind
from cachekey.rules.rule import Context, Fixable, rule


@rule("CK107", "relative-target-key", Severity.WARNING, Fixable.ALWAYS)
def check(dockerfile: Dockerfile, ctx: Context) -> Iterator[Finding]:
    """Report caches whose key is a relative path: once for each, at its first mount."""
    found: dict[Hashable, list[tuple[Run, Mount]]] = {}
    for run, mount in dockerfile.caches:
        if mount.key is not None and _is_relative(mount):
            # Where the target is missing, each RUN may want another one.
            which = mount.key.identity if mount.target.text else mount.span
            found.setdefault(which, []).append((run, mount))
    for (run, mount), *more in found.values():
        name = mount.key.name.text if mount.key is not None else ""
        if mount.target.text:
            why = f'The target "{mount.target.text}" is relative, and WORKDIR does not count'
        else:
            why = (
                "Without target and id this mounts the working directory, whose name does not count"
            )
        yield ctx.finding(
            mount.target_span,
            f'{why}: the key is "{name}", and every project on this builder that writes the same '
            "shares this cache",
            related=[ctx.related(other.target_span, TOO) for _, other in more],
            fixes=partial(_fixes, run, mount, ctx),
        )


def _is_relative(mount: Mount) -> bool:
    target = mount.target
    if mount.key is None or mount.key.name_from == "id" or not target.known or target.used:
        return False
    return not (target.text.startswith(("/", "~", "$")) or _is_windows(target.text))


def _fixes(run: Run, mount: Mount, ctx: Context) -> Iterator[Fix]:
    added = [] if mount.target.text else list(_add_target(run, mount, ctx))
    if added:
        yield from added
        return
    reach = reach_of(mount, folder=posixpath.dirname(ctx.path))
    yield ctx.naming(
        "Name it after this project: add id={id} to {places}",
        wish_for(mount, ctx.path),
        partial(rename, ctx.project, reach),
        reach,
        apart=True,
    )
    movable = is_plain(mount.directory or "") and "target" in mount.options
    if mount.directory and movable and _only_downloads(run, mount):
        edit = partial(set_option, mount, "target", mount.directory)
        yield ctx.fix(f"Write the absolute path {mount.directory}", lambda: [edit()])


def _add_target(run: Run, mount: Mount, ctx: Context) -> Iterator[Fix]:
    """Offer the directory of the RUN's tool, where there is one without a mount."""
    taken = {other.directory for other in run.caches}
    paths = {item.path for item in wanted(run)} - taken
    path = paths.pop() if len(paths) == 1 else ""
    if is_mountable(path) and "target" not in mount.options:
        edit = set_option(mount, "target", path)
        meets = clashes(Place(ctx.document, run, mount), path)
        yield ctx.fix(
            f"Mount {path}",
            edit,
            preferred=True,
            safety=Safety.UNSAFE if meets else Safety.SAFE,
            reason="another RUN has a cache of this name, with another owner or by another user",
        )


def _is_windows(target: str) -> bool:
    return target[1:2] == ":" or "\\" in target


def _only_downloads(run: Run, mount: Mount) -> bool:
    purpose = purpose_of(run, mount)
    return purpose is not None and purpose.cache.kind is Kind.DOWNLOAD
