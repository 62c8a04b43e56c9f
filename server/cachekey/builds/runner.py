"""Whether a job's builder outlives the run, and which builder a step uses.

Source: GitHub's list of hosted runners; ``docker/setup-buildx-action`` (its post step removes the builder
it made unless ``keep-state``); the vendors' documents for those that keep caches between runs.

A builder is called ``default``, by the name that a file gives it, or ``step N`` for the one that the step
``N`` sets up; None when nobody can tell.
"""

from __future__ import annotations

import re

from cachekey.builds.invocation import Runner
from cachekey.builds.steps import Job, Step, output_of

_HOSTED = re.compile(r"(?:ubuntu|windows|macos)-[\w.-]+\Z", re.IGNORECASE)
_LINUX = re.compile(r"ubuntu-(?:latest|\d\d\.\d\d)(?:-arm)?\Z", re.IGNORECASE)
_KEEPERS = {
    "depot": re.compile(r"depot/(?:build-push|bake|setup)-action|depot/use-action"),
    "Blacksmith": re.compile(r"useblacksmith/(?:build-push-action|setup-docker-builder)"),
    "Namespace": re.compile(r"namespacelabs/nscloud-setup-buildx-action"),
    "WarpBuild": re.compile(r"warpbuilds/(?:build-push-action|bake-action|docker-configure)"),
}
_SETS_UP = re.compile(
    r"useblacksmith/setup-docker-builder|namespacelabs/nscloud-setup-buildx|warpbuilds/docker-configure"
)
_RESTORES = re.compile(r"dashevo/gh-action-cache-buildkit-state|isac322/buildkit-state")
"""Actions that carry the whole state of a builder from run to run, its cache mounts included."""
SETUP = "docker/setup-buildx-action"
_BUILDERS = re.compile(
    r"(?:docker|depot|useblacksmith|warpbuilds)/(?P<what>build-push|bake)-action\Z"
)


_BUILDAH = "redhat-actions/buildah-build"


def builds_with(step: Step) -> str:
    """Return ``build-push``, ``bake`` or ``buildah`` for an action that builds, else nothing."""
    if step.uses == _BUILDAH:
        return "buildah"
    match = _BUILDERS.match(step.uses)
    return match.group("what") if match is not None else ""


def setups(job: Job, before: int) -> list[Step]:
    """Return the steps in front of another that set a builder up, the nearest first."""
    return [step for step in job.steps[:before] if step.uses == SETUP][::-1]


def runner_of(job: Job, step: Step, *, plain: bool = False) -> tuple[Runner, str]:
    """Tell whether the builder of a step is kept, and what decides it; ``plain`` is ``docker build``."""
    if job.hosted:
        return "fresh", job.hosted
    for name, pattern in _KEEPERS.items():
        if pattern.match(step.uses):
            return "kept", name
    for other in job.steps[: step.index]:
        if _SETS_UP.match(other.uses) or _RESTORES.match(other.uses):
            return "kept", other.uses
    setup = next(iter(setups(job, step.index)), None)
    remote = _remote(setup) if setup is not None and not plain else None
    if remote is not None:
        return remote
    labels = job.labels
    if labels is None:
        return "unknown", "a runner that is chosen when it runs"
    shown = ", ".join(dict.fromkeys(labels))
    if labels and all(_HOSTED.match(label) for label in labels):
        # A label that GitHub has not made may look the same; larger runners are fresh as well.
        return "fresh", shown
    if "self-hosted" in labels:
        if setup is None or plain or setup.text("driver") == "docker":
            return "kept", shown
        if setup.text("keep-state") == "true" or setup.text("cleanup") == "false":
            return "kept", f"{shown}, setup-buildx keeps its state"
        return "unknown", f"{shown}, but setup-buildx removes its builder behind the job"
    return "unknown", shown


def native_of(job: Job) -> str:
    """Return the platform of a hosted runner, which is that of its builder; empty when not known."""
    labels = job.labels or ()
    if not labels or not all(_LINUX.match(label) for label in labels):
        return ""
    found = {"linux/arm64" if label.lower().endswith("-arm") else "linux/amd64" for label in labels}
    return found.pop() if len(found) == 1 else ""


def _remote(setup: Step) -> tuple[Runner, str] | None:
    """Tell of a builder that lives elsewhere."""
    driver = setup.text("driver")
    if driver == "cloud":
        return "kept", "Docker Build Cloud"
    if driver in ("remote", "kubernetes") or setup.inputs.get("endpoint") is not None:
        return ("kept" if driver == "remote" else "unknown"), f"the {driver or 'given'} builder"
    if "driver" in setup.inputs and driver is None:
        return "unknown", "a driver that is chosen when it runs"
    return None


def builder_of(job: Job, step: Step, *, plain: bool = False) -> str | None:
    """Return the builder of a step: what its ``builder`` says, else the one in force."""
    raw = step.raw.get("builder")
    if raw is not None and raw.text:
        return _named(job, raw.text)
    return "default" if plain and not _installs(job, step) else current(job, step)


def current(job: Job, step: Step) -> str | None:
    """Return the builder that ``docker buildx build`` takes in front of a step."""
    for setup in setups(job, step.index):
        use = setup.inputs.get("use")
        if use is None or use.text == "true":
            return f"step {setup.index}"
        if use.text is None:
            return None
    return "default"


def _named(job: Job, text: str) -> str | None:
    if "${{" not in text:
        for setup in setups(job, len(job.steps)):
            if setup.text("name") == text:
                return f"step {setup.index}"
        return text
    ident = output_of(text)
    for step in job.steps:
        if ident is not None and step.id == ident and step.uses == SETUP:
            return f"step {step.index}"
    return None


def _installs(job: Job, step: Step) -> bool:
    return any(setup.text("install") == "true" for setup in setups(job, step.index))
