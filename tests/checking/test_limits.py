"""Files that nobody writes: they must not keep an editor waiting."""

from __future__ import annotations

from cachekey.checking import engine
from cachekey.dockerfile import stages
from cachekey.workspace.project import Project


def test_of_an_endless_dockerfile_only_the_syntax_is_checked() -> None:
    project = Project()
    project.add("Dockerfile", "FROM debian:13\n" + "ENV A=b\n" * stages.MOST_INSTRUCTIONS)
    (finding,) = engine.check(project, "Dockerfile")
    assert finding.code == "CK002"
    assert "too long" in finding.message
