"""Small Dockerfiles, and the use of a tool in their last RUN."""

from __future__ import annotations

from cachekey.dockerfile.scoping import BuildOptions
from cachekey.dockerfile.stages import read_dockerfile
from cachekey.knowledge import Knowledge
from cachekey.text import Source
from cachekey.tools.uses import find_tool_uses

KNOWN = Knowledge()


def read(text, files=None, knowledge=KNOWN):
    """Return the uses in the last RUN, as the last stage sees it."""
    files = files or {}
    document = read_dockerfile("Dockerfile", Source(text), BuildOptions({}), knowledge, files.get)
    runs = [run for stage in document.stages for run in stage.runs]
    earlier = [item for run in runs[:-1] for item in run.commands.items]
    run = runs[-1]
    return find_tool_uses(run.commands, run.scope, knowledge, files.get, earlier)


def use(text, tool=None, **options):
    found = [one for one in read(text, **options) if tool is None or one.tool.id == tool]
    assert found, "no such tool in the last RUN"
    return found[-1]


def path(text, role="cache", tool=None, **options):
    return use(text, tool, **options).directory(role).path


def run(command, *before, image="debian"):
    return "\n".join((f"FROM {image}", "WORKDIR /src", *before, f"RUN {command}", ""))


APP = ("RUN useradd -m -u 1000 app", "USER app")

YARN1 = {"yarn.lock": "# yarn lockfile v1\n"}
