"""Reads a Dockerfile's tree into stages: what FROM, ARG, ENV, USER, WORKDIR, SHELL and RUN mean.

Follows BuildKit ``dockerfile2llb/convert.go`` (``toDispatchState``, ``dispatch*``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from itertools import dropwhile

from cachekey.budget import (
    FILE_STEPS,
    INSTRUCTION_STEPS,
    LETTER_STEPS,
    MEETING_STEPS,
    Budget,
    SpentError,
    share,
)
from cachekey.buildkit.identity import BuildIdentity
from cachekey.buildkit.mounts import BUILDAH_KEYS, Mount
from cachekey.buildkit.reading import read_mount
from cachekey.buildkit.scope import (
    BaseImage,
    Scope,
)
from cachekey.commands.accounts import (
    MOST_ACCOUNTS,
    accounts_behind,
    may_make_accounts,
)
from cachekey.dockerfile.context import Copied
from cachekey.dockerfile.known import Known
from cachekey.dockerfile.records import Dockerfile, Run, Stage, Step
from cachekey.dockerfile.scoping import BuildOptions, Scoping
from cachekey.knowledge import Image, Knowledge
from cachekey.record import replace
from cachekey.syntax.dockerfile.expand import Expansion
from cachekey.syntax.dockerfile.namevalue import split_words
from cachekey.syntax.dockerfile.parse import DockerfileTree, Flag, Instruction, parse
from cachekey.syntax.dockerfile.reparse import reparse
from cachekey.text import Mapped, Source, Span
from cachekey.tools.environment import ConfigReader

_UNESCAPED = re.compile(r"\\?([\s\S])")


def read_dockerfile(
    path: str,
    source: Source,
    options: BuildOptions,
    knowledge: Knowledge,
    config: ConfigReader,
    before: Dockerfile | None = None,
    tree: DockerfileTree | None = None,
) -> Dockerfile:
    """Read a Dockerfile; whatever it holds, this never fails.

    ``before`` is what was read of an earlier text of the file with the same options, knowledge and
    configuration: what has not changed is taken over from it. It must not be used afterwards.
    ``tree`` is the text taken apart already, for a reading with other options beside another one.
    What a reading may cost is bounded, see :mod:`cachekey.budget`.
    """
    # Buildah's own parser differs in small things; see `_Reader.buildah`.
    buildah = options.engine == "buildah"
    before = None if buildah else before
    if before is not None:
        tree = reparse(before.tree, source)
    if tree is None:
        before = None
        tree = parse(source, check_directive=not buildah)
    reader = _Reader(path, source, tree, options, knowledge, config)
    if before is not None and _share(before.tree) == reader.share:
        reader.known = Known(before, tree)
    return reader.read()


def _share(tree: DockerfileTree) -> int:
    """Return the steps that each RUN of a file has for its commands."""
    return share(sum((one.inner or one).keyword == "RUN" for one in tree.instructions))


class _Reader:
    def __init__(
        self,
        path: str,
        source: Source,
        tree: DockerfileTree,
        options: BuildOptions,
        knowledge: Knowledge,
        config: ConfigReader,
    ) -> None:
        self.path, self.source, self.tree = path, source, tree
        self.options, self.knowledge, self.config = options, knowledge, config
        self.budget = Budget(FILE_STEPS)
        self.scoping = Scoping(options, tree.escape, self.budget)
        self.stages: list[Stage] = []
        self.names: dict[str, Stage] = {}
        self.triggers: dict[int, list[Instruction]] = {}
        self.last_run: Run | None = None
        self.copied: Copied | None = None
        """The last COPY or ADD from the build context, in this stage or in what it is built on."""
        self.copied_by: dict[int, Copied | None] = {}
        self.buildah = options.engine == "buildah"
        """Where Buildah 1.28 differs (experiments in tests/buildkit): ENV beats ARG, ARG is not
        inherited, a build argument needs no ARG, ONBUILD is not triggered within one file, and a
        backslash escapes in flags whatever ``# escape=`` says."""
        self.containerfile = "containerfile" in posixpath.basename(path).lower()
        self.identity = BuildIdentity(path, self.scoping.namespace, options.engine)
        self.at = self.cut = None  # type: Instruction | None
        self.share = _share(tree)
        self.known: Known | None = None
        """What may be taken over from an earlier reading."""

    def read(self) -> Dockerfile:
        blocks: list[tuple[Instruction, list[Instruction]]] = []
        outer: list[Instruction] = []
        for instruction in self.tree.instructions:
            if instruction.keyword == "FROM":
                blocks.append((instruction, []))
            elif blocks:
                blocks[-1][1].append(instruction)
            elif instruction.keyword == "ARG":
                outer.append(instruction)
        if not blocks:
            # A snippet, or a file whose FROM is commented out: a stage on a base that nobody knows.
            rest = list(dropwhile(lambda item: item.keyword == "ARG", self.tree.instructions))
            outer = list(self.tree.instructions[: len(self.tree.instructions) - len(rest)])
            # Whether its first ARGs stand in front of the FROM or behind it nobody can tell: both.
            blocks = [(_implied(rest[0]), list(self.tree.instructions))] if rest else []
        self.identity.expect([_stage_name(first) for first, _ in blocks])
        try:
            for instruction in outer:
                self._pay(instruction)
                self.scoping.global_args(instruction)
            for first, rest in blocks:
                if self.cut is None:
                    self._pay(first)
                    self._stage(first, rest)
        except SpentError:
            self.cut = self.at
        names, stages = frozenset(self.scoping.globals), tuple(self.stages)
        return Dockerfile(self.path, self.source, self.tree, stages, names, self.cut)

    def _pay(self, instruction: Instruction) -> None:
        """Spend what an instruction costs whatever it says, and remember where the reading is."""
        self.at = instruction
        length = instruction.span.end - instruction.span.start
        self.budget.spend(INSTRUCTION_STEPS + LETTER_STEPS * length)

    # -- stages ---------------------------------------------------------------------------------

    def _stage(self, first: Instruction, rest: list[Instruction]) -> None:
        index = len(self.stages)
        words = split_words(first.args, self.tree.escape)
        reference = self.scoping.expand(words[0].text if words else "", None)
        if first.implied:
            reference = Expansion("that this file does not name", frozenset({"FROM"}))
        span = words[0].span() if words else first.span
        parent = self.names.get(reference.text.lower()) if reference.known else None
        facts = None if parent or not words else self._image(reference)
        among = bool(self.stages) and not reference.known and not _is_image(reference)
        base = BaseImage(reference, span, facts, among)
        scope = self.known.start(index, first, parent) if self.known else None
        scope = scope or self.scoping.start(base, parent)
        steps: list[Step] = []
        ancestors = parent.chain if parent else ()
        inherited = (run for stage in ancestors for run in reversed(stage.runs))
        self.last_run = next((run for run in inherited if not run.dormant), None)
        self.copied = self.copied_by[parent.index] if parent else None
        onbuild = self.triggers.get(parent.index, []) if parent and not self.buildah else []
        try:
            for instruction in onbuild:
                self._pay(instruction)
                scope = self._step(instruction, scope, steps, index, onbuild=True)
            for instruction in rest:
                self._pay(instruction)
                scope = self._step(instruction, scope, steps, index)
        except SpentError:
            self.cut = self.at
        stage = Stage(index, _stage_name(first), base, parent, first, tuple(steps), scope)
        self.stages.append(stage)
        self.copied_by[index] = self.copied
        layers = ((step.instruction, step.run is not None and step.run.dormant) for step in steps)
        self.identity.add(parent.index if parent else None, base.reference.key, layers)
        if stage.name:
            self.names[stage.name.lower()] = stage

    def _image(self, reference: Expansion) -> Image | None:
        return self.knowledge.image(reference.text) if reference.text != "scratch" else None

    # -- instructions ---------------------------------------------------------------------------

    def _step(
        self,
        instruction: Instruction,
        scope: Scope,
        steps: list[Step],
        stage: int,
        onbuild: bool = False,
    ) -> Scope:
        known = self.known.step(stage, instruction, scope) if self.known and not onbuild else None
        if known is not None:
            return self._again(*known, steps)
        keyword = instruction.keyword
        run = copied = None
        before, left = scope, self.budget.left
        if keyword == "RUN":
            run = self.last_run = self._run(instruction, scope, stage, onbuild, dormant=False)
            if may_make_accounts(run.text):
                self.budget.spend(len(scope.accounts))
                accounts = accounts_behind(run.commands.items, scope.accounts)
                complete = scope.accounts_complete and len(accounts) < MOST_ACCOUNTS
                scope = replace(scope, accounts=accounts, accounts_complete=complete)
        elif keyword == "ENV":
            scope = self.scoping.env(instruction, scope)
        elif keyword == "ARG":
            scope = self.scoping.arg(instruction, scope)
        elif keyword == "USER":
            scope = self.scoping.user(instruction, scope)
        elif keyword == "WORKDIR":
            scope = self.scoping.workdir(instruction, scope)
        elif keyword in ("COPY", "ADD"):
            copied = Copied(instruction, scope, self.tree.escape, self.copied)
            if copied.origin is None:
                self.copied = copied
        elif keyword == "SHELL" and instruction.json:
            scope = replace(scope, shell=tuple(word.text for word in instruction.json))
        elif keyword == "ONBUILD" and instruction.inner is not None:
            self.triggers.setdefault(stage, []).append(instruction.inner)
            if instruction.inner.keyword == "RUN":
                self._dormant(instruction.inner, scope, steps, stage)
            return scope
        steps.append(Step(instruction, before, run, copied, left - self.budget.left))
        return scope

    def _again(self, step: Step, after: Scope, steps: list[Step]) -> Scope:
        """Take over a step of an earlier reading: text and scope are the same."""
        self.budget.spend(step.cost)
        if step.run is not None:
            # What it stands behind is not its own, and may have been read anew.
            step.run.__dict__["previous"] = self.last_run
            self.last_run = step.run
        if step.copied is not None and step.copied.origin is None:
            self.copied = step.copied
        steps.append(step)
        return after

    def _run(
        self, instruction: Instruction, scope: Scope, stage: int, onbuild: bool, dormant: bool
    ) -> Run:
        self.budget.spend(MEETING_STEPS)
        mounts: list[Mount] = []
        for flag in instruction.flags:
            if flag.name.text == "mount":
                self.budget.spend(MEETING_STEPS)
                # Who calls it a Containerfile may well build it with Podman.
                more = BUILDAH_KEYS if self.buildah or self.containerfile else ()
                mount = read_mount(self._flag(flag), scope, self.tree.escape, more, self.budget)
                silent = dormant and self.buildah
                mounts.append(mount if silent else self.identity.identify(mount))
        return Run(
            instruction,
            scope,
            tuple(mounts),
            stage,
            onbuild,
            dormant,
            self.knowledge,
            self.config,
            self.last_run,
            self.copied,
            self.share,
            tuple(self._bound(mounts)),
        )

    def _bound(self, mounts: Iterable[Mount]) -> Iterator[tuple[Mount, Copied]]:
        """Yield the binds of earlier stages, each with the last COPY from the build context in that stage."""
        for mount in mounts:
            if mount.type != "bind" or not mount.origin or mount.error is not None:
                continue
            stage = self.names.get(mount.origin.lower())
            number = stage.index if stage is not None else -1
            if stage is None and mount.origin.isdecimal() and len(mount.origin) < 6:
                number = int(mount.origin)
            copied = self.copied_by.get(number)
            if copied is not None:
                yield mount, copied

    def _flag(self, flag: Flag) -> Flag:
        value = flag.value
        if not self.buildah or self.tree.escape == "\\" or value is None:
            return flag
        kept = [value.slice(m.start(1), m.end(1)) for m in _UNESCAPED.finditer(value.text)]
        return replace(flag, value=Mapped.join(kept, flag.span.end))

    def _dormant(self, inner: Instruction, scope: Scope, steps: list[Step], stage: int) -> None:
        # Kept so that hovers and the key list show it; a stage built on this one runs it for real.
        steps.append(Step(inner, scope, self._run(inner, scope, stage, onbuild=True, dormant=True)))


def _implied(first: Instruction) -> Instruction:
    """Return the FROM that a file without one would need in front of its first instruction."""
    anchor = first.anchor
    at = first.span.start - anchor.at
    place = Span(at, at, anchor)
    return Instruction(
        keyword="FROM",
        keyword_span=place,
        span=place,
        anchor=anchor,
        more_lines=0,
        flags=(),
        args=Mapped("", ((0, at),), at, anchor),
        json=None,
        heredocs=(),
        inner=None,
        implied=True,
    )


def _is_image(reference: Expansion) -> bool:
    """Tell whether a name that is not known whole is an image's: a stage's has none of these signs."""
    text = reference.text
    for start, end in reversed(reference.symbols):
        text = text[:start] + text[end:]
    return any(sign in text for sign in ":/@")


def _stage_name(instruction: Instruction) -> str | None:
    words = instruction.args.text.split()
    return words[2] if len(words) >= 3 and words[1].upper() == "AS" else None
