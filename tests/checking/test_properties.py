"""What holds for every text: half-typed, broken, hostile or huge.

The texts of all annotated cases are cut as a user types them. No rule fails, nothing is said about
lines that were not touched, spans and edits stay inside the file. A run of the suite tries some cuts
of each text; ``CACHEKEY_EXHAUSTIVE=1`` tries all of them, which takes minutes.
"""

from __future__ import annotations

import logging
import os
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import pytest
from cachekey.assist import completion as complete
from cachekey.assist import hover as explain
from cachekey.checking import engine
from cachekey.checking.fixing import apply_fixes
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import Finding, Safety, Severity
from cachekey.kinds import kind_of
from cachekey.rules import ALL
from cachekey.text import Edit, Source, Span
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings

from tests.rules.test_rules import CASES, texts
from tests.support.checking import apply_fix, check, make_project, make_settings

EXHAUSTIVE = bool(os.environ.get("CACHEKEY_EXHAUSTIVE"))
CUTS = 16
"""At how many places a text is cut when not all of them are tried."""
PARTS = 8
DOCKERFILE = "Dockerfile"
DEVCONTAINER = ".devcontainer/devcontainer.json"


@dataclass(frozen=True)
class Sample:
    """One document of an annotated case, among the other documents of the case."""

    title: str
    files: dict[str, str]
    path: str
    settings: str

    @property
    def text(self) -> str:
        return self.files[self.path]

    def project(self) -> Project:
        return make_project(self.files, make_settings((), self.settings))


@cache
def samples() -> tuple[Sample, ...]:
    found: dict[tuple[str, str], Sample] = {}
    for rule, case in CASES:
        files = texts(case)
        for path, text in files.items():
            if kind_of(path) is None:
                continue
            sample = Sample(f"{rule.name}: {case.title}", files, path, case.settings)
            found.setdefault((path, text), sample)
    return tuple(found.values())


@pytest.fixture(autouse=True)
def no_rule_fails(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The engine logs a rule that fails and goes on: here that is a failure of the test."""
    with caplog.at_level(logging.WARNING, logger="cachekey"):
        yield
    assert [record.getMessage() for record in caplog.records] == []


def part(number: int) -> tuple[Sample, ...]:
    return samples()[number::PARTS]


def cuts(text: str) -> list[int]:
    """Return where to cut a text: anywhere, but more often where something begins or ends."""
    if EXHAUSTIVE:
        return list(range(len(text) + 1))
    chance = random.Random(text)
    tokens = [match.end() for match in re.finditer(r"\w+|[^\w ]+| +", text)]
    some = chance.sample(tokens, min(len(tokens), CUTS * 3 // 4))
    some += [chance.randrange(len(text) + 1) for _ in range(CUTS // 4)]
    return sorted({len(text), *some})


def typed(project: Project, path: str, text: str) -> list[Finding]:
    project.add(path, text)
    findings = engine.check(project, path)
    for finding in findings:
        assert_inside(finding, project)
    return findings


def assert_inside(finding: Finding, project: Project) -> None:
    sizes = {path: len(item.source.text) for path, item in project.documents.items()}

    def assert_span(span: Span, path: str) -> None:
        if path not in sizes:
            # A compose file that a devcontainer.json names may have any name.
            sizes[path] = len(project.read(path) or "")
        assert 0 <= span.start <= span.end <= sizes[path], finding

    assert_span(finding.span, finding.path)
    assert finding.message.strip()
    assert "\n" not in finding.message
    for related in finding.related:
        # A script of the build context is no document of the project.
        if related.path in sizes:
            assert_span(related.span, related.path)
    for fix in finding.fixes:
        assert fix.edits, finding
        by_path: dict[str, list[Edit]] = {}
        for item in fix.edits:
            assert_span(item.edit.span, item.path)
            by_path.setdefault(item.path, []).append(item.edit)
        for edits in by_path.values():
            edits.sort(key=lambda edit: edit.span)
            for one, two in pairwise(edits):
                assert one.span.end <= two.span.start, (finding, fix.title)
    assert sum(fix.preferred for fix in finding.fixes) <= 1, finding


@pytest.mark.parametrize("number", range(PARTS))
def test_half_typed_text_is_only_blamed_where_it_is_typed(number: int) -> None:
    """Above the cursor nothing changes: no error that the finished file has not, and no key."""
    for sample in part(number):
        project = sample.project()
        document = project.documents[sample.path]
        finished = errors(engine.check(project, sample.path), sample.text)
        known = keys(document) if isinstance(document, Dockerfile) else {}
        for end in cuts(sample.text):
            prefix = sample.text[:end]
            what = f"{sample.title}: {prefix!r}"
            found = typed(project, sample.path, prefix)
            source = Source(prefix)
            for code, line in errors(found, prefix) - finished:
                here = line == source.line_of(end) or _is_open(prefix, source, line)
                assert here, f"{code} on line {line + 1} of {what}"
            document = project.documents[sample.path]
            if isinstance(document, Dockerfile):
                now = keys(document)
                behind = {run.span for run in document.runs if prefix[run.span.end :].strip()}
                for place in now.keys() & known.keys():
                    if any(span.covers(place) for span in behind):
                        assert now[place] == known[place], what


def errors(findings: list[Finding], text: str) -> set[tuple[str, int]]:
    source = Source(text)
    return {
        (item.code, source.line_of(item.span.start))
        for item in findings
        if item.severity is Severity.ERROR
    }


def _is_open(prefix: str, source: Source, line: int) -> bool:
    """A here-document without its end, or a devcontainer.json without its object."""
    return "<<" in source.line_text(line) or re.fullmatch(r"(\s|//.*|#.*)*", prefix) is not None


def keys(document: Dockerfile) -> dict[Span, object]:
    """Return the keys of the mounts; one that a later stage could decide is left out."""
    return {
        mount.span: mount.key.identity
        for run in document.runs
        for mount in run.mounts
        if mount.key is not None and not mount.origin
    }


@pytest.mark.parametrize("level", [Safety.SAFE, Safety.UNSAFE], ids=lambda level: level.value)
def test_fixes_come_to_an_end(level: Safety) -> None:
    """All fixes of all rules together reach a text in which none is left, and it stays readable."""
    for sample in samples():
        settings = make_settings((), sample.settings)
        files = dict(sample.files)

        def recheck(
            news: Mapping[str, str],
            files: dict[str, str] = files,
            settings: Settings = settings,
        ) -> list[Finding]:
            files.update(news)
            return check(files, settings)

        outcome = apply_fixes(sample.files, check(files, settings), level, recheck)
        after = {**sample.files, **outcome.texts}
        again = apply_fixes(after, check(after, settings), level, recheck)
        assert again.texts == {}, f"{sample.title}: {[item.title for item in again.applied]}"


# -- hostile texts ---------------------------------------------------------------------------------

HOSTILE = {
    "nothing": "",
    "blanks": " \t\f\v\n \n",
    "a byte order mark": "\ufefffrom a\nrun --mount=type=cache,target=/x y",
    "NUL": "FROM a\0\nRUN --mount=type=cache,target=/\0 pip\0 install\0",
    "controls": "FROM a\nRUN --mount=type=cache,target=\x1b[31m,id=\x07\x08 pip install \x85\u2028",
    "lone surrogates": "FROM \ud800\nRUN --mount=type=cache,target=/\udfff,id=\udcff pip install a",
    "carriage returns": "FROM a\rRUN --mount=type=cache,target=/root/.cache/pip \\\r pip install\r",
    "only a backslash": "\\",
    "continued for ever": "RUN \\\n" * 500,
    "an escape that is none": "# escape=x\nFROM a\nRUN --mount=type=cache,target=/a\\\n b",
    "open quotes": 'FROM a\nRUN --mount=\'type=cache,"id=a,target=/x pip install "a',
    "open braces": "FROM a\nRUN --mount=type=cache,target=${A:-${B:-${C pip install a",
    "open substitutions": "FROM a\nRUN --mount=type=cache,target=/x $(pip $(pip `pip $((1 install",
    "open here-documents": "FROM a\nRUN --mount=type=cache,target=/x <<A <<-'B' <<\"C\" pip\nA\n\tB\n",
    "a bidirectional override": "FROM a\nRUN --mount=type=cache,id=\u202e,target=/x pip install a",
    "combining characters": "FROM a\nRUN --mount=type=cache,target=/x\u0301\U0001f433 pip install a",
    "json garbage": '{"mounts": [[[{"type": "cache",,,}}, "type=cache, \\ud800 \\u12", tru',
    "an array": '["type=cache,target=/x"]',
    "a number": "12",
    "a key that is no string": '{mounts: [{type: cache}], 1: 2, "runArgs": [--mount, type=cache]}',
}


@pytest.mark.parametrize("path", [DOCKERFILE, DEVCONTAINER])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text(name: str, path: str) -> None:
    text = HOSTILE[name]
    project = make_project({path: text})
    for end in range(len(text) + 1) if len(text) < 200 else (len(text),):
        typed(project, path, text[:end])
    if len(text) < 200:
        ask_everywhere(project, path, text)


@pytest.mark.parametrize("path", [DOCKERFILE, DEVCONTAINER])
def test_random_text(path: str) -> None:
    """Whatever the pieces of a file are put together to, and whatever stands between them."""
    chance = random.Random(1)
    pieces = [
        *(
            "FROM debian:13",
            "RUN ",
            "--mount=",
            "type=cache",
            ",target=",
            "/root/.cache/pip",
            ",id=",
        ),
        *("ENV ", "ARG ", "USER app", "WORKDIR /x", "ONBUILD ", "COPY --from=0 ", "pip install a"),
        *(
            "apt-get update",
            " && ",
            "; ",
            "| ",
            "\\\n",
            "\n",
            "<<EOF",
            "EOF",
            "$",
            "${",
            "}",
            '"',
            "'",
        ),
        *(
            "[",
            "]",
            "{",
            ":",
            ",",
            '"mounts"',
            '"type=cache"',
            '"runArgs"',
            "//",
            "/*",
            "#",
            "`",
            "~",
        ),
        *('"image"', '"features"', '"containerEnv"', '"remoteUser": "vscode"', "${localEnv:", "\\"),
        *("\0", "\r", "\f", "\u2028", "\ud800", "\U0001f433", " ", "\t", "uid=1", "sharing=locked"),
    ]
    project = make_project({})
    for _ in range(400):
        text = "".join(chance.choices(pieces, k=chance.randrange(1, 30)))
        typed(project, path, text)
    for _ in range(100):
        data = chance.randbytes(chance.randrange(400))
        typed(project, path, data.decode("latin-1"))


LONG = 5_000_000


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (DOCKERFILE, "FROM debian:13\nRUN --mount=type=cache,target=/x " + "a" * LONG),
        (
            DOCKERFILE,
            "FROM debian:13\nRUN --mount=type=cache,target=/" + "x" * LONG + " pip install a",
        ),
        (DOCKERFILE, "FROM debian:13\n#" + "a" * 70 + "\n#" + "a\n#" * 100_000),
        (DOCKERFILE, "\n" * 200_000),
        (DOCKERFILE, "FROM debian:13\nRUN " + "\\\n" * 50_000),
        (DOCKERFILE, "FROM debian:13\nRUN --mount=type=cache,target=/x " + "$(" * 20_000),
        (DOCKERFILE, "FROM debian:13\nRUN --mount=type=cache,target=/x " + "{ (" * 20_000),
        (DOCKERFILE, "FROM debian:13\nRUN --mount=type=cache,target=" + "${A:-" * 20_000),
        (DOCKERFILE, "FROM debian:13\nRUN " + "--mount=type=cache,target=/x " * 500 + "true"),
        (DOCKERFILE, "FROM debian:13\nRUN " + "x='" * 20_000),
        (DOCKERFILE, "FROM a\n" + "RUN <<A\n" * 400),
        (DOCKERFILE, "FROM a AS a\n" * 1_000),
        (DOCKERFILE, "FROM a AS s0\n" + "".join(f"FROM s{n} AS s{n + 1}\n" for n in range(800))),
        (DOCKERFILE, "FROM a\n" + "ENV A=$A$A\n" * 60 + "RUN --mount=type=cache,id=$A,target=/x y"),
        (DEVCONTAINER, "[" * 200_000),
        (DEVCONTAINER, '{"a":' * 50_000),
        (DEVCONTAINER, '{"mounts": ["' + "type=cache," * 10_000),
        (DEVCONTAINER, '{"mounts": [' + '"type=volume,source=a,target=/x",' * 500 + "]}"),
        (DEVCONTAINER, '{"a": "' + "x" * LONG),
        (DEVCONTAINER, "//" + "x\n//" * 200_000),
    ],
    ids=lambda value: f"{len(value)} {value[:16]!r}" if len(value) > 40 else value,
)
def test_long_and_deep_text(path: str, text: str) -> None:
    """Hangs show as the test run's own time limit; nothing here needs more than seconds."""
    findings = typed(make_project({}), path, text)
    assert len(findings) < 20_000


# -- hovers and completion -------------------------------------------------------------------------


def ask_everywhere(project: Project, path: str, text: str) -> None:
    document = project.documents[path]
    for offset in range(len(text) + 1):
        hover = explain.hover(project, path, offset)
        if hover is not None:
            assert hover.span.contains(offset)
            assert hover.span.end <= len(document.source.text)
        for item in complete.complete(project, path, offset):
            assert 0 <= item.span.start <= offset <= item.span.end <= len(text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Dockerfile", "FROM a\nRUN --mount=type=cache,id='"),
        ("Dockerfile", "FROM a\nRUN --mount=type=cache,id=' uv sync\n"),
        ("Dockerfile", 'FROM a\nRUN --mount="type=cache,id= uv sync\n'),
        (".devcontainer.json", '{"mounts": ["type=volume,source=\\u'),
        (".devcontainer.json", '{"mounts": ["type=\\u'),
        (".devcontainer.json", '{"mounts": ["type=v\\u00", "x"]}'),
        (".devcontainer.json", '{"mounts": ["type=volume,source=\\u12", "x"]}'),
        (".devcontainer.json", '{"mounts": ["type=volume,sour\\u0063e=x,target=\\'),
    ],
)
def test_what_is_proposed_replaces_what_is_at_the_caret(path: str, text: str) -> None:
    project = Project()
    project.add(path, text)
    for offset in range(len(text) + 1):
        for item in complete.complete(project, path, offset):
            assert item.span.start <= offset <= item.span.end


def asked() -> list[Sample]:
    chosen = [sample for sample in samples() if len(sample.text) < 700]
    return random.Random(2).sample(chosen, 40)


@pytest.mark.parametrize("sample", asked(), ids=lambda sample: sample.title)
def test_hover_and_completion_everywhere(sample: Sample) -> None:
    ask_everywhere(sample.project(), sample.path, sample.text)


def test_hovers_of_cache_mounts_are_short() -> None:
    """Eight lines at most, whatever the mount, and none that fills the screen."""
    seen = 0
    for sample in samples():
        project = sample.project()
        document = project.documents[sample.path]
        if not isinstance(document, Dockerfile):
            continue
        for run in document.runs:
            for mount in run.caches:
                hover = explain.hover(project, sample.path, mount.span.start + 2)
                assert hover is not None, sample.title
                lines = [line for line in hover.markdown.splitlines() if line.strip()]
                assert 4 <= len(lines) <= 8, (sample.title, hover.markdown)
                assert all(len(line) <= 240 for line in lines), hover.markdown
                seen += 1
    assert seen > 200


def test_every_preferred_fix_says_what_it_does() -> None:
    """Titles are imperative sentences: a verb first, no full stop, one line."""
    verbs = re.compile(
        r"(Add|Do not|Align|Bind|Carry|Copy|Cut|Declare|Delete|Drop|Give|Insert|Join|Keep|Let|Make|Mount|"
        r"Move|Name|Point|Put|Remove|Rename|Repeat|Run|Replace|Restore|Separate|Set|Share|Use|Write|Create|Own|Pin|"
        r"Install|Change|Append|Merge|Say|Tell|Start|Turn)\b"
    )
    for sample in samples():
        for finding in check(sample.files, make_settings((), sample.settings)):
            for fix in finding.fixes:
                assert verbs.match(fix.title), fix.title
                assert not fix.title.endswith("."), fix.title
                assert len(fix.title) <= 160, fix.title


def test_each_fix_alone_leaves_a_readable_file() -> None:
    rules = {rule.code for rule in ALL}
    for sample in samples():
        settings = make_settings((), sample.settings)
        before = check(sample.files, settings)
        unreadable = sum(item.code == "CK002" for item in before)
        for finding in before:
            assert finding.code in rules
            for fix in finding.fixes:
                after = check(apply_fix(sample.files, fix), settings)
                assert sum(item.code == "CK002" for item in after) <= unreadable, fix.title
