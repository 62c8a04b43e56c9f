"""What of an earlier reading of a Dockerfile holds for a changed text.

A step is known by its instruction, which is the same object when nobody has touched it, and by the
scope in front of it: a RUN then has the same mounts, commands and tool uses. What a RUN works out of
itself may rest on these two alone, and on earlier RUNs that store a tool's setting.
"""

from __future__ import annotations

from cachekey.buildkit.scope import Scope
from cachekey.dockerfile.records import Dockerfile, Stage, Step, may_store
from cachekey.syntax.dockerfile.tree import DockerfileTree, Instruction


class Known:
    """The steps of an earlier reading that may be taken over."""

    def __init__(self, before: Dockerfile, tree: DockerfileTree) -> None:
        kept = {id(item) for item in tree.instructions}
        gone = [item for item in before.tree.instructions if id(item) not in kept]
        old = {id(item) for item in before.tree.instructions}
        new = [item for item in tree.instructions if id(item) not in old]
        self._steps: dict[tuple[int, int], tuple[Step, Scope]] = {}
        self._stages: dict[int, Stage] = {}
        self._read: dict[int, Scope] = {}
        if any(_decides_elsewhere(item) for item in (*gone, *new)):
            return
        for stage in before.stages:
            self._stages[stage.index] = stage
            scopes = [*(step.scope for step in stage.steps), stage.end]
            for step, after in zip(stage.steps, scopes[1:], strict=True):
                if id(step.instruction) in kept and not _looks_around(step):
                    self._steps[(stage.index, id(step.instruction))] = (step, after)

    def start(self, index: int, first: Instruction, parent: Stage | None) -> Scope | None:
        """Return the scope in which a stage began, if it begins there again."""
        stage = self._stages.get(index)
        if stage is None or stage.instruction is not first:
            return None
        if parent is None:
            same = stage.parent is None
        else:
            same = stage.parent is not None and stage.parent.end is parent.end
        if not same:
            return None
        return stage.steps[0].scope if stage.steps else stage.end

    def step(self, stage: int, instruction: Instruction, scope: Scope) -> tuple[Step, Scope] | None:
        """Return a known step and the scope behind it, if it stands in the same scope."""
        known = self._steps.get((stage, id(instruction)))
        return known if known is not None and known[0].scope is scope else None


def _decides_elsewhere(item: Instruction) -> bool:
    """Tell whether an instruction decides about others in ways that no scope shows.

    A stage's name may be another's base, ONBUILD runs in other stages, an ARG in front of the first
    FROM is nobody's step, a tool's stored setting and a link reach the RUNs behind, and what COPY and
    ADD bring may be a script or a configuration that these read.
    """
    return item.keyword in ("FROM", "ONBUILD", "ARG", "COPY", "ADD") or may_store(item)


def _looks_around(step: Step) -> bool:
    """Tell whether a step rests on other steps: a mount ``from=`` a stage has that stage in its key."""
    return step.run is not None and any(mount.origin for mount in step.run.mounts)
