"""Where Cachekey and a builder have to say the same, and whether they do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .cases import Case, Expected
from .claims import claim

LATE = re.compile(
    r'process "|failed to resolve source metadata|exit status|executor failed|runc'
    r"|failed to do request|failed to reach a registry|failed to load cache key"
    r"|failed to solve with frontend"
)
"""Failures of a command or of a registry: no mount is refused for them."""


def refusal(expected: Expected) -> str | None:
    """The words by which a builder refuses a file before it runs anything."""
    for error in expected.errors:
        if not LATE.match(error) and "failed to reach a registry" not in error:
            return error
    return None


def clean(text: str) -> str:
    """Without what differs from run to run: who was asked for an image, blanks at the end."""
    asked = r"(?:failed to solve with frontend \S+ )*failed to (?:do request|reach a registry).*"
    text = text.removeprefix("Build error: ")
    return re.sub(asked, "no registry", text, flags=re.DOTALL).strip()


def surprises(
    known: Expected, ok: bool, results: Mapping[str, str], errors: Sequence[str]
) -> list[str]:
    """How a builder differs from what is known of it."""
    found = []
    if ok != known.ok:
        found.append(f"builds: {ok}, known: {known.ok}; {'; '.join(errors)}")
    for label, value in known.results.items():
        if results.get(label) != value:
            found.append(f"{label}: {results.get(label)}, known: {value}")
    if not known.ok and not ok and clean(known.errors[0]) != clean(errors[0]):
        found.append(f"says: {errors[0]}, known: {known.errors[0]}")
    return found


def disagreements(case: Case, known: Expected, engine: str) -> list[str]:
    """How Cachekey's keys differ from what a builder does."""
    if not case.about_keys:
        return []
    if engine == "buildah" and any("from=" in step.dockerfile for step in case.steps):
        # Buildah mounts the stage itself there: what it holds is no cache and has no key.
        return []
    said = claim(case, engine)
    words = refusal(known)
    if engine == "buildah" and (words is not None or said.refused):
        # Complaints are those of the current BuildKit with every engine.
        return []
    if said.open or case.open:
        # An open key equals only itself: no claim, but only where the build command decides.
        return [] if said.open == {case.open} else [f"open: {sorted(said.open)}, not {case.open}"]
    if words is not None:
        if not said.refused:
            return [f"the builder refuses it ({words}), Cachekey does not"]
        if engine == "buildkit" and clean(words) not in [clean(text) for text in said.refused]:
            return [f"the builder says: {words}, Cachekey: {'; '.join(said.refused)}"]
        return []
    found = []
    if said.refused and known.ok:
        found.append(f"the builder accepts it, Cachekey says: {'; '.join(said.refused)}")
    for label, seen in said.shared.items():
        if label in known.results and seen != (known.results[label] == "shared"):
            found.append(f"{label}: the builder {known.results[label]}, Cachekey {seen}")
    return found
