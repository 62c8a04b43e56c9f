"""Settings: what counts of a half-wrong file, where problems stand, who wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from cachekey.edits.settings import turn_off
from cachekey.finding import Severity
from cachekey.syntax.toml import Places, entries
from cachekey.text import Source, apply_edits
from cachekey.workspace.settings import (
    TABLE,
    Overrides,
    Settings,
    Written,
    documentation,
    merge,
)
from cachekey.workspace.settings_reader import SettingProblem, from_mapping
from cachekey.workspace.settings_reader import from_toml as read_file

from tests.fuzz.invariants import calls


@dataclass(frozen=True)
class Rule:
    code: str
    name: str


SPLIT = Rule("CK101", "split-cache")
OWNER = Rule("CK102", "owner-splits-cache")
WRITE = Rule("CK201", "cache-not-writable")
RULES = (SPLIT, OWNER, WRITE)


def from_toml(
    text: str, rules: Sequence[Rule] = (), table: tuple[str, ...] = ()
) -> tuple[Settings | None, list[SettingProblem]]:
    """Return the settings of a file that extends nothing."""
    written, found = read_file(text, rules, table=table)
    return written and written.settings, found


def problems(text: str, table: tuple[str, ...] = ()) -> list[tuple[int, str, str]]:
    """Return line (from 1), text and message of every problem of a TOML file."""
    _, found = from_toml(text, RULES, table=table)
    source = Source(text)
    return [
        (source.line_of(item.span.start) + 1, source.slice(item.span), item.message)
        for item in found
        if item.span is not None
    ]


def test_every_setting_has_a_line_of_documentation() -> None:
    listed = documentation()
    assert [item.key for item in listed] == [
        "select",
        "ignore",
        "severity",
        "exclude",
        "namespace",
        "build-args",
        "engine",
        "images",
        "tools",
    ]
    assert all(item.doc.endswith(".") and "\n" not in item.doc for item in listed)


def test_a_good_file_is_read_whole() -> None:
    settings, found = from_toml(
        """
        select = ["CK1", "cache-not-writable"]
        ignore = ["CK102"]
        exclude = ["vendor/"]
        namespace = "team"
        engine = "buildah"
        [severity]
        CK101 = "error"
        split-cache = "info"
        CK2 = "off"
        [build-args]
        VERSION = "3"
        [tools.mine]
        id = "mine"
        """,
        RULES,
    )
    assert found == []
    assert settings == Settings(
        select=("CK1", "cache-not-writable"),
        ignore=("CK102",),
        severity={"CK101": Severity.ERROR, "split-cache": Severity.INFORMATION, "CK2": None},
        exclude=("vendor/",),
        namespace="team",
        build_args={"VERSION": "3"},
        engine="buildah",
        tools={"mine": {"id": "mine"}},
    )


def test_what_is_wrong_is_reported_where_it_stands_and_the_rest_counts() -> None:
    text = """[tool.cachekey]
selct = ["CK1"]
ignore = ["CK101", "CK20l", 3, "split-cahce"]
namespace = 4
engine = "podman"
exclude = "vendor"

[tool.cachekey.severity]
CK101 = "warn"
"split_cache" = "off"
CK201 = "error"

[tool.cachekey.build-args]
V = 3
W.x = "y"
"""
    settings, _ = from_toml(text, RULES, table=TABLE)
    assert settings == Settings(ignore=("CK101",), severity={"CK201": Severity.ERROR})
    assert problems(text, TABLE) == [
        (2, "selct", "there is no setting 'selct'; did you mean 'select'?"),
        (3, '"CK20l"', "no rule is called 'CK20l'; did you mean 'CK201'?"),
        (3, "3", "ignore must be a list of rules, not a number"),
        (3, '"split-cahce"', "no rule is called 'split-cahce'; did you mean 'split-cache'?"),
        (4, "4", 'namespace must be a string (write "4"), not a number'),
        (
            5,
            '"podman"',
            "engine must be buildkit or buildah, not 'podman'; did you mean 'buildah'?",
        ),
        (6, '"vendor"', "exclude must be a list of strings, not a string"),
        (
            9,
            '"warn"',
            (
                "CK101 must be error, warning, information, hint or off, not 'warn';"
                " did you mean 'warning'?"
            ),
        ),
        (10, '"split_cache"', "no rule is called 'split_cache'; did you mean 'split-cache'?"),
        (14, "3", 'build-args.V must be a string (write "3"), not a number'),
        (15, '"y"', "build-args.W must be a string, not a table"),
    ]


def test_what_only_a_file_says() -> None:
    text = """extend = "base.toml"
ignore = ["CK1"]
[[overrides]]
paths = ["a/", "*.dev"]
select = ["CK2"]
[[overrides]]
paths = []
"""
    written, found = read_file(text, RULES)
    assert found == []
    assert isinstance(written, Written)
    assert (written.extend, written.given) == ("base.toml", {"ignore"})
    first, second = written.overrides
    assert (first.paths, first.given, first.settings.select) == (
        ("a/", "*.dev"),
        {"select"},
        ("CK2",),
    )
    assert (second.paths, second.given) == ((), frozenset())
    # An editor has one value for all files.
    said = [item.message for item in from_mapping({"extend": "x", "overrides": []}, RULES)[1]]
    assert said == ["there is no setting 'extend'", "there is no setting 'overrides'"]


def test_wrong_overrides_are_told_where_they_stand() -> None:
    text = """[[overrides]]
ignore = ["CK1"]
[[overrides]]
paths = "x"
engine = "buildah"
slect = []
[[overrides]]
paths = ["x"]
ignore = ["CK9"]
severity = {CK1 = "loud"}
"""
    assert problems(text) == [
        (1, "[[overrides]]", "an override needs paths: the files that it is for"),
        (4, '"x"', "overrides.paths must be a list of strings, not a string"),
        (5, "engine", "engine holds for all files; an override sets select, ignore, severity"),
        (6, "slect", "there is no setting 'slect'; did you mean 'select'?"),
        (9, '"CK9"', "no rule is called 'CK9'"),
        (
            10,
            '"loud"',
            "CK1 must be error, warning, information, hint or off, not 'loud'",
        ),
    ]
    assert problems("overrides = 3") == [
        (1, "3", "overrides must be a list of tables ([[overrides]]), not a number")
    ]
    assert problems("overrides = [3]")[0][1] == "3"
    many = "[[overrides]]\npaths = ['x']\n" * 102
    assert problems(many) == [
        (201, "[[overrides]]", "more than 100 overrides: the rest does not count")
    ]
    written, _ = read_file(many, RULES)
    assert written is not None
    assert len(written.overrides) == 100


@pytest.mark.parametrize(
    ("text", "line"),
    [("engine = = 3\n", 1), ("a = 1\n\n[x\n", 3), ("a = [1,\n", 2), ("\ufeffa = = 1", 1)],
)
def test_a_file_that_is_no_toml(text: str, line: int) -> None:
    settings, found = from_toml(text, RULES)
    assert settings is None
    assert [item.message.startswith("this is not TOML: ") for item in found] == [True]
    assert problems(text)[0][0] == line


def test_a_byte_order_mark_is_no_error() -> None:
    assert from_toml('\ufeffnamespace = "x"\n') == (Settings(namespace="x"), [])


def test_no_table_means_no_settings() -> None:
    assert from_toml('[project]\nname = "x"\n', RULES, table=TABLE) == (None, [])
    settings, found = from_toml("[tool]\ncachekey = 3\n", RULES, table=TABLE)
    assert settings is None
    assert [item.message for item in found] == ["tool.cachekey must be a table, not a number"]


def test_editors_send_tuples_and_the_same_names() -> None:
    settings, found = from_mapping({"ignore": ("CK101",), "build-args": {"A": "b"}}, RULES)
    assert (settings, found) == (Settings(ignore=("CK101",), build_args={"A": "b"}), [])


@pytest.mark.parametrize(
    ("settings", "selected"),
    [
        (Settings(), [SPLIT, OWNER, WRITE]),
        (Settings(select=("CK1",)), [SPLIT, OWNER]),
        (Settings(select=("split-cache",)), [SPLIT]),
        (Settings(select=("ck101",)), [SPLIT]),
        (Settings(ignore=("CK1",)), [WRITE]),
        (Settings(ignore=("ALL",)), []),
        (Settings(select=("CK101",), ignore=("CK1",)), [SPLIT]),
        (Settings(select=("CK1",), ignore=("CK101",)), [OWNER]),
        (Settings(select=("CK101",), ignore=("split-cache",)), []),
        (Settings(severity={"CK1": None}), [WRITE]),
        (Settings(severity={"CK1": None, "CK102": Severity.HINT}), [OWNER, WRITE]),
    ],
)
def test_the_most_exact_name_decides(settings: Settings, selected: list[Rule]) -> None:
    assert [rule for rule in RULES if settings.selects(rule)] == selected


def test_severity_by_the_most_exact_name() -> None:
    settings = Settings(severity={"split-cache": Severity.HINT, "CK1": Severity.ERROR})
    assert settings.severity_of(SPLIT, Severity.WARNING) is Severity.HINT
    assert settings.severity_of(OWNER, Severity.WARNING) is Severity.ERROR
    assert settings.severity_of(WRITE, Severity.WARNING) is Severity.WARNING


def test_the_command_line_wins() -> None:
    file = Settings(
        select=("CK2",),
        ignore=("CK101",),
        severity={"CK101": None, "CK102": Severity.HINT},
        namespace="file",
        build_args={"A": "file", "B": "file"},
        engine="buildah",
    )
    assert merge(file, Overrides()) == file
    assert merge(file, Overrides(ignore=("CK2",))).ignore == ("CK101", "CK2")
    merged = merge(file, Overrides(select=("CK101",), namespace="", build_args={"A": "line"}))
    assert merged.selects(SPLIT)
    assert merged.severity == {"CK102": Severity.HINT}
    assert (merged.namespace, merged.engine) == ("", "buildah")
    assert merged.build_args == {"A": "line", "B": "file"}


# -- places in TOML --------------------------------------------------------------------------------


def test_spans_of_every_kind_of_value() -> None:
    text = (
        'a.b = """x\n"]\'""" # c = 1\n'
        "'q.r' = [ 'x', [2, {z = 3}], # ]\n  4 ]\n"
        '[[t]]\nd = 1979-05-27 07:32:00\n[[t]]\nd = { "\\u0041" = true }\n'
    )
    source = Source(text)
    found = {entry.path: source.slice(entry.value) for entry in entries(source)}
    assert found[("a", "b")] == '"""x\n"]\'"""'
    assert found[("q.r", 0)] == "'x'"
    assert found[("q.r", 1)] == "[2, {z = 3}]"
    assert found[("q.r", 1, 1, "z")] == "3"
    assert found[("q.r", 2)] == "4"
    assert found[("t", 0, "d")] == "1979-05-27 07:32:00"
    assert found[("t", 1, "d", "A")] == "true"
    assert ("c",) not in found


def test_the_nearest_place_for_a_path_that_is_not_there() -> None:
    source = Source("[a]\nb.c = 1\n")
    assert source.slice(Places(source).find(("a", "b")).key) == "c"  # type: ignore[union-attr]
    assert source.slice(Places(source).find(("a", "x", "y")).key) == "[a]"  # type: ignore[union-attr]
    assert Places(source).find(("z",)) is None


@pytest.mark.parametrize(
    "text", ["[", "a", "a =", 'a = "', "a = [", "a = {b", "[[", "=", '"', "\0"]
)
def test_scanning_garbage_ends(text: str) -> None:
    assert isinstance(entries(Source(text)), tuple)
    assert isinstance(entries(Source(text * 3)), tuple)


def test_unknown_names_cost_in_proportion_to_their_number() -> None:
    made = []
    for size in (250, 500, 1_000, 2_000):
        text = "".join(f"split-cach{n} = 1\n" for n in range(size))
        made.append(calls(lambda text=text: from_toml(text, RULES)))
    assert made[3] - made[2] < 2.7 * (made[2] - made[1])


# -- turning a rule off ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "before", "after"),
    [
        ((), "", 'ignore = ["CK101"]\n'),
        ((), "# mine", '# mine\nignore = ["CK101"]\n'),
        ((), 'ignore = ["CK2"]\n', 'ignore = ["CK2", "CK101"]\n'),
        ((), "ignore = []", 'ignore = ["CK101"]'),
        (
            (),
            'ignore = [\n  "CK2", # why\n]\n',
            'ignore = [\n  "CK2",\n  "CK101", # why\n]\n',
        ),
        ((), "[severity]\nCK2 = 'off'\n", "ignore = [\"CK101\"]\n\n[severity]\nCK2 = 'off'\n"),
        ((), "\ufeffengine = 'x'\r\n", "\ufeffignore = [\"CK101\"]\r\nengine = 'x'\r\n"),
        (TABLE, "[project]\nx = 1\n", '[project]\nx = 1\n\n[tool.cachekey]\nignore = ["CK101"]\n'),
        (
            TABLE,
            "[tool.cachekey] # c\nengine = 'x'\n[z]\n",
            "[tool.cachekey] # c\nignore = [\"CK101\"]\nengine = 'x'\n[z]\n",
        ),
        (TABLE, "[tool.cachekey]", '[tool.cachekey]\nignore = ["CK101"]'),
        (
            TABLE,
            "[tool]\ncachekey.ignore = ['CK2']\n",
            "[tool]\ncachekey.ignore = ['CK2', \"CK101\"]\n",
        ),
    ],
)
def test_turning_a_rule_off(table: tuple[str, ...], before: str, after: str) -> None:
    edit = turn_off(Source(before), "CK101", table=table)
    assert edit is not None
    text = apply_edits(before, [edit])
    assert text.rstrip("\n") == after.rstrip("\n")
    settings, found = from_toml(text, RULES, table=table)
    assert settings is not None
    assert "CK101" in settings.ignore
    assert [item for item in found if "not TOML" in item.message] == []


def test_an_inline_table_is_left_alone() -> None:
    assert turn_off(Source("tool = {cachekey = {}}\n"), "CK101", table=TABLE) is None
    assert turn_off(Source("[tool]\ncachekey.engine = 'x'\n"), "CK101", table=TABLE) is None
