"""What a hover says of the builds of a Dockerfile: who makes which key, who passes an argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cachekey.buildkit.mounts import Mount
from cachekey.builds.invocation import Invocation
from cachekey.dockerfile.records import Dockerfile
from cachekey.markup.rich import Rich, joined, rich
from cachekey.syntax.dockerfile.namevalue import arg_pairs
from cachekey.text import Span
from cachekey.workspace.carried import carrier, may_carry
from cachekey.workspace.keyed import BuildKey, Built
from cachekey.workspace.project import Project

Link = Callable[[str, int], Rich]
_MANY = 2


def build_lines(project: Project, document: Dockerfile, mount: Mount, link: Link) -> Iterator[Rich]:
    """Tell which builds of the workspace come to a mount, with which key, and what stays of it."""
    builds = project.built(document)
    coming = [(built, one) for built in builds for one in built.keys.get(mount.span.start, ())]
    for built, one in coming[:_MANY]:
        fate = _fate(project, built, one, link)
        key = rich(" as `{}`", str(one.key)) if str(one.key) != str(mount.key) else Rich()
        yield rich("Built by {}{}{}{}", _who(built.build, link), _why(built, one), key, fate)
    if len(coming) > _MANY:
        more = len(coming) - _MANY
        yield rich("{} more build{}", str(more), "s" if more > 1 else "")
    identities = {one.key.identity for _, one in coming}
    if len(identities) > 1 and len({one.platforms for _, one in coming}) < len(identities):
        yield rich("these builds do not share it: what they pass makes separate caches")
    others = [built for built in builds if built.told and mount.span.start not in built.keys]
    if others:
        shown = joined(", ", [_who(built.build, link) for built in others[:_MANY]])
        yield rich("Not reached by {}: the target does not need this stage", shown)


def _fate(project: Project, built: Built, one: BuildKey, link: Link) -> Rich:
    """Tell what becomes of the cache when a fresh runner has ended."""
    if built.build.runner != "fresh":
        return Rich()
    dance = carrier(project, built.build, one.key)
    if dance is not None:
        return rich(", carried over its runs by {}", link(dance.path, dance.where.line))
    if may_carry(project, built.build):
        return Rich()
    stays = rich(", which `cache-to` does not change") if built.build.cache_to else Rich()
    return rich(": empty in every run ({}){}", built.build.runs_on, stays)


def _who(build: Invocation, link: Link) -> Rich:
    place = link(build.path, build.where.line)
    return rich("{} `{}`", place, build.name) if build.name else place


def _why(built: Built, one: BuildKey) -> Rich:
    said = [
        rich("`{}` is not known", name) if text is None else rich("`{}`", f"{name}={text}")
        for name, text in built.args
    ]
    said += [rich("`{}`", platform) for platform in one.platforms]
    return rich(" ({})", joined(", ", said)) if said else Rich()


def argument_lines(
    project: Project, document: Dockerfile, offset: int, link: Link
) -> tuple[Span, tuple[Rich, ...]] | None:
    """Tell who passes the argument that is declared at a place."""
    for instruction in document.tree.instructions:
        if instruction.keyword != "ARG" or not instruction.span.contains(offset):
            continue
        for name, _ in arg_pairs(instruction.args, document.tree.escape):
            if name.span().contains(offset):
                lines = tuple(_passed(project, document, name.text, link))
                return (name.span(), lines) if lines else None
    return None


def _passed(project: Project, document: Dockerfile, name: str, link: Link) -> Iterator[Rich]:
    builds = list(project.index.builds(document.path))
    passing = [build for build in builds if name in build.passed]
    if not builds:
        return
    yield rich("**Argument `{}`**", name)
    if name in project.settings.build_args:
        text = project.settings.build_args[name]
        yield rich("The setting `build-args` says `{}`: that counts here", text)
    for build in passing[:_MANY]:
        said = dict(build.args)[name]
        value = rich("a value that nobody knows before it runs")
        if said.text is not None:
            value = rich("`{}`", said.text)
        if said.open:
            value = rich("{} unless `{}` says otherwise", value, ", ".join(sorted(said.open)))
        yield rich("{} passes {}", _who(build, link), value)
    if len(passing) > _MANY:
        yield rich("{} more builds pass it", str(len(passing) - _MANY))
    rest = [build for build in builds if name not in build.passed and "args" not in build.open]
    if rest:
        shown = joined(", ", [_who(build, link) for build in rest[:_MANY]])
        yield rich("Not passed by {}", shown)
