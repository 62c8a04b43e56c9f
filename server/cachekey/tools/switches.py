"""What switches a tool's cache off: a flag of the line, a variable, a configuration file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cachekey.knowledge.patterns import any_fits, has_option
from cachekey.knowledge.records import Confidence, Switch
from cachekey.knowledge.ways import Way
from cachekey.record import record
from cachekey.text import Span
from cachekey.tools.environment import ToolEnvironment
from cachekey.tools.values import Known

By = Literal["flag", "inline", "variable", "image", "config"]


@record(frozen=True, eq=False)
class Disabled:
    """What keeps an invocation from using directories at all."""

    switch: Switch
    by: By
    text: str
    """As a reader knows it: ``--no-cache-dir``, ``ENV PIP_NO_CACHE_DIR``."""
    span: Span | None
    """The flag's word, the inline value or the ENV; None outside the Dockerfile."""
    roles: tuple[str, ...]
    confidence: Confidence


def find_switches(env: ToolEnvironment, downloads: tuple[str, ...]) -> Iterator[Disabled]:
    """Yield what is switched off; ``downloads`` are the roles a switch without roles concerns."""
    for switch in env.tool.disabled_by:
        if switch.commands and any_fits(switch.commands, env.line) is not True:
            continue
        found = _flag(env, switch) if switch.flag else _setting(env, switch)
        if found is not None:
            by, text, span = found
            own = switch.confidence or env.tool.confidence
            confidence = env.confidence(own, by == "image")
            yield Disabled(switch, by, text, span, switch.caches or downloads, confidence)


def _flag(env: ToolEnvironment, switch: Switch) -> tuple[By, str, Span | None] | None:
    index = has_option(switch.flag, env.line)
    if index is None or env.command.through:
        return None
    word = env.invocation.args[index]
    return "flag", word.written, word.span


def _setting(env: ToolEnvironment, switch: Switch) -> tuple[By, str, Span | None] | None:
    way = Way(env=switch.env, config=switch.config, key=switch.key, ignore_case=switch.ignore_case)
    found = env.way(way)
    if not isinstance(found, Known) or not switch.disables(found.text):
        return None
    if switch.config:
        return "config", f"{switch.key} in {switch.config}", None
    if found.from_image:
        return "image", found.because, None
    if found.variable in env.invocation.env:
        return "inline", found.variable, found.span
    return "variable", found.because, found.span
