"""No fix makes anything worse, in any file: the texts of all rules' cases, and workspaces made of pieces.

``CACHEKEY_EXHAUSTIVE=1`` takes many more workspaces, which needs minutes. What a fix did is measured
here by other means than those that decide whether it is offered.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping

import pytest
from cachekey.budget import MOST_FINDINGS
from cachekey.checking import engine
from cachekey.checking.fixing import apply_fixes
from cachekey.checking.keeping import Trial
from cachekey.edits.caches import differ
from cachekey.finding import Finding, Fix, Safety
from cachekey.workspace.project import Project

from tests.rules.test_rules import CASES, doc_examples, texts
from tests.support import together
from tests.support.checking import apply_fix, make_project
from tests.support.workspaces import workspace

EXHAUSTIVE = bool(os.environ.get("CACHEKEY_EXHAUSTIVE"))
SEEDS = 1000 if EXHAUSTIVE else 12
CASES_TRIED = len(CASES) if EXHAUSTIVE else 60
TAKES_APART = {"CK103", "CK104", "CK107"}
"""Rules whose safe fix gives a cache a name of its own, as its title says."""


def look(files: Mapping[str, str]) -> tuple[Project, list[Finding]]:
    project = make_project(dict(files))
    return project, [item for path in project.documents for item in engine.check(project, path)]


def offered(project: Project, findings: list[Finding]) -> Iterator[tuple[Finding, Fix]]:
    trial = Trial(project, lambda path: project.settings)
    for finding in trial.sift(findings):
        for fix in finding.fixes:
            if fix.safety is not Safety.MANUAL:
                yield finding, fix


def assert_each_fix_keeps(files: dict[str, str]) -> None:
    project, findings = look(files)
    for finding, fix in offered(project, findings):
        what = (finding.path, finding.message, fix.title, files)
        after, found = look(apply_fix(files, fix))
        edits = together.edits_of(fix)
        assert not together.worse(findings, found), what
        assert fix.apart or not together.parted(project, after, edits), what
        for one, two in together.joined(project, after, edits):
            assert not differ(one, two), what
        if fix.safety is Safety.SAFE:
            assert len(edits) < 2, what


def assert_all_fixes_keep(files: dict[str, str], level: Safety) -> None:
    project, findings = look(files)
    live, held = dict(files), [project]

    def recheck(news: Mapping[str, str]) -> list[Finding]:
        live.update(news)
        held[0], found = look(live)
        return found

    outcome = apply_fixes(files, findings, level, recheck, lambda: held[0].index)
    texts = {**files, **outcome.texts}
    after, found = look(texts)
    titles = [(item.code, item.title) for item in outcome.applied]
    assert not together.worse(findings, found), (titles, files)
    edits = together.edits_between(files, texts)
    if level is Safety.SAFE and not TAKES_APART & {code for code, _ in titles}:
        assert not together.parted(project, after, edits), (titles, files)
    for one, two in together.joined(project, after, edits):
        assert not differ(one, two), (titles, files)
    held[0] = after
    again = apply_fixes(texts, found, level, recheck, lambda: held[0].index)
    assert again.texts == {}, ([item.title for item in again.applied], files)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_workspaces(seed: int) -> None:
    files = workspace(seed)
    assert_each_fix_keeps(files)
    assert_all_fixes_keep(files, Safety.SAFE)
    assert_all_fixes_keep(files, Safety.UNSAFE)


def test_cases_of_the_rules() -> None:
    chosen = random.Random(3).sample(CASES, CASES_TRIED)
    for rule, case in chosen:
        assert_each_fix_keeps(texts(case))
        assert_all_fixes_keep(texts(case), Safety.SAFE)
        assert_each_fix_keeps(doc_examples(rule)[0])


# -- what the mechanism does -----------------------------------------------------------------------

NPM = "FROM node:22\nUSER node\nRUN --mount=type=cache,target=/home/node/.npm npm ci\n"
UV = (
    "FROM debian:13\nENV UV_LINK_MODE=copy\n"
    "RUN --mount=type=cache,target=/root/.cache/uv UV_CACHE_DIR=/root/.cache/uv uv sync\n"
    "RUN --mount=type=cache,target=/c/uv UV_CACHE_DIR=/c/uv uv sync\n"
)


def fixes_of(files: dict[str, str], code: str, path: str = "Dockerfile") -> list[Fix]:
    project, findings = look(files)
    return [
        fix for item, fix in offered(project, findings) if (item.path, item.code) == (path, code)
    ]


def test_an_owner_changes_in_all_files_and_is_then_not_safe() -> None:
    alone = fixes_of({"Dockerfile": NPM}, "CK201")[0]
    assert alone.title == "Let a new cache belong to node: add uid=1000,gid=1000 to line 3"
    assert alone.safety is Safety.SAFE
    files = {"Dockerfile": NPM, "web/Dockerfile": NPM}
    both = fixes_of(files, "CK201")[0]
    assert both.title.endswith("to line 3 and a mount in web/Dockerfile")
    assert both.safety is Safety.UNSAFE
    after = apply_fix(files, both)
    assert after["Dockerfile"] == after["web/Dockerfile"] != NPM


def test_a_key_of_another_user_elsewhere_stays_as_it_is() -> None:
    root = NPM.replace("USER node\n", "USER root\n")
    fix = fixes_of({"Dockerfile": NPM, "web/Dockerfile": root}, "CK201")[0]
    assert fix.title == "Give node a cache of its own: id=home-node-.npm-node,uid=1000,gid=1000"
    assert fix.apart
    assert fix.safety is Safety.UNSAFE


def test_titles_name_the_places() -> None:
    fix = fixes_of({"Dockerfile": UV}, "CK101")[0]
    assert fix.title == "Share one cache: add id=uv-cache to lines 3 and 4"
    assert fix.safety is Safety.SAFE


def test_an_id_on_offer_is_free() -> None:
    taken = (
        "FROM debian:13\nRUN --mount=type=cache,id=uv-cache,target=/root/.cache/pip pip install a\n"
    )
    titles = [fix.title for fix in fixes_of({"Dockerfile": UV, "b/Dockerfile": taken}, "CK101")]
    assert titles[0] == "Share one cache: add id=uv-cache-2 to lines 3 and 4"


def test_two_projects_get_two_names() -> None:
    text = "FROM rust:1.90\nWORKDIR /src\nRUN --mount=type=cache,target=target cargo build\n"
    files = {"a/Dockerfile": text, "b/Dockerfile": text}
    for path, name in (("a/Dockerfile", "project-a-target"), ("b/Dockerfile", "project-b-target")):
        assert f"id={name} " in fixes_of(files, "CK107", path)[0].title


def test_the_number_of_an_argument_is_written_as_the_argument() -> None:
    text = (
        "FROM debian:13\nARG APP_UID=1000\nRUN useradd --create-home --uid $APP_UID app\nUSER app\n"
        "RUN --mount=type=cache,target=/home/app/.npm npm ci\n"
    )
    fix = fixes_of({"Dockerfile": text}, "CK201")[0]
    assert "uid=${APP_UID},gid=${APP_UID} to line 5" in fix.title


def test_a_trial_leaves_the_project_as_it_is() -> None:
    files = {"Dockerfile": NPM, "web/Dockerfile": NPM}
    project, findings = look(files)
    before = (dict(project.documents), [project.index.get(path) for path in files])
    assert list(offered(project, findings))
    assert (dict(project.documents), [project.index.get(path) for path in files]) == before


# -- files with many findings ----------------------------------------------------------------------

MANY = 260


def many(line: str) -> str:
    return "FROM python:3.13\n" + "".join(line.format(i) for i in range(MANY))


def test_a_title_says_where_a_step_is_added_and_what_goes() -> None:
    mount = "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked "
    install = "apt-get update && apt-get install -y curl"
    text = f"FROM debian:13 AS a\n{mount}{install}\nFROM debian:13\n{mount}{install}\n"
    assert [fix.title for fix in fixes_of({"Dockerfile": text}, "CK306")] == [
        "Keep the packages in the cache: add a RUN that sets up apt in front of lines 2 and 4"
    ]
    text = f"FROM debian:13\nRUN {install} && apt-get clean && rm -rf /var/lib/apt/lists/*\n"
    assert [fix.title for fix in fixes_of({"Dockerfile": text}, "CK503")] == [
        (
            "Add cache mounts for /var/cache/apt and /var/lib/apt, let apt keep its packages, "
            "and delete 2 clean-ups"
        )
    ]


def test_a_removed_mount_is_not_taken_for_the_one_that_moves_to_its_place() -> None:
    line = "RUN --mount=type=cache,id=a,target=/c{0} --mount=type=cache,id=b,target=/c{0} make\n"
    text = "FROM debian:13\n" + line.format(1) + line.format(2)
    assert [fix.title for fix in fixes_of({"Dockerfile": text}, "CK308")] == [
        "Remove this mount",
        "Remove this mount",
    ]


def test_where_a_rule_has_no_more_to_say_its_fixes_are_still_offered() -> None:
    """A mended error lets a warning come, and the next error be heard: there are 200 of them as before."""
    text = many("RUN --mount=type=cache,tagret=/var/cache/apt{0} pip install --no-cache-dir x{0}\n")
    text += "RUN --mount=type=cache,target=/root/.cache/pip pip install x\n"
    broken = text.replace("tagret=/var/cache/apt7 ", "tagret=/root/.cache/pip ")
    project, findings = look({"Dockerfile": broken})
    errors = [item for item in findings if item.code == "CK601"]
    assert len(errors) == MOST_FINDINGS
    for item in (errors[0], errors[7], errors[-1]):
        trial = Trial(project, lambda path: project.settings)
        assert trial.sift([item])[0].fixes


def test_what_the_allowance_does_not_pay_for_is_unknown_and_tried_when_asked_alone() -> None:
    project, findings = look({"Dockerfile": many("RUN --mount=type=cache,target=c{0} make x{0}\n")})
    named = [item for item in findings if item.code == "CK107"]
    trial = Trial(project, lambda path: project.settings)
    trial._spent["Dockerfile"] = 10**9
    assert trial.verdict(named[-1].fixes[0], "Dockerfile") is None
    assert Trial(project, lambda path: project.settings).verdict(named[-1].fixes[0]) is True


def test_a_mount_is_not_copied_while_its_original_gets_another_name() -> None:
    """One key stands for two things: that the other one keeps it does not help the copy."""
    text = (
        "FROM rust:1.90\nWORKDIR /s\nCOPY . .\n"
        "RUN --mount=type=cache,id=shop,target=/usr/local/cargo/registry cargo fetch\n"
        "RUN --mount=type=cache,id=shop,target=/usr/local/cargo/git make x\n"
    )
    files = {"Dockerfile": text}
    assert {item.code for item in look(files)[1]} >= {"CK103", "CK404"}
    live, held = dict(files), [look(files)[0]]

    def recheck(news: Mapping[str, str]) -> list[Finding]:
        live.update(news)
        held[0], found = look(live)
        return found

    outcome = apply_fixes(files, look(files)[1], Safety.UNSAFE, recheck, lambda: held[0].index)
    # The copy of the second mount has its name; a third cache would be `shop-git-2`.
    assert outcome.texts["Dockerfile"].count("id=shop-git,target=/usr/local/cargo/git") == 2


def test_all_of_many_are_mended_at_once() -> None:
    text = many("RUN --mount=type=cache,tagret=/root/.cache/pip pip install x{0}\n")
    files = {"Dockerfile": text}
    live, held = dict(files), [look(files)[0]]

    def recheck(news: Mapping[str, str]) -> list[Finding]:
        live.update(news)
        held[0], found = look(live)
        return found

    outcome = apply_fixes(files, look(files)[1], Safety.SAFE, recheck, lambda: held[0].index)
    assert "tagret" not in outcome.texts["Dockerfile"]
    assert outcome.abandoned == ()
