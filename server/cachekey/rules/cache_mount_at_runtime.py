"""A cache mount is asked for at run time.

Cache mounts exist only while an image is built, in `RUN --mount=type=cache`. Docker refuses the
type for a container, so that a dev container with it does not start. With Docker Compose it
becomes an anonymous volume instead, empty after every rebuild.

## Bad
```jsonc
{
  "image": "debian:13",
  "mounts": ["type=cache,id=uv-cache,target=/cache/uv"]
}
```

## Good
```jsonc
{
  "image": "debian:13",
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"]
}
```

## Fix
A named volume, which containers keep and share; with the variable and the owner that it needs
where the file shows that. The second choice binds the host's own cache, so that all dev
containers share it. A build's cache and either of these are different stores: nothing moves from
one to the other.

## Source
Docker `opts/mount.go` and the engine's `volume/mounts/parser.go` (`mount type unknown`);
moby/moby#48555 asks for the feature.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cachekey.devcontainer.caches import cache_of
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import sightings
from cachekey.devcontainer.substitution import literal
from cachekey.edits.compose import add, declare
from cachekey.edits.recipe import host_bind, volume
from cachekey.finding import Finding, Fix, Related, Severity
from cachekey.rules.rule import Context, Fixable, rule
from cachekey.syntax.jsonc.dockermount import MountField, volume_name, volume_name_complaint
from cachekey.text import Edit, Span


@rule("CK701", "cache-mount-at-runtime", Severity.ERROR, Fixable.ALWAYS)
def check(document: Devcontainer | ComposeFile, ctx: Context) -> Iterator[Finding]:
    """Report every mount of type cache that a container would get."""
    if isinstance(document, ComposeFile):
        yield from _services(document, ctx)
        return
    for mount in document.effective_mounts:
        field = mount.field("type") if mount.type == "cache" else None
        if field is not None:
            yield _finding(mount, field, ctx)
    if not document.compose:
        return
    for seen in sightings(document, ctx.project):
        # A file that is checked itself is told itself.
        path = seen.mount.path
        if path and seen.mount.type == "cache" and ctx.project.kind(path) is None:
            message = "Only builds have type=cache: with such a mount the service does not start"
            related = [ctx.related(seen.mount.span, "The service's mount", seen.mount.path)]
            yield ctx.finding(seen.span, message, related=related)


def _finding(mount: RuntimeMount, field: MountField, ctx: Context) -> Finding:
    span = field.span if mount.form == "string" else _value_with_quotes(mount, field.value_span)
    if mount.compose:
        message = (
            "Only builds have type=cache: Docker Compose makes a volume without a name of it, "
            "which is empty after every rebuild"
        )
    else:
        message = "Only builds have type=cache: with such a mount the container does not start"
    fixes = partial(_fixes, mount, ctx)
    return ctx.finding(span, message, fixes=fixes, related=list(_builds(mount, ctx)))


def _services(file: ComposeFile, ctx: Context) -> Iterator[Finding]:
    for mount in file.mounts if any(ctx.project.composers(file.path)) else ():
        field = mount.field("type")
        if mount.type == "cache" and field is not None:
            message = "Only builds have type=cache: with such a mount the service does not start"
            fixes = partial(_as_volume, mount, field, file, ctx)
            yield ctx.finding(field.value_span, message, fixes=fixes)


def _as_volume(
    mount: RuntimeMount, field: MountField, file: ComposeFile, ctx: Context
) -> Iterator[Fix]:
    said = mount.source.text if mount.source is not None else None
    valid = said is not None and volume_name_complaint(said) is None
    name = said if said is not None and valid else volume_name(mount.place or "cache")
    node = file.at(mount.span)
    edits = [Edit(field.value_span, "volume")]
    if node is not None and not valid:
        # A path of the host, a variable or nothing at all names no volume.
        written = node.get("source")
        if written is None:
            edits += add(node, "source", name, behind="type")
        else:
            edits.append(Edit(written.span, name))
    declared = any(known == name for known, _, _ in file.section("volumes"))
    declaration = [] if declared else list(declare(file, name))
    if declared or declaration:
        yield ctx.fix(f"Use the volume {name}", *edits, *declaration, preferred=True)


def _value_with_quotes(mount: RuntimeMount, span: Span) -> Span:
    for member in mount.node.members:
        if member.value is not None and member.value.span.covers(span):
            return member.value.span
    return span


def _fixes(mount: RuntimeMount, ctx: Context) -> Iterator[Fix]:
    document: Devcontainer = ctx.document
    cache = cache_of(mount, document, ctx.project.knowledge)
    named = volume(mount, document, ctx.project, ("consistency",), cache)
    yield ctx.fix(
        f"Use a named volume{named.extras}",
        named.write,
        safety=named.safety,
        preferred=True,
        reason=named.reason,
    )
    shared = host_bind(mount, document, ctx.project)
    if shared is not None and cache is not None:
        yield ctx.fix(
            f"Bind the host's {cache.tool} cache from ${{localEnv:{shared.extras}}}",
            shared.write,
            safety=shared.safety,
            reason=shared.reason,
        )


def _builds(mount: RuntimeMount, ctx: Context) -> Iterator[Related]:
    """Point at the build's cache of the same name, which people take for the same store."""
    dockerfile = ctx.project.dockerfile_of(ctx.document)
    name = literal(mount.value("id")) or mount.place
    if dockerfile is None:
        return
    for _, built in dockerfile.caches:
        if built.key is not None and built.key.name.text == name:
            yield ctx.related(
                built.span, "The cache of the build, which is another store", dockerfile.path
            )
            return
