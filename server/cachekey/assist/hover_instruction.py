"""What a hover says of the instructions that decide about caches: FROM, USER, ENV, ARG, WORKDIR."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from cachekey.buildkit.mounts import Mount
from cachekey.buildkit.scope import Scope, Variable
from cachekey.devcontainer.caches import claim_of_variable
from cachekey.dockerfile.records import Dockerfile, Run, Stage, Step
from cachekey.knowledge import Knowledge
from cachekey.knowledge.image_records import Image
from cachekey.knowledge.records import Confidence
from cachekey.markup.rich import Rich, joined, rich
from cachekey.syntax.dockerfile.namevalue import arg_pairs, env_pairs
from cachekey.syntax.dockerfile.parse import Instruction
from cachekey.text import Mapped, Span
from cachekey.workspace.project import Project

_MANY = 5
_MOST_VARIABLES = 6

Found = tuple[Span, tuple[Rich, ...]]
_Link = Callable[[str, int], Rich]

_FOUNDED = {
    Confidence.VERIFIED: "seen in it",
    Confidence.DOCUMENTED: "read in its documentation",
    Confidence.REMEMBERED: "from memory, so that no warning rests on it",
}
"""How what is known of an image was found out."""


def hover_instruction(
    project: Project, document: Dockerfile, offset: int, link: _Link
) -> Found | None:
    """Explain what stands at ``offset``, outside of every RUN; None where it decides nothing.

    The span is in offsets of the document; the first line is a heading.
    """
    for stage in document.stages:
        if stage.instruction.span.contains(offset) and not stage.instruction.implied:
            return stage.instruction.span, tuple(_from(stage, project.knowledge))
        for number, step in enumerate(stage.steps):
            if not step.instruction.span.contains(offset):
                continue
            own = stage.steps[number + 1 :]
            behind = own[0].scope if own else stage.end
            rest = [*own, *_built_on(document, stage)]
            about = _About(project, document, stage, rest, behind, link)
            return about.explain(step.instruction, offset)
    return _global_arg(project, document, offset, link)


def _built_on(document: Dockerfile, stage: Stage) -> Iterator[Step]:
    """Yield the steps of the stages that are built on one: what it leaves in force counts there."""
    for other in document.stages:
        if other is not stage and other.descends_from(stage):
            yield from other.steps


# -- FROM -----------------------------------------------------------------------------------------


def _from(stage: Stage, knowledge: Knowledge) -> Iterator[Rich]:
    name = stage.base.reference.text
    scope = stage.steps[0].scope if stage.steps else stage.end
    if stage.parent is not None:
        yield rich("**Stage {}**, built on stage {}", stage.label, stage.parent.label)
    else:
        yield rich("**Stage {}**, from `{}`", stage.label, name)
    yield rich("Runs as {}", _who(scope))
    if stage.parent is not None or stage.base.is_scratch:
        return
    facts = stage.base.facts
    if facts is None:
        yield rich("Not an image that Cachekey knows: describe it in the setting `images`")
        return
    shell = " ".join(scope.shell) if scope.shell else "/bin/sh -c"
    yield rich("Commands run by `{}`; family {}", shell, facts.family or "not known")
    sets = list(_sets(facts, knowledge))
    if sets:
        yield rich("Sets {}", joined(", ", sets))
    yield rich("Known of this image since {} ({})", facts.date, _FOUNDED[facts.confidence])


def _sets(facts: Image, knowledge: Knowledge) -> Iterator[Rich]:
    """Name the variables of an image that decide where a tool caches."""
    shown = 0
    for name, value in sorted(facts.env.items()):
        found = claim_of_variable(knowledge, name)
        if found is None or shown == _MOST_VARIABLES:
            continue
        shown += 1
        text = rich("`{}={}`", name, value) if value is not None else rich("`{}`", name)
        yield rich("{} for {}", text, found[0].tool.name)


def _who(scope: Scope) -> Rich:
    user = scope.user
    if user.account is None:
        return rich("a user that is not known here")
    home = rich(", home `{}`", scope.home) if scope.home else rich(", home not known")
    return rich("`{}`{}", user.label, home)


# -- what follows a FROM --------------------------------------------------------------------------


class _About:
    """One instruction of a stage, with what comes behind it."""

    def __init__(
        self,
        project: Project,
        document: Dockerfile,
        stage: Stage,
        rest: Sequence[Step],
        behind: Scope,
        link: _Link,
    ) -> None:
        self.project, self.document, self.stage = project, document, stage
        self.behind, self.link = behind, link
        self.rest = rest

    def explain(self, instruction: Instruction, offset: int) -> Found | None:
        """Explain the instruction, or the variable of it that stands at ``offset``."""
        keyword = instruction.keyword
        if keyword == "USER":
            return instruction.span, tuple(self._user(instruction))
        if keyword == "WORKDIR":
            return instruction.span, tuple(self._workdir())
        if keyword not in ("ENV", "ARG"):
            return None
        pair = _pair_at(instruction, self.document, offset)
        if pair is None:
            return None
        name, where = pair
        lines = tuple(self._variable(name, self.behind.variables.get(name)))
        return (where, lines) if len(lines) > 1 else None

    def _user(self, instruction: Instruction) -> Iterator[Rich]:
        user = self.behind.user
        yield rich("**User** {}, from here to the next USER", _who(self.behind))
        if user.account is not None and user.account.span is not None:
            line = self.document.source.line_of(user.account.span.start)
            yield rich("Made on {}", self.link(self.document.path, line))
        if user.is_root is False:
            number = f"uid={user.uid}" if user.uid is not None else "uid=…"
            yield rich("A new cache is root's: a mount for this user needs `{}`", number)
        mounts = [
            (step.run, mount)
            for step in self.rest
            if step.run is not None and step.run.scope.user.span == user.span
            for mount in step.run.caches
        ]
        yield from self._places("Mounts of this user", mounts)

    def _workdir(self) -> Iterator[Rich]:
        workdir = self.behind.workdir
        where = workdir.text if workdir is not None and workdir.known else None
        yield (
            rich("**Working directory** `{}`", where)
            if where
            else rich("**Working directory**, not known here")
        )
        mounts = [
            (step.run, mount)
            for step in self.rest
            if step.run is not None and step.run.scope.workdir == workdir
            for mount in step.run.caches
            if not mount.target.text.startswith("/")
        ]
        for _, mount in mounts[:_MANY]:
            line = self.document.source.line_of(mount.span.start)
            yield rich(
                "{}: the target `{}` is mounted on `{}`; the key is the bare text",
                self.link(self.document.path, line),
                mount.target.text,
                mount.directory or "?",
            )
        if not mounts:
            yield rich("No mount below has a target that starts here")

    def _variable(self, name: str, variable: Variable | None) -> Iterator[Rich]:
        value = variable.value.text if variable is not None and variable.value.known else None
        said = rich(" = `{}`", value) if value is not None else rich(", decided by the build")
        yield rich("**{}**{}", name, said)
        found = claim_of_variable(self.project.knowledge, name)
        if found is not None:
            claim, below = found
            what = claim.cache.what or claim.cache.role
            place = f"{value}/{below}".rstrip("/.") if value and below not in ("", ".") else value
            where = rich(" to `{}`", place) if place else Rich()
            yield rich("Moves the cache of {} ({}){}", claim.tool.name, what, where)
        mounts = [
            (step.run, mount)
            for step in self.rest
            if step.run is not None
            for mount in step.run.caches
            if name in mount.used and mount.scope.variables.get(name) is variable
        ]
        yield from self._places("In the key or target of", mounts)

    def _places(self, what: str, mounts: Sequence[tuple[Run, Mount]]) -> Iterator[Rich]:
        if not mounts:
            return
        source, path = self.document.source, self.document.path
        shown = [
            rich("{} `{}`", self.link(path, source.line_of(mount.span.start)), mount.key.label)
            for _, mount in mounts[:_MANY]
            if mount.key is not None
        ]
        more = rich(" and {} more", str(len(mounts) - _MANY)) if len(mounts) > _MANY else Rich()
        yield rich("{}: {}{}", what, joined(", ", shown), more)


def _pair_at(
    instruction: Instruction, document: Dockerfile, offset: int
) -> tuple[str, Span] | None:
    """Return the name of the variable whose pair stands at an offset, and where the pair stands."""
    text, escape = instruction.args, document.tree.escape
    pairs: Iterable[tuple[Mapped, Mapped | None]] = (
        env_pairs(text, escape) if instruction.keyword == "ENV" else arg_pairs(text, escape)
    )
    for name, value in pairs:
        start, end = name.span().start, (value or name).span().end
        if start <= offset < end:
            return name.text, Span(start, end)
    return None


def _global_arg(project: Project, document: Dockerfile, offset: int, link: _Link) -> Found | None:
    """Explain an ARG in front of the first FROM."""
    for instruction in document.tree.instructions:
        if instruction.keyword == "FROM":
            return None
        if instruction.keyword != "ARG" or not instruction.span.contains(offset):
            continue
        pair = _pair_at(instruction, document, offset)
        if pair is None:
            return None
        name, where = pair
        spelled = (f"${name}", f"${{{name}")
        source = document.source
        places = [
            link(document.path, source.line_of(stage.instruction.span.start))
            for stage in document.stages
            if any(text in source.slice(stage.base.span) for text in spelled)
        ]
        head = rich("**{}**, in front of every stage", name)
        lines = [rich("A stage sees it only after an `ARG {}` of its own", name)]
        if places:
            lines.insert(0, rich("Decides the image of {}", joined(", ", places[:_MANY])))
        return where, (head, *lines)
    return None
