"""What Cachekey says of a Dockerfile: the answers of ``cachekey keys --format json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cachekey.report.keys_data import mounts_report
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings

NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"


def keys(
    dockerfile: str,
    build_args: Mapping[str, str] | None = None,
    namespace: str = "",
    engine: str = "buildkit",
) -> list[dict[str, Any]]:
    """Every cache mount of a file, and every refused mount, as the contract of ``keys`` has it."""
    given = dict(build_args or {})
    namespace = given.pop(NAMESPACE, "") or namespace
    project = Project(Settings(build_args=given, namespace=namespace, engine=engine))
    project.add("Dockerfile", dockerfile)
    return list(mounts_report(project.documents.values(), project)["mounts"])


def refusals(
    dockerfile: str,
    build_args: Mapping[str, str] | None = None,
    namespace: str = "",
    engine: str = "buildkit",
) -> list[str]:
    """The complaints that Cachekey foretells for the mounts of a file."""
    mounts = keys(dockerfile, build_args, namespace, engine)
    return [str(mount["error"]) for mount in mounts if mount["error"]]
