"""A Dockerfile as its stages, RUNs and mounts: records only, made by :mod:`cachekey.dockerfile.stages`."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

from cachekey.budget import COMMAND_STEPS
from cachekey.buildkit.mounts import Mount, MountError
from cachekey.buildkit.scope import BaseImage, Scope
from cachekey.commands.read import Commands, Invocation, read_commands
from cachekey.dockerfile.context import ContextFiles, Copied
from cachekey.dockerfile.effects import RunEffects
from cachekey.knowledge import Knowledge
from cachekey.knowledge.images import PLAIN
from cachekey.record import cached_property, record, replace
from cachekey.suggest import nearest
from cachekey.syntax.dockerfile.parse import DockerfileTree, Flag, Instruction
from cachekey.text import Source, Span
from cachekey.tools.environment import ConfigReader
from cachekey.tools.uses import ToolUse, find_tool_uses

RUN_FLAGS = ("mount", "network", "security", "device")
"""Flags that RUN has. Source: BuildKit ``instructions/commands_run*.go``."""

MOST_LAYERS = 500
"""Layers of an image: Linux' overlayfs takes no more (``OVL_MAX_STACK``), Docker 127."""

# A quick look for what may matter to later RUNs: `yarn config set`, `go env -w`, `ln -s`, `cmake -D`,
# `configure CC=`, `corepack prepare`.
_STORES = re.compile(r"\b(?:config|env|ln|cmake|configure|corepack)\b")


def may_store(instruction: Instruction) -> bool:
    """Tell whether a RUN may store a tool's setting for later ones."""
    return instruction.keyword == "RUN" and bool(_STORES.search(instruction.args.text))


@record(frozen=True, eq=False)
class Run:
    """One RUN with what is in force in front of it."""

    instruction: Instruction
    scope: Scope
    mounts: tuple[Mount, ...]
    stage: int
    """Index of the stage it runs in."""
    onbuild: bool
    """Written behind ONBUILD."""
    dormant: bool
    """An ONBUILD that no stage of this file triggers: the build of this file never runs it."""
    knowledge: Knowledge
    config: ConfigReader
    previous: Run | None = None
    """The RUN in front of it, in this stage or in the one it is built on."""
    copied: Copied | None = None
    """The last COPY or ADD from the build context in front of it."""
    share: int = 0
    """Steps that the reading of its commands may take, see :mod:`cachekey.budget`."""
    bound: tuple[tuple[Mount, Copied], ...] = ()
    """Its binds of other stages of the file, each with the last COPY from the build context in that stage."""

    @property
    def span(self) -> Span:
        """Return the span of the whole instruction."""
        return self.instruction.span

    @cached_property
    def text(self) -> str:
        """Return everything that it says to its shell, here-documents included."""
        documents = (heredoc.body.text for heredoc in self.instruction.heredocs)
        return "\n".join((self.instruction.args.text, *documents))

    @cached_property
    def caches(self) -> tuple[Mount, ...]:
        """Return the cache mounts that the builder accepts."""
        return tuple(mount for mount in self.mounts if mount.is_cache)

    @cached_property
    def flag_errors(self) -> tuple[tuple[Flag, MountError], ...]:
        """Return the flags that RUN does not have, each with BuildKit's complaint.

        Source: BuildKit ``instructions/bflag.go``; names are case-sensitive.
        """
        errors = []
        for flag in self.instruction.flags:
            name = flag.name.text
            if name and name not in RUN_FLAGS:
                message = f"unknown flag: --{name}"
                meant = name.lower() if name.lower() in RUN_FLAGS else None
                guess = nearest(name, RUN_FLAGS)
                error = MountError(message, flag.name.span(), guess, "parse", meant)
                errors.append((flag, error))
        return tuple(errors)

    @cached_property
    def commands(self) -> Commands:
        """Return the simple commands of the RUN, as far as they can be read."""
        workdir = self.scope.workdir
        return read_commands(
            self.instruction,
            shell=self.scope.shell,
            lookup=self.scope.shell_variable,
            workdir=workdir.text if workdir is not None and workdir.known else None,
            scripts=self.context.script,
            steps=self.share,
            command_steps=COMMAND_STEPS * (1 + len(self.mounts)),
        )

    @cached_property
    def context(self) -> ContextFiles:
        """Return the files of the build context that it sees."""
        return ContextFiles(self.copied, self.mounts, self.config, self.bound)

    @cached_property
    def _stored(self) -> tuple[Invocation, ...]:
        storing: list[Run] = []
        run = self.storing
        while run is not None and len(storing) < MOST_LAYERS:
            storing.append(run)
            run = run.storing
        return tuple(item for run in reversed(storing) for item in run.commands.items)

    @cached_property
    def uses(self) -> tuple[ToolUse, ...]:
        """Return the uses of tools that the knowledge files know, with their cache directories."""
        return self._uses(self.scope)

    def _uses(self, scope: Scope) -> tuple[ToolUse, ...]:
        files = self.context
        return find_tool_uses(
            self.commands, scope, self.knowledge, files.config, self._stored, files.ships
        )

    @cached_property
    def supposed(self) -> tuple[ToolUse, ...]:
        """Return the uses if a base image that nobody knows sets no variable: good for a hint."""
        base = self.scope.base
        if base.facts is not None or base.is_scratch:
            return self.uses
        scope = replace(self.scope, base=replace(base, facts=PLAIN))
        return self._uses(scope)

    @cached_property
    def effects(self) -> RunEffects:
        """Return what its commands do to files."""
        return RunEffects(self.commands, self.uses, self.knowledge)

    @cached_property
    def links(self) -> tuple[str, ...]:
        """Return where its commands make links, as far as that is known."""
        return tuple(effect.path for _, effect in self.effects.of("links") if effect.path)

    @cached_property
    def storing(self) -> Run | None:
        """Return the nearest RUN in front of it that may store a setting or make a link."""
        run = self.previous
        while run is not None and not may_store(run.instruction):
            # Asked in file order, each looks one RUN back.
            run = run.storing if "storing" in run.__dict__ else run.previous
        return run

    def earlier(self) -> Iterator[Run]:
        """Yield the RUNs in front of this one, nearest first, through the stages it is built on.

        No more than an image can have layers: nobody can build upon the ones before.
        """
        run = self.previous
        for _ in range(MOST_LAYERS):
            if run is None:
                return
            yield run
            run = run.previous

    def visible_mount(self, mount: Mount) -> bool:
        """Tell whether ``mount`` is seen by the command: of several on one target only the last is."""
        return self._last_on.get(mount.directory, mount) is mount

    @cached_property
    def _last_on(self) -> dict[str | None, Mount]:
        return {mount.directory: mount for mount in self.mounts if mount.error is None}


@record(frozen=True, eq=False)
class Step:
    """One instruction of a stage with the scope in front of it."""

    instruction: Instruction
    scope: Scope
    run: Run | None = None
    copied: Copied | None = None
    """What a COPY or ADD brings, wherever from."""
    cost: int = 0
    """Steps of the file's budget: whoever takes the step over from an earlier reading pays them, too."""


@record(frozen=True, eq=False)
class Stage:
    """One build stage."""

    index: int
    name: str | None
    base: BaseImage
    parent: Stage | None
    """The stage that FROM names, when it is one of this file."""
    instruction: Instruction
    """The FROM."""
    steps: tuple[Step, ...]
    end: Scope
    """What is in force behind the last instruction."""

    @property
    def label(self) -> str:
        """Name the stage as ``COPY --from=`` does: by its name, else by its number."""
        return self.name or str(self.index)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Return the RUNs in order."""
        return tuple(step.run for step in self.steps if step.run is not None)

    @cached_property
    def chain(self) -> tuple[Stage, ...]:
        """Return this stage and the stages it is built on, nearest first."""
        return (self, *(self.parent.chain if self.parent else ()))

    def descends_from(self, other: Stage) -> bool:
        """Tell whether ``other`` is this stage or one it is built on."""
        return any(stage is other for stage in self.chain)


@record(frozen=True, eq=False)
class Dockerfile:
    """One Dockerfile."""

    path: str
    source: Source
    tree: DockerfileTree
    stages: tuple[Stage, ...]
    global_args: frozenset[str] = frozenset()
    """Names of the arguments that are declared in front of the first FROM."""
    cut: Instruction | None = None
    """The instruction at which the budget of the reading was gone: the stages end in front of it."""

    @cached_property
    def spent(self) -> Span | None:
        """Return where a budget was gone first, the file's or that of a RUN."""
        for run in self.runs:
            if run.commands.spent:
                return run.instruction.keyword_span
        return self.cut.keyword_span if self.cut is not None else None

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Return every RUN once, in file order; one behind ONBUILD as its first trigger sees it."""
        seen: dict[int, Run] = {}
        for stage in self.stages:
            for run in stage.runs:
                known = seen.get(run.instruction.span.start)
                if known is None or (known.dormant and not run.dormant):
                    seen[run.instruction.span.start] = run
        return tuple(seen[start] for start in sorted(seen))

    @cached_property
    def mounts(self) -> tuple[tuple[Run, Mount], ...]:
        """Return every ``--mount`` with its RUN, in file order."""
        return tuple((run, mount) for run in self.runs for mount in run.mounts)

    @cached_property
    def caches(self) -> tuple[tuple[Run, Mount], ...]:
        """Return every accepted cache mount with its RUN, in file order."""
        return tuple((run, mount) for run, mount in self.mounts if mount.is_cache)

    @cached_property
    def by_key(self) -> Mapping[object, Sequence[tuple[Run, Mount]]]:
        """Return the accepted cache mounts with their RUNs by what mounts of one cache have in common."""
        found: dict[object, list[tuple[Run, Mount]]] = {}
        for run, mount in self.caches:
            if mount.key is not None:
                found.setdefault(mount.key.identity, []).append((run, mount))
        return found

    def stage_named(self, name: str, reader: Stage) -> Stage | None:
        """Return the stage in front of ``reader`` that ``--from`` names, in any case, or by its number."""
        if name.isdecimal() and len(name) < 6 and str(int(name)) == name:
            if int(name) < reader.index:
                return self.stages[int(name)]
        named = self._stages_by_name.get(name.lower(), [])
        at = bisect_left(named, reader.index)
        return self.stages[named[at - 1]] if at else None

    def brought_whole(self, copied: Copied, reader: Stage) -> tuple[str, ...] | None:
        """Return where all lies that a copy of a whole image brings (``COPY --from=xx / /``).

        None for any other copy, and for an image of which not all is known.
        """
        source = self.stage_named(copied.origin, reader) if copied.origin is not None else None
        target = copied.target
        if source is None or source.steps or source.parent is not None or target is None:
            return None
        facts = source.base.facts
        if facts is None or not facts.confidence.warns or copied.words[:-1] != ("/",):
            return None
        return tuple(posixpath.join(target, place.lstrip("/")) for place in facts.holds) or None

    @cached_property
    def _stages_by_name(self) -> Mapping[str, Sequence[int]]:
        found: dict[str, list[int]] = {}
        for stage in self.stages:
            found.setdefault((stage.name or "").lower(), []).append(stage.index)
        return found

    @cached_property
    def onbuild(self) -> Mapping[int, Sequence[Instruction]]:
        """Return what stands behind ONBUILD, by the index of the stage."""
        found: dict[int, list[Instruction]] = {}
        stage = -1
        for instruction in self.tree.instructions:
            stage += instruction.keyword == "FROM"
            if instruction.inner is not None and stage >= 0:
                found.setdefault(stage, []).append(instruction.inner)
        return found

    @cached_property
    def declares_volumes(self) -> bool:
        """Whether there is a VOLUME: what lies there is not the image's alone."""
        return any(instruction.keyword == "VOLUME" for instruction in self.tree.instructions)

    def stage_of(self, run: Run) -> Stage:
        """Return the stage that a RUN runs in."""
        return self.stages[run.stage]
