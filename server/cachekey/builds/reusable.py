"""Workflows of other repositories that build what they are told: their one step, as an action would have it.

Source: ``.github/workflows/build.yml`` and ``bake.yml`` of docker/github-builder: each platform is built
from this repository's Git context on a runner of GitHub's own, with a builder made for it, unless
``distribute`` is switched off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cachekey.builds.invocation import Said
from cachekey.record import record
from cachekey.syntax.yaml import YamlNode
from cachekey.text import Mapped, Span

_BUILDER = re.compile(r"docker/github-builder/\.github/workflows/(?P<what>build|bake)\.ya?ml@")
RUNS_ON = "docker/github-builder"
_NAMES = {
    "build": {name: name for name in ("file", "build-args", "platforms", "target")},
    "bake": {"files": "files", "set": "set", "target": "targets"},
}
"""Inputs of the workflow, and what the action calls them."""
_ACTIONS = {"build": "docker/build-push-action", "bake": "docker/bake-action"}
_CONTEXT = {"build": "context", "bake": "source"}


@record(frozen=True, eq=False)
class Call:
    """What a job asks such a workflow for."""

    action: str
    given: Mapping[str, Mapped]
    """The inputs of the action, as the job writes them."""
    fixed: Mapping[str, Said]
    """Those that the workflow makes of others."""
    variables: Mapping[str, Said]
    """Of Bake; the workflow passes them in the environment."""
    apart: bool
    """Each platform has a runner of its own."""


def call_of(uses: str, given: YamlNode | None, place: Span) -> Call | None:
    """Return what a job asks for; None when it calls no workflow that is known here."""
    match = _BUILDER.match(uses)
    if match is None:
        return None
    what = match.group("what")
    texts = {
        name: value.text
        for name, (_, value) in (given.entries if given is not None else {}).items()
        if value.text is not None
    }
    context = texts["context"].text.removeprefix("./").strip("/") if "context" in texts else ""
    git = "{{defaultContext}}" + (f":{context}" if context not in ("", ".") else "")
    made: dict[str, Said] = {_CONTEXT[what]: Said(None if "${{" in git else git, place.fixed)}
    lines = texts["vars"].text.splitlines() if what == "bake" and "vars" in texts else []
    pairs = (line.strip().partition("=") for line in lines if "=" in line)
    variables = {
        f"env.{name}": Said(None if "${{" in value else value, place.fixed)
        for name, _, value in pairs
    }
    names = _NAMES[what]
    kept = {names[name]: text for name, text in texts.items() if name in names}
    apart = "distribute" not in texts or texts["distribute"].text == "true"
    return Call(_ACTIONS[what], kept, made, variables, apart)
