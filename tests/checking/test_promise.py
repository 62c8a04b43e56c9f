"""A fix mends what it says and makes nothing worse, judged by keys that are stated a second time.

Every fix is tried alone, as one click of a light bulb, and all together, safe ones and the others. The
files are those of all rules' cases and small made-up workspaces; ``CACHEKEY_EXHAUSTIVE=1`` takes many
more, and ``CACHEKEY_CORPUS=FOLDER`` the repositories that lie in a folder, each in one of its own.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cachekey.checking import engine
from cachekey.checking.fixing import Outcome, apply_fixes
from cachekey.checking.keeping import Trial
from cachekey.finding import Finding, Fix, Safety
from cachekey.kinds import kind_in
from cachekey.text import Source
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings

from tests.rules.test_rules import CASES, doc_examples, texts
from tests.support import promise, restated, together
from tests.support.checking import apply_fix
from tests.support.workspaces import workspace

EXHAUSTIVE = bool(os.environ.get("CACHEKEY_EXHAUSTIVE"))
CORPUS = os.environ.get("CACHEKEY_CORPUS", "")
SEEDS = range(5000, 6000 if EXHAUSTIVE else 5010)
CASES_TRIED = len(CASES) if EXHAUSTIVE else 60
BUILT = json.loads(
    (Path(__file__).parent.parent / "data" / "buildkit-cases.json").read_text(encoding="utf-8")
)
NOT_RESTATED = {"onbuild", "onbuild-arg"}
"""Mounts of an ONBUILD, which are those of another file."""

Files = Mapping[str, str]


def look(files: Files) -> tuple[Project, list[Finding]]:
    """Return what a workspace's files say; other files than ours are only there to be read."""
    project = Project(Settings(), files.get)
    kinds = {path: kind for path, text in files.items() if (kind := kind_in(path, text))}
    # What decides how Dockerfiles are built comes first, as in every face.
    for path in sorted(kinds, key=lambda path: kinds[path] == "dockerfile"):
        project.add(path, files[path], kinds[path])
    return project, [item for path in project.documents for item in engine.check(project, path)]


def mended(files: Files, project: Project, findings: list[Finding], level: Safety) -> Outcome:
    """Apply the fixes of a level as ``--fix`` does, each file read again when it has changed."""
    live, held = dict(files), [project]

    def recheck(news: Mapping[str, str]) -> list[Finding]:
        live.update(news)
        held[0], found = look(live)
        return found

    return apply_fixes(dict(files), findings, level, recheck, lambda: held[0].index)


def offered(project: Project, findings: list[Finding]) -> Iterator[tuple[Finding, Fix]]:
    trial = Trial(project, lambda path: project.settings)
    for finding in trial.sift(findings):
        for fix in finding.fixes:
            if fix.safety is not Safety.MANUAL:
                yield finding, fix


def complaints(before: Files, after: Files, edits: dict, titles: list[str]) -> list[str]:
    """Return what is worse in the texts themselves: caches, instructions."""
    found = promise.broken_caches(before, after, edits, titles)
    for path in edits:
        if promise.is_dockerfile(path, before[path]):
            found += promise.broken_instructions(before[path], after[path])
    return found


def each_alone(files: Files, most: int | None = None) -> list[str]:
    """Return what is wrong with any fix of a workspace that is applied by itself."""
    wrong: list[str] = []
    project, findings = look(files)
    for finding, fix in list(offered(project, findings))[:most]:
        after = apply_fix(dict(files), fix)
        _, found = look(after)
        said = complaints(files, after, together.edits_of(fix), [fix.title])
        said += promise.told_worse(findings, found)
        if not promise.mended(finding, findings, found):
            said.append("what it is to mend is still told")
        line = Source(files[finding.path]).line_of(finding.span.start) + 1
        wrong += [f"{finding.path}:{line} {finding.code} {fix.title}: {what}" for what in said]
    return wrong


def all_together(files: Files, level: Safety) -> list[str]:
    """Return what is wrong with what ``--fix`` leaves, and what a second one would still change."""
    project, findings = look(files)
    outcome = mended(files, project, findings, level)
    after = {**files, **outcome.texts}
    project, found = look(after)
    titles = [item.title for item in outcome.applied]
    wrong = complaints(files, after, together.edits_between(files, after), titles)
    wrong += promise.told_worse(findings, found)
    again = mended(after, project, found, level)
    wrong += [f"a second pass applies: {item.title}" for item in again.applied]
    return [f"{what} ({'; '.join(titles)})" for what in wrong]


def assert_kept(files: Files, most: int | None = None) -> None:
    wrong = each_alone(files, most)
    for level in (Safety.SAFE, Safety.UNSAFE):
        wrong += all_together(files, level)
    assert not wrong, (wrong, files if len(files) < 10 else sorted(files))


def test_the_restated_keys_are_those_that_were_built() -> None:
    """What the judge says of two mounts is what three builders did with them."""
    judged = 0
    for case in BUILT:
        shared = case["expect"]["head"].get("shared")
        if "dockerfile" not in case or shared is None or case["name"] in NOT_RESTATED:
            continue
        keys = [cache.key for cache in restated.caches("Dockerfile", case["dockerfile"])]
        last = keys.pop() if keys else None
        assert (last is not None and last in keys) == shared, (case["name"], keys, last)
        judged += 1
    assert judged > 80


@pytest.mark.parametrize("seed", SEEDS)
def test_workspaces(seed: int) -> None:
    assert_kept(workspace(seed))


def test_cases_of_the_rules() -> None:
    for rule, case in random.Random(8).sample(CASES, CASES_TRIED):
        assert_kept(texts(case))
        assert_kept(doc_examples(rule)[0])


def test_a_mount_is_repeated_with_the_id_that_it_has_got() -> None:
    """Two safe fixes in one round: one names the cache, the other writes its mount a second time."""
    text = (
        "FROM rust:1.90 AS build\nWORKDIR /src\n"
        "RUN --mount=type=cache,target=/src/target cargo build --release\n"
        "RUN cp /src/target/release/app /src/target/app\n"
        "FROM debian:13\nCOPY --from=build /src/target/app /app\n"
    )
    assert all_together({"Dockerfile": text}, Safety.SAFE) == []
    _, findings = look({"Dockerfile": text})
    assert {item.code for item in findings} >= {"CK104", "CK401"}


def test_what_follows_from_a_mixed_up_cache_is_not_to_blame() -> None:
    """CK106 would part a cache of two files and is held; the entry of the map is added all the same."""
    apk = (
        "FROM alpine:3.22\nRUN --mount=type=cache,target=/etc/apk/cache,sharing=locked apk add x\n"
    )
    workflow = (
        "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - uses: reproducible-containers/buildkit-cache-dance@v3\n"
        '        with:\n          cache-map: |\n            {"pip": "/root/.cache/pip"}\n'
        "      - uses: docker/build-push-action@v6\n"
        "        with: {platforms: 'linux/amd64,linux/arm64'}\n"
    )
    pip = "RUN --mount=type=cache,target=/root/.cache/pip pip install x\n"
    files = {"Dockerfile": apk + pip, "tools/Dockerfile": apk, ".github/workflows/a.yml": workflow}
    project, findings = look(files)
    assert {"CK106", "CK506"} <= {item.code for item in findings}
    outcome = mended(files, project, findings, Safety.SAFE)
    assert [item.code for item in outcome.applied] == ["CK506"]
    assert [item.code for item in outcome.abandoned] == ["CK106"]


def test_no_directory_is_made_for_a_mount_that_becomes_a_volume() -> None:
    mount = "source=${localEnv:HOME}/.cargo/registry,target=/usr/local/cargo/registry,type=bind"
    files = {".devcontainer/devcontainer.json": json.dumps({"image": "rust:1", "mounts": [mount]})}
    project, findings = look(files)
    assert {"CK704", "CK705"} <= {item.code for item in findings}
    outcome = mended(files, project, findings, Safety.UNSAFE)
    assert [item.code for item in outcome.applied] == ["CK704"]


def repositories() -> list[Path]:
    return sorted(path for path in Path(CORPUS).iterdir() if path.is_dir()) if CORPUS else []


@pytest.mark.parametrize("root", repositories(), ids=lambda path: path.name)
def test_repositories(root: Path) -> None:
    assert_kept(read(root), most=60)


def read(root: Path) -> dict[str, str]:
    """Return the texts below a folder by path; bytes that are no UTF-8 are left out."""
    found = {}
    for path in filter(Path.is_file, root.rglob("*")):
        try:
            found[path.relative_to(root).as_posix()] = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
    return found
