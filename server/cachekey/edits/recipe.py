"""Whole recipes for a dev container's cache: mount, variable and ownership together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cachekey.devcontainer.caches import RuntimeCache, cache_of, told
from cachekey.devcontainer.container import Container
from cachekey.devcontainer.inuse import project_tools, tools_in_use
from cachekey.devcontainer.judge import lies, misplaced, untold
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.ownership import reachable, unwritable_at
from cachekey.devcontainer.paths import covers
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.edits import devcontainer as edit
from cachekey.edits.ownership import Plan, open_way, plan, settle, writes
from cachekey.finding import FileEdit, Safety
from cachekey.knowledge import Claim
from cachekey.knowledge.installers import installers
from cachekey.knowledge.paths import UnknownValueError, expand_template
from cachekey.knowledge.records import Concurrency, Kind
from cachekey.record import record, replace
from cachekey.syntax.jsonc.parse import escape
from cachekey.text import Edit, Span

if TYPE_CHECKING:
    from cachekey.workspace.project import Project


@record(frozen=True)
class Recipe:
    """A complete change and what is to be said about it."""

    write: Callable[[], Iterable[Edit | FileEdit]]
    """Makes the edits, when they are asked for."""
    safety: Safety
    reason: str = ""
    extras: str = ""
    """What it does besides the mount, to be put behind a title."""


def own(container: Container, place: str, filled: bool = True) -> tuple[Recipe, str]:
    """Give a fresh volume, ``filled`` from the image or not, to the user; also tell where that is done."""
    made = plan(container, [place], filled)
    return Recipe(
        partial(writes, container.document, (), made), Safety.UNSAFE, made.reason
    ), made.where


def volume(
    mount: RuntimeMount,
    document: Devcontainer,
    project: Project,
    drop: Iterable[str] = (),
    cache: RuntimeCache | None = None,
    renamed: bool = False,
) -> Recipe:
    """Turn a mount into a named volume that its tool knows of and its user may write to.

    ``renamed`` drops the present source for the name that the tool's cache has.
    """
    sure = cache is not None and (renamed or cache.grade == "variable")
    suggestion = cache.cache.id if cache is not None and sure else ""
    name = suggestion if renamed and suggestion else edit.name_for(mount, suggestion)
    write = partial(edit.convert, document, mount, "volume", name, drop)
    place = mount.place
    if place is None:
        return Recipe(write, Safety.SAFE)
    container = container_of(document, project)
    field, elsewhere = mount.field("target"), misplaced(mount, container)
    better = elsewhere[1] if elsewhere is not None else reachable(place, container)
    if field is not None and better != place and not mount.path:
        # A volume where the tool does not look, or its user may not, would be the next mistake.
        place = better
        retarget = Edit(field.value_span, escape(place))
        return completed(
            container, partial(_with, write, retarget), place, (), f"mount it on {place}"
        )
    missing = untold(mount, container)
    pins = missing.cache.pins if missing is not None else ()
    recipe = completed(container, write, place, pins)
    if missing is not None and not recipe.reason:
        reason = f"that the mount is meant for {missing.tool} is told by its name only"
        recipe = replace(recipe, safety=Safety.UNSAFE, reason=reason)
    return recipe


def _with(write: Callable[[], Iterable[Edit]], more: Edit) -> Iterable[Edit]:
    return (*write(), more)


def completed(
    container: Container,
    write: Callable[[], Iterable[Edit]],
    place: str,
    pins: tuple[str, ...],
    besides: str = "",
) -> Recipe:
    """Add to the edits of a new volume on ``place`` the variables and the owner that it needs.

    ``besides`` is what the edits do that the title does not say.
    """
    document = container.document
    steps: list[edit.Step] = []
    extras = [besides] if besides else []
    if pins:
        steps += [partial(_set, pin, place) for pin in pins]
        extras.append(f"set {pins[0]}")
    path = container.path(place)
    judged = unwritable_at(path, container) if path is not None else None
    made = plan(container, [place]) if judged is not None and judged.certain else None
    if made is not None and judged is not None:
        steps += made.steps
        extras.append(f"give the volume to {judged.user}")

    def whole() -> Iterator[Edit | FileEdit]:
        yield from edit.together(document, write(), *steps) if steps else write()
        yield from made.others if made is not None else ()

    shown = "".join(f", {text}" for text in extras[:-1]) + "".join(
        f"{',' if extras[1:] else ''} and {text}" for text in extras[-1:]
    )
    if made is None:
        return Recipe(whole, Safety.SAFE, "", shown)
    return Recipe(whole, Safety.UNSAFE, made.reason, shown)


def _set(name: str, value: str, document: Devcontainer) -> tuple[Edit, ...]:
    return edit.set_variable(document, name, value)


def host_bind(mount: RuntimeMount, document: Devcontainer, project: Project) -> Recipe | None:
    """Bind the host's cache instead, whose place the tool's own variable tells on the host."""
    cache = cache_of(mount, document, project.knowledge)
    if cache is None or not cache.cache.pin or mount.place is None or cache.cache.own_paths:
        return None
    pin, field = cache.cache.pin, mount.field("target")
    place = reachable(mount.place, container_of(document, project))

    def write() -> Iterator[Edit]:
        yield from edit.convert(document, mount, "bind", f"${{localEnv:{pin}}}")
        if place != mount.place and field is not None:
            yield Edit(field.value_span, escape(place))
        if not any(entry.name == pin for entry in document.container_env):
            yield from edit.set_variable(document, pin, place)

    return Recipe(write, Safety.UNSAFE, _host_reason(pin), pin)


def _host_reason(pin: str) -> str:
    return f"{pin} must be set on the host, to a directory that exists there"


def new_volume(claim: Claim, place: str, document: Devcontainer, project: Project) -> Recipe:
    """Add a named volume for a tool whose variable names ``place``."""
    text = f"type=volume,source={claim.cache.id},{edit.csv_field(f'target={place}')}"
    write = partial(edit.add_mount, document, text)
    return completed(container_of(document, project), write, place, ())


def narrowed(mount: RuntimeMount, container: Container) -> tuple[str, Recipe] | None:
    """Mount only the cache that lies in the directory of a mount; None where no tool has one there."""
    around, field = container.place(mount), mount.field("target")
    if around is None or field is None or mount.path or mount.form not in ("string", "object"):
        return None
    for claim in (*container.knowledge.claims(around), *tools_in_use(container)):
        place = lies(claim, container) if claim.cache.kind is Kind.DOWNLOAD else None
        if place is not None and place != around and covers(around, place):
            written = f"{mount.place}{place[len(around) :]}"
            return written, _retargeted(field.value_span, container, written)
    return None


def moved(mount: RuntimeMount, container: Container, place: str) -> Recipe | None:
    """Mount a cache where its tool keeps it; None where the mount is written in another file."""
    field = mount.field("target")
    if field is None or mount.path or mount.form not in ("string", "object"):
        return None
    if mount.form == "string" and edit.csv_field(place) != place:
        return None
    return _retargeted(field.value_span, container, place)


def _retargeted(span: Span, container: Container, place: str) -> Recipe:
    edit_target = Edit(span, escape(place))
    return completed(container, partial(_one, edit_target), place, ())


def _one(edit_target: Edit) -> tuple[Edit, ...]:
    return (edit_target,)


# -- what a container lacks ------------------------------------------------------------------------


@record(frozen=True)
class _Missing:
    """A cache that has no mount yet."""

    claim: Claim
    place: str
    pins: tuple[str, ...]
    """Variables that must name ``place``; none when the tool goes there anyway."""

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """Return what containerEnv needs: the place, and that the tool shall copy out of it."""
        mode = self.claim.tool.link_mode
        linked = mode is not None and mode.commands and self.claim.cache.role in mode.caches
        copying = ((mode.env, mode.value),) if mode is not None and mode.env and linked else ()
        return (*((pin, self.place) for pin in self.pins), *copying)


def offers(document: Devcontainer, project: Project) -> Iterator[tuple[str, Recipe]]:
    """Yield, with a title, what keeps the caches of the tools in use that have no mount yet.

    First all that the project's lock files and commands call for, in one; then for each tool that
    the file, its features or its Dockerfile name, a volume and the host's cache.
    """
    if document.feature or document.problem is not None:
        return
    container = container_of(document, project)
    wanted = list(_missing(container, project_tools(container)))
    if len(wanted) > 1:
        names = ", ".join(dict.fromkeys(item.claim.tool.name for item in wanted))
        yield f"Mount the caches that this project needs: {names}", _volumes(container, wanted)
    single = list(_missing(container, tools_in_use(container)))
    of_tool = Counter(item.claim.tool.name for item in single)
    for item in single:
        tool = item.claim.tool.name
        which = f": {item.claim.cache.what}" if of_tool[tool] > 1 else ""
        yield f"Share the {tool} cache by a volume{which}", _volumes(container, [item])
        below = _below_home(item.claim)
        if below is not None and not item.claim.cache.own_paths:
            # A cache beside the project on a host that nobody told is none to share.
            yield f"Share the {tool} cache with the host{which}", _host(container, item, below)


def _missing(container: Container, claims: Iterable[Claim]) -> Iterator[_Missing]:
    document, knowledge = container.document, container.knowledge
    taken = {claim.cache.id for _, claim, _ in told(document, knowledge)}
    for mount in container.mounts:
        cache = cache_of(mount, document, knowledge)
        taken |= {cache.cache.id} if cache is not None else set()
    for claim in claims:
        name = claim.cache.id
        if claim.cache.kind is not Kind.DOWNLOAD or not name or name in taken:
            continue
        if claim.cache.only_told:
            # Nobody has asked the tool to keep it at all.
            continue
        if (not claim.cache.pins and not _suggested(claim)) or _of_system(claim):
            continue
        place = _place(claim, container)
        if place is not None:
            taken.add(name)
            yield _Missing(claim, place, claim.cache.pins)


def _of_system(claim: Claim) -> bool:
    """Tell whether it is a system's package manager: its place is root's, and images make it clean up."""
    names = {name for command in claim.tool.commands for name in command.names}
    return not names.isdisjoint(installers().packagers)


def _suggested(claim: Claim) -> bool:
    roles = {mount for item in claim.tool.suggest for mount in item.mounts}
    return claim.cache.role in roles


def _place(claim: Claim, container: Container) -> str | None:
    """Return where the cache of a tool shall lie: where it can be told to, else where it is."""
    if claim.cache.pins:
        return f"/cache/{claim.cache.id.removesuffix('-cache')}"
    return lies(claim, container)


def _volumes(container: Container, wanted: Sequence[_Missing]) -> Recipe:
    document = container.document
    steps: list[edit.Step] = []
    for item in wanted:
        steps += [partial(_set, name, value) for name, value in item.variables]
        text = f"type=volume,source={item.claim.cache.id},target={item.place}"
        # Compose puts the project's name in front of a volume, unless it is somebody else's.
        steps.append(partial(_mount, f"{text},external=true" if document.compose else text))
    made, missing = settle(container, [item.place for item in wanted])
    steps += made.steps if made is not None else ()
    reasons = [made.reason if made is not None else "", missing]
    if document.compose:
        names = " && ".join(f"docker volume create {item.claim.cache.id}" for item in wanted)
        steps.append(lambda now: edit.run_on_host_first(now, names))
        reasons.append("it runs docker on the host, before the container is made")
    reasons += _crowded(wanted, "in two containers at once")
    return _recipe(container, steps, made, reasons)


def _recipe(
    container: Container, steps: Sequence[edit.Step], made: Plan | None, reasons: Sequence[str]
) -> Recipe:
    def write() -> Iterator[Edit | FileEdit]:
        yield from edit.together(container.document, (), *steps)
        yield from made.others if made is not None else ()

    reason = "; ".join(filter(None, reasons))
    return Recipe(write, Safety.UNSAFE if reason else Safety.SAFE, reason)


def _crowded(wanted: Iterable[_Missing], where: str) -> list[str]:
    """Say which tools damage a cache, or fail, when two use it at the same time."""
    tools = dict.fromkeys(
        item.claim.tool.name
        for item in wanted
        if item.claim.cache.concurrent in (Concurrency.CORRUPTS, Concurrency.FAILS)
    )
    return [f"{' and '.join(tools)} must not use it {where}"] if tools else []


def _host(container: Container, item: _Missing, below: str) -> Recipe:
    place = item.place
    steps: list[edit.Step] = [partial(_set, name, value) for name, value in item.variables]
    source = f"${{localEnv:HOME}}${{localEnv:USERPROFILE}}/{below}"
    reasons = ["it runs mkdir -p on the host, which Windows does not have"]
    steps.append(lambda now: edit.run_on_host_first(now, f"mkdir -p {source}"))
    steps.append(partial(_mount, f"type=bind,source={source},target={place}"))
    made = open_way(container, place)
    if made is not None:
        steps += made.steps
        reasons.append(made.reason)
    if container.user is not None and container.user.root:
        reasons.append("on Linux what root writes there is root's on the host, too")
    reasons += _crowded([item], "on the host at the same time")
    return _recipe(container, steps, made, reasons)


def _below_home(claim: Claim) -> str | None:
    """Return what a host where nobody has told a tool has for the tool's variable, below the home.

    Yarn 1 makes a ``v6`` in the directory that its variable names.
    """
    try:
        path = expand_template(claim.cache.path, lambda name: "~" if name == "HOME" else None)
    except UnknownValueError:
        return None
    for way in claim.cache.moved_by:
        if way.env in claim.cache.pins and way.below:
            path = path.removesuffix(f"/{way.below}")
    return path[2:] if path.startswith("~/") else None


def _mount(text: str, document: Devcontainer) -> tuple[Edit, ...]:
    return edit.add_mount(document, text)
