"""Files that nobody writes: they must not keep an editor waiting, and what is known of them stands."""

from __future__ import annotations

import pytest
from cachekey.budget import FILE_STEPS, INSTRUCTION_STEPS, MOST_EDITS, MOST_FINDINGS, TOLD
from cachekey.checking import engine
from cachekey.finding import Finding, Severity
from cachekey.workspace.project import Project

BASE = "FROM debian:13\n"
MOUNT = "RUN --mount=type=cache,target=~/.cache/pip pip install x\n"
DEVCONTAINER = ".devcontainer/devcontainer.json"


def check(text: str, path: str = "Dockerfile") -> list[Finding]:
    project = Project()
    project.add(path, text)
    return engine.check(project, path)


def told(findings: list[Finding]) -> list[Finding]:
    return [item for item in findings if item.message == TOLD]


def test_of_an_endless_dockerfile_the_beginning_is_checked() -> None:
    endless = "ENV A=b\n" * (FILE_STEPS // INSTRUCTION_STEPS)
    findings = check(BASE + MOUNT + endless + MOUNT)
    (end,) = told(findings)
    assert end.code == "CK002"
    assert end.severity is Severity.INFORMATION
    assert end.span.start > len(BASE + MOUNT) + len(endless) // 2
    assert [item.span.start < end.span.start for item in findings if item.code == "CK302"] == [True]


def test_a_comment_that_was_not_reached_is_not_idle() -> None:
    endless = "ENV A=b\n" * (FILE_STEPS // INSTRUCTION_STEPS)
    findings = check(f"{BASE}{endless}# cachekey: ignore[CK302]\n{MOUNT}")
    assert findings == told(findings)


DOUBLING = {
    "assignments": "A=x; " + "A=$A$A; " * 40,
    "export": "export A=x; " + "export A=$A$A; " * 40,
    "quoted": "A=x; " + 'export A="$A$A$A"; ' * 40,
    "cd": "A=x; " + "A=$A/$A; cd $A; " * 40,
    "loop": "A=x; for i in 1 2; do " + "A=$A$A; " * 40 + "done; ",
    "env": "A=x; " + "A=$A$A; env B=$A$A A=$B$A true; " * 40,
    "nested": "A=x; " + "A=$A$A; " * 12 + 'sh -c "' + "A=$A$A; " * 40 + '"; ',
}


@pytest.mark.parametrize("name", DOUBLING)
def test_a_value_that_doubles_ends_as_unknown(name: str) -> None:
    findings = check(f"{BASE}RUN {DOUBLING[name]} pip install $A\n{MOUNT}")
    assert "CK302" in {item.code for item in findings}
    assert told(findings) == []


def test_so_does_one_in_a_here_document() -> None:
    doubling = "A=x\n" + "A=$A$A\nexport A\n" * 40
    findings = check(f"{BASE}RUN <<E\n{doubling}pip install $A\nE\n{MOUNT}")
    assert "CK302" in {item.code for item in findings}
    assert told(findings) == []


@pytest.mark.parametrize(
    "script",
    [
        "A=x; " + "A=$A$A; " * 13 + "pip install " + "$A- " * 2000,
        "A=x; " + "A=$A$A; " * 13 + "".join(f"B{n}=$A-; " for n in range(400)) + "true",
        "true" + "; true" * 9000,
        "A=x; " + "A=$A$A; " * 13 + 'sh -c "' + "pip install $A; " * 2000 + '"',
    ],
    ids=["words", "variables", "commands", "a nested script"],
)
def test_a_run_that_asks_for_too_much_is_read_in_part(script: str) -> None:
    findings = check(f"{BASE}{MOUNT}RUN {script}\n{MOUNT}")
    (end,) = told(findings)
    assert end.span.start == len(BASE + MOUNT)
    assert [item.code for item in findings if item is not end].count("CK302") == 2


def test_a_hover_before_the_check_changes_nothing() -> None:
    text = BASE + "RUN A=x; " + "A=$A$A; " * 13 + "pip install " + "$A- " * 2000 + "\n" + MOUNT
    project = Project()
    document = project.add("Dockerfile", text)
    assert document is not None
    for run in reversed(document.runs):  # type: ignore[union-attr]
        assert run.uses is not None
    assert engine.check(project, "Dockerfile") == check(text)


def test_a_rule_does_not_say_the_same_for_ever() -> None:
    findings = check(BASE + MOUNT * (MOST_FINDINGS + 50))
    assert [item.code for item in findings].count("CK302") == MOST_FINDINGS
    assert len(told(findings)) == 1


def test_a_fix_of_very_many_places_is_withheld() -> None:
    mount = "RUN --mount=type=cache,target=.npm npm ci\n"
    for number, offered in ((MOST_EDITS, True), (MOST_EDITS + 1, False)):
        findings = check("FROM node:22\nWORKDIR /app\n" + mount * number)
        naming = next(item for item in findings if item.code == "CK107").fixes[0]
        assert bool(naming.edits) is offered


def test_of_a_monstrous_devcontainer_nothing_is_read() -> None:
    mounts = ",".join(f'"type=cache,target=/{number}"' for number in range(3000))
    findings = check(f'{{"image": "debian", "mounts": [{mounts}]}}', DEVCONTAINER)
    assert findings == told(findings)
    assert len(findings) == 1
