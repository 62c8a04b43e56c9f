"""A Dockerfile whose RUNs with cache mounts are run anew in each build, while their caches stay."""

from __future__ import annotations

from cachekey.dockerfile.records import Dockerfile
from cachekey.syntax.dockerfile.tree import Instruction

PROBE = "CACHEKEY_PROBE"
"""A build argument in front of a RUN is a part of its step: another value, another step."""


def probed(model: Dockerfile, nonce: str) -> str:
    """Return the file's text with a probe in front of every RUN that mounts a cache.

    What stands where is the model's word: here-documents, continuation lines and escapes are read
    already. Behind ONBUILD the probe is behind ONBUILD, too.
    """
    asked = {run.instruction.anchor.line for run in model.runs if run.caches}
    out, at, text = [], 0, model.source.text
    for instruction in model.tree.instructions:
        if instruction.first_line in asked and not instruction.implied:
            start = model.source.line_span(instruction.first_line).start
            out += [text[at:start], _probe(instruction, nonce)]
            at = start
    return "".join([*out, text[at:]])


def _probe(instruction: Instruction, nonce: str) -> str:
    onbuild = "ONBUILD " if instruction.keyword == "ONBUILD" else ""
    return f"{onbuild}ARG {PROBE}={nonce}\n"
