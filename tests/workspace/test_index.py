"""What files say about each other is looked up, and kept up to date at the cost of what changes."""

from __future__ import annotations

import gc
import pickle
import sys
import tracemalloc

import pytest
from cachekey.checking import engine
from cachekey.workspace.index import Index
from cachekey.workspace.project import Project
from cachekey.workspace.summary import Summary

from tests.fuzz.invariants import calls as counted
from tests.fuzz.invariants import check_all

PIP = "FROM python:3.13\nRUN --mount=type=cache,target=/root/.cache/pip pip install x\n"
NAMED = PIP.replace("target=", "id=pip,target=")
OUTPUT = "FROM rust:1\nWORKDIR {0}\nRUN --mount=type=cache,target={0}/target cargo build\n"


def project(**texts: str) -> Project:
    made = Project()
    for name, text in texts.items():
        made.survey(f"{name}/Dockerfile", text)
    return made


def codes(made: Project, name: str, text: str) -> list[str]:
    made.add(f"{name}/Dockerfile", text)
    return [finding.code for finding in engine.check(made, f"{name}/Dockerfile")]


def test_a_summary_survives_the_way_to_another_process() -> None:
    made = project(a=PIP)
    summary = made.index.get("a/Dockerfile")
    assert summary is not None
    again = pickle.loads(pickle.dumps(summary))
    assert again == summary
    assert again.topics == summary.topics
    assert len(pickle.dumps(summary)) < 2_000


def test_who_shares_a_key() -> None:
    made = project(a=PIP, b=NAMED, c=PIP)
    first, _, _ = (made.index.get(f"{name}/Dockerfile").mounts[0] for name in "abc")
    assert [mount.path for mount in made.index.sharing(first.key.identity)] == [
        "a/Dockerfile",
        "c/Dockerfile",
    ]
    assert made.index.count_sharing(first.key.identity) == 2
    made.remove("c/Dockerfile")
    assert made.index.count_sharing(first.key.identity) == 1


def test_a_change_concerns_those_who_speak_of_the_same() -> None:
    made = project(a=PIP, b=NAMED, c=OUTPUT.format("/app"), d=OUTPUT.format("/srv"))
    made.concerned()
    made.survey("a/Dockerfile", PIP + "RUN true\n")
    assert made.concerned() == set()
    made.survey("a/Dockerfile", "# one line more\n" + PIP)
    assert made.concerned() == {"a/Dockerfile", "b/Dockerfile"}
    made.survey("c/Dockerfile", OUTPUT.format("/usr"))
    assert made.concerned() == {"c/Dockerfile", "d/Dockerfile"}
    made.remove("d/Dockerfile")
    assert made.concerned() == {"c/Dockerfile"}


def test_findings_across_files_come_and_go() -> None:
    made = project(a=PIP)
    assert "CK101" in codes(made, "b", NAMED)
    made.survey("a/Dockerfile", NAMED)
    assert "CK101" not in codes(made, "b", NAMED)


def test_a_model_is_read_for_a_fix_and_not_kept() -> None:
    texts = {"a/Dockerfile": PIP, "b/Dockerfile": NAMED}
    made = Project(read=texts.get)
    for path, text in texts.items():
        made.survey(path, text)
    made.add("b/Dockerfile", NAMED)
    (finding,) = (f for f in engine.check(made, "b/Dockerfile") if f.code == "CK101")
    paths = [edit.path for fix in finding.fixes for edit in fix.edits]
    assert paths == ["a/Dockerfile", "b/Dockerfile"]
    assert set(made.documents) == {"b/Dockerfile"}


def test_an_id_on_offer_is_longer_where_another_folder_has_the_name() -> None:
    made = project(a=OUTPUT.format("/app"), b=OUTPUT.format("/srv"))
    made.call("/somewhere/acme")
    made.add("a/Dockerfile", OUTPUT.format("/app"))
    titles = [fix.title for f in engine.check(made, "a/Dockerfile") for fix in f.fixes]
    assert any("id=acme-app-target " in title for title in titles)
    made.remove("b/Dockerfile")
    titles = [fix.title for f in engine.check(made, "a/Dockerfile") for fix in f.fixes]
    assert any("id=acme-target " in title for title in titles)


def test_what_is_dropped_leaves_nothing_behind() -> None:
    made = project(**{f"s{number}": PIP for number in range(5)})
    for number in range(5):
        made.remove(f"s{number}/Dockerfile")
    empty = Index()
    assert vars(made.index) == vars(empty)


def calls(made: Project, text: str) -> int:
    """Return how many functions are called when a document is read and checked."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        made.add("mine/Dockerfile", text)
        engine.check(made, "mine/Dockerfile")
        made.concerned()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("mine", [PIP, NAMED, OUTPUT.format("/app")], ids=["pip", "id", "output"])
def test_the_size_of_the_workspace_does_not_change_the_cost_of_an_edit(mine: str) -> None:
    costs = []
    for size in (3, 300):
        made = project(**{f"s{number}": (PIP, NAMED, OUTPUT)[number % 3] for number in range(size)})
        made.add("mine/Dockerfile", mine)
        made.concerned()
        calls(made, mine + "RUN one\n")
        costs.append(calls(made, mine + "RUN two\n"))
    assert costs[1] <= 1.05 * costs[0]


def test_one_key_in_every_file_costs_in_proportion_to_their_number() -> None:
    made = []
    for size in (50, 100, 200):
        files = {f"s{number}/Dockerfile": NAMED for number in range(size)}
        made.append(counted(lambda files=files: check_all(files)))
    assert made[2] - made[1] < 2.7 * (made[1] - made[0])


def test_files_that_change_again_and_again_leave_no_garbage() -> None:
    made = Project()

    def rewrite(times: int) -> None:
        for number in range(times):
            made.survey("a/Dockerfile", PIP + f"# {number}\nRUN echo {number % 7}\n")
            made.add("b/Dockerfile", NAMED + f"# {number}\nRUN echo {number % 7}\n")
            engine.check(made, "b/Dockerfile")
            made.concerned()

    rewrite(1_200)
    gc.collect()
    tracemalloc.start()
    try:
        rewrite(50)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        rewrite(400)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Tables of the interpreter grow a little; a model that stays would be 20,000 bytes each time.
    assert after < before + 100_000


def test_a_summary_is_equal_to_itself_only() -> None:
    one, other = (project(a=text).index.get("a/Dockerfile") for text in (PIP, NAMED))
    assert isinstance(one, Summary)
    assert one != other


def test_a_build_that_moves_concerns_the_dockerfile_that_names_its_place() -> None:
    """Fixes of a Dockerfile edit the workflow that builds it: they are thought of anew."""
    workflow = (
        "on: push\njobs:\n  image:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: docker buildx build a\n"
    )
    made = project(a=PIP)
    path = ".github/workflows/image.yml"
    made.survey(path, workflow)
    made.concerned()
    made.survey(path, f"name: image\n{workflow}")
    assert made.concerned() >= {"a/Dockerfile"}
    made.survey(path, f"name: image\n{workflow}# the end\n")
    assert made.concerned() == set()


def test_compose_files_that_take_each_other_in_are_concerned_together() -> None:
    made = Project()
    base = "services:\n  app:\n    image: python:3.13\n    volumes: [pip:/cache/pip]\n"
    texts = {
        ".devcontainer/devcontainer.json": '{"dockerComposeFile": "compose.yml", "service": "dev"}',
        ".devcontainer/compose.yml": (
            "services:\n  dev:\n    extends: {file: ../compose.base.yml, service: app}\n"
        ),
        "compose.base.yml": base,
        "compose.other.yml": base,
    }
    for path, text in texts.items():
        made.survey(path, text)
    made.concerned()
    together = set(texts) - {"compose.other.yml"}
    assert list(made.index.composers("compose.base.yml")) == [".devcontainer/devcontainer.json"]
    assert list(made.index.composers("compose.other.yml")) == []
    made.survey(".devcontainer/devcontainer.json", texts[".devcontainer/devcontainer.json"] + "\n")
    assert made.concerned() == together
    made.survey("compose.base.yml", base.replace("python", "node"))
    assert made.concerned() == together
    # Files that take each other in, in a circle, end as well.
    made.survey("compose.base.yml", "include: [.devcontainer/compose.yml]\n" + base)
    assert made.concerned() == together
