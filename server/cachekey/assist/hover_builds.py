"""What a hover says of the builds of a Dockerfile: who makes which key, who passes an argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import PLATFORM_ARGS
from cachekey.builds.invocation import Invocation, Said
from cachekey.dockerfile.records import Dockerfile, Stage
from cachekey.markup.rich import Rich, joined, rich
from cachekey.syntax.dockerfile.namevalue import arg_pairs
from cachekey.text import Source, Span
from cachekey.workspace.carried import carrier, may_carry
from cachekey.workspace.keyed import BY_CLIENT, BuildKey, Built
from cachekey.workspace.project import Project

Link = Callable[[str, int], Rich]
_MANY = 2
_MOST = 5


def build_lines(project: Project, document: Dockerfile, mount: Mount, link: Link) -> Iterator[Rich]:
    """Tell, in parts of one line, which builds come to a mount, with which key, and what stays of it.

    Builds that all come to it, and pass nothing that decides, have nothing to say of it.
    """
    builds = project.built(document)
    coming = [(built, one) for built in builds for one in built.keys.get(mount.span.start, ())]
    others = [built for built in builds if built.told and mount.span.start not in built.keys]
    if not others and not any(_decides(project, mount, *each) for each in coming):
        return
    for number, (built, one) in enumerate(coming[:_MANY]):
        fate = _fate(project, built, one, link)
        key = rich(" as `{}`", str(one.key)) if str(one.key) != str(mount.key) else Rich()
        by = rich("by") if number else rich("Built by")
        yield rich("{} {}{}{}{}", by, _who(built.build, link), _why(built, one), key, fate)
    if len(coming) > _MANY:
        more = len(coming) - _MANY
        yield rich("{} more build{}", str(more), "s" if more > 1 else "")
    identities = {one.key.identity for _, one in coming}
    if len(identities) > 1 and len({one.platforms for _, one in coming}) < len(identities):
        yield rich("separate caches, by what they pass")
    if others:
        shown = joined(", ", [_who(built.build, link) for built in others[:_MANY]])
        reached = rich("not reached") if coming else rich("Not reached")
        yield rich("{} by {}: the target does not need this stage", reached, shown)


def _decides(project: Project, mount: Mount, built: Built, one: BuildKey) -> bool:
    """Tell whether a build makes something of a cache that the file alone does not say."""
    apart = bool(built.args or one.platforms) or str(one.key) != str(mount.key)
    return apart or (built.build.runner == "fresh" and not may_carry(project, built.build))


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


def stage_line(project: Project, document: Dockerfile, stage: Stage, link: Link) -> Rich | None:
    """Name the builds whose target a stage is; None where nobody is known to build it."""
    last = stage is document.stages[-1]
    names = {(stage.name or "").lower(), str(stage.index)}
    found = []
    for build in project.index.builds(document.path):
        target = build.target
        if "target" in build.open or (target is not None and target.text is None):
            continue
        wanted = target.text.lower() if target is not None and target.text else ""
        if wanted in names if wanted else last:
            found.append(_who(build, link))
    more = rich(" and {} more", str(len(found) - _MANY)) if len(found) > _MANY else Rich()
    return rich("Built by {}{}", joined(", ", found[:_MANY]), more) if found else None


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
        for name, default in arg_pairs(instruction.args, document.tree.escape):
            pair = Span(name.span().start, (default or name).span().end)
            if pair.contains(offset):
                lines = tuple(_passed(project, document, name.text, link))
                return (pair, lines) if len(lines) > 1 else None
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
        more = len(passing) - _MANY
        yield (
            rich("One more build passes it")
            if more == 1
            else rich("{} more builds pass it", str(more))
        )
    rest = [build for build in builds if name not in build.passed and "args" not in build.open]
    # What BuildKit sets for each platform nobody has to pass.
    if rest and name not in PLATFORM_ARGS:
        shown = joined(", ", [_who(build, link) for build in rest[:_MANY]])
        yield rich("Not passed by {}", shown)


# -- in the files that build ---------------------------------------------------------------------


def passed_lines(
    project: Project, path: str, offset: int, link: Link
) -> tuple[Span, tuple[Rich, ...]] | None:
    """Tell what an argument decides that a file passes to its builds at a place."""
    found = list(passing_at(project, path, offset))
    if not found:
        return None
    _, name, said, pair = found[0]
    value = rich(", decided when the build starts")
    if said.text is not None:
        value = rich(" = `{}`", said.text)
    if said.open:
        value = rich("{}, unless `{}` says otherwise", value, ", ".join(sorted(said.open)))
    lines = [rich("**Argument `{}`**{}", name, value)]
    for build in dict.fromkeys(build for build, *_ in found[:_MANY]):
        document = project.model(build.dockerfile or "")
        if isinstance(document, Dockerfile):
            lines += _decided(project, document, build, name, link)
    return (pair, tuple(dict.fromkeys(lines))) if len(lines) > 1 else None


def passing_at(
    project: Project, path: str, offset: int
) -> Iterator[tuple[Invocation, str, Said, Span]]:
    """Yield the builds of a file that are passed the argument at a place: name, value, place of both."""
    summary, document = project.index.get(path), project.documents.get(path)
    if summary is None or document is None:
        return
    for build in summary.builds:
        for name, said in build.args:
            # What another file says is told to stand where the build does.
            own = not build.values_in and said.span != build.span
            if own and build.dockerfile is not None:
                pair = _pair(document.source, name, said.span)
                if pair.contains(offset):
                    yield build, name, said, pair


def _pair(source: Source, name: str, value: Span) -> Span:
    """Return the place of a value and of its name, which stands in front of it on its line."""
    line = source.text[source.line_span(source.line_of(value.start)).start : value.start]
    at = line.rfind(name)
    if at >= 0 and not line[at + len(name) :].strip(" \t\"'=:"):
        return Span(value.start - len(line) + at, value.end)
    return value


def declared(document: Dockerfile, name: str) -> list[Span]:
    """Return where a Dockerfile declares an argument."""
    return [
        found.span()
        for instruction in document.tree.instructions
        if instruction.keyword == "ARG"
        for found, _ in arg_pairs(instruction.args, document.tree.escape)
        if found.text == name
    ]


def _decided(
    project: Project, document: Dockerfile, build: Invocation, name: str, link: Link
) -> Iterator[Rich]:
    """Tell which keys an argument decides in a build; that the Dockerfile does not ask for it."""
    path, source = document.path, document.source
    places = declared(document, name)
    if not places:
        if name not in PLATFORM_ARGS and not BY_CLIENT.fullmatch(name):
            yield rich("{} declares no `ARG {}`: nothing there sees it", path, name)
        return
    built = next((one for one in project.built(document) if one.build == build), None)
    keys = [
        rich("{} `{}`", link(path, source.line_of(mount.span.start)), one.key.label)
        for _, mount in document.caches
        if name in mount.used
        for one in (built.keys.get(mount.span.start, ()) if built is not None else ())
    ]
    if keys:
        more = rich(" and {} more", str(len(keys) - _MOST)) if len(keys) > _MOST else Rich()
        yield rich("In the key or target of: {}{}", joined(", ", keys[:_MOST]), more)
    images = [
        link(path, source.line_of(stage.instruction.span.start))
        for stage in document.stages
        if name in stage.base.reference.used
    ]
    if images:
        yield rich("Decides the image of {}", joined(", ", images[:_MOST]))
    if not keys and not images:
        lines = [link(path, source.line_of(span.start)) for span in places[:_MANY]]
        yield rich("Declared on {}; in no key of a cache that is built here", joined(", ", lines))
