"""What holds for every text, whatever it says; a failure names what was broken."""

from __future__ import annotations

import logging
import re
from _lsprof import Profiler
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise

from cachekey.assist.completion import complete
from cachekey.assist.hover import hover
from cachekey.budget import TOLD
from cachekey.checking import engine
from cachekey.checking.fixing import apply_fixes
from cachekey.finding import Finding, Fix, Safety, Severity
from cachekey.syntax.yaml import parse
from cachekey.text import Edit, Source, apply_edits
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings

from tests.fuzz.grammar import DEVCONTAINER, DOCKERFILE
from tests.fuzz.neighbours import COMMENTED

CALLS = 60_000
CALLS_A_CHARACTER = 900
"""Calls of functions that a short text may cost: a bound for hangs, far above the usual."""


class Broken(AssertionError):  # noqa: N818 -- what is broken is an invariant
    """An invariant does not hold; the first argument is its name."""


def demand(holds: bool, what: str, *shown: object) -> None:
    """Raise when an invariant does not hold."""
    if not holds:
        raise Broken(what, *shown)


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.heard.append(f"{record.getMessage()}: {error!r}")


@contextmanager
def nothing_is_swallowed() -> Iterator[None]:
    """Count what the engine catches and logs as an error, too."""
    listener, logger = _Listener(), logging.getLogger("cachekey")
    before = logger.propagate
    logger.addHandler(listener)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.propagate = before
    demand(not listener.heard, "no rule fails", *listener.heard)


def project_of(files: Mapping[str, str], disk: Mapping[str, str] | None = None) -> Project:
    """Put files into a project; on ``disk`` they may say something else."""
    project = Project(Settings(), dict(files if disk is None else disk).get)
    for path, text in files.items():
        project.add(path, text)
    return project


analysed = 0
"""How many texts were analysed: each as it is, with other line ends, and after each fix."""
ALONE: Mapping[str, str] = {}
"""What stands beside a file that is alone."""
_known: dict[frozenset[tuple[str, str]], list[Finding]] = {}


def check(path: str, text: str, beside: Mapping[str, str] = ALONE) -> list[Finding]:
    """Return the findings of a file and of those beside it."""
    return check_all({**beside, path: text})


def check_all(files: Mapping[str, str]) -> list[Finding]:
    """Return the findings of a workspace."""
    global analysed
    analysed += 1
    project = project_of(files)
    return [item for path in project.documents for item in engine.check(project, path)]


def known(path: str, text: str, beside: Mapping[str, str] = ALONE) -> list[Finding]:
    """Return what :func:`check` has said of a text that several invariants ask for."""
    return known_all({**beside, path: text})


def known_all(files: Mapping[str, str]) -> list[Finding]:
    """Return what :func:`check_all` has said."""
    key = frozenset(files.items())
    found = _known.get(key)
    if found is None:
        found = _known[key] = check_all(files)
    return found


def calls(work: Callable[[], object]) -> int:
    """Count the calls that something makes: the same number on every machine."""
    # The profiler of the standard library counts in C: a tenth of the time of a function of ours.
    profiler = Profiler()
    profiler.enable(subcalls=False, builtins=True)
    try:
        work()
    finally:
        profiler.disable()
    return sum(entry.callcount for entry in profiler.getstats())


# -- one text --------------------------------------------------------------------------------------


def hold(path: str, text: str, beside: Mapping[str, str] = ALONE) -> None:
    """Try everything that is cheap on one text, with other files beside it."""
    _known.clear()
    with nothing_is_swallowed():
        findings = known(path, text, beside)
        spans_are_inside(findings, {**beside, path: text})
        line_ends_do_not_matter(path, text, beside)
        edits_are_disjoint(findings, {**beside, path: text})


def hold_all(path: str, text: str, beside: Mapping[str, str] = ALONE) -> None:
    """Try everything on one text."""
    hold(path, text, beside)
    with nothing_is_swallowed():
        nothing_takes_long(path, text, beside)
        the_order_of_questions_does_not_matter(path, text, beside)
        the_order_of_files_does_not_matter({**beside, path: text})
        another_comment_changes_nothing(path, text, beside)
        for level in (Safety.SAFE, Safety.UNSAFE):
            fixes_come_to_an_end({**beside, path: text}, level)


def spans_are_inside(findings: list[Finding], files: Mapping[str, str]) -> None:
    """Everything that is shown lies in the text, and messages are one line."""
    for finding in findings:
        for where in (finding, *finding.related):
            inside = where.path in files and (
                0 <= where.span.start <= where.span.end <= len(files[where.path])
            )
            demand(inside, "spans lie in the text", finding.code, where)
        ends = re.search(r"[\n\r]", finding.message)
        demand(bool(finding.message) and ends is None, "messages are one line", finding)


def edits_are_disjoint(findings: list[Finding], files: Mapping[str, str]) -> None:
    """The edits of a fix can be applied together, and leave files that are as readable as before."""
    unreadable = unread(findings, files)
    for finding in findings:
        for fix in finding.fixes:
            for path, edits in edits_of(fix).items():
                demand(path in files, "edits lie in known files", finding.code, fix.title, path)
                for edit in edits:
                    inside = 0 <= edit.span.start <= edit.span.end <= len(files[path])
                    demand(inside, "edits lie in the text", finding.code, fix)
                apart = all(one.span.end <= two.span.start for one, two in pairwise(edits))
                demand(apart, "edits are disjoint", finding.code, fix.title)
            if fix.safety is Safety.MANUAL:
                continue
            after = fixed(files, fix)
            broken = unread(known_all(after), after) - unreadable
            demand(not broken, "a fixed text can be read", finding.code, fix.title, after)


def edits_of(fix: Fix) -> dict[str, list[Edit]]:
    """Return the edits of a fix by path, each file's in order."""
    found: dict[str, list[Edit]] = {}
    for item in fix.edits:
        found.setdefault(item.path, []).append(item.edit)
    return {path: sorted(edits, key=lambda edit: edit.span) for path, edits in found.items()}


def fixed(files: Mapping[str, str], fix: Fix) -> dict[str, str]:
    """Return the files after a fix."""
    return {
        **files,
        **{path: apply_edits(files[path], edits) for path, edits in edits_of(fix).items()},
    }


def unread(findings: list[Finding], files: Mapping[str, str]) -> Counter[str]:
    """Return what cannot be read of each file; of YAML we say nothing, since every editor does."""
    found = Counter(item.path for item in findings if item.code == "CK002")
    yaml = (path for path in files if path.endswith((".yml", ".yaml")))
    found.update(path for path in yaml if not parse(Source(files[path])))
    return found


def line_ends_do_not_matter(path: str, text: str, beside: Mapping[str, str] = ALONE) -> None:
    """An editor on Windows sees the same findings on the same lines."""
    if "\r" in text:
        return
    other = text.replace("\n", "\r\n")
    here = _lines({**beside, path: text}, known(path, text, beside))
    there = _lines({**beside, path: other}, check(path, other, beside))
    demand(here == there, "CRLF is LF", sorted(here - there), sorted(there - here))


def _lines(files: Mapping[str, str], findings: list[Finding]) -> set[tuple[str, int, str, str]]:
    sources = {path: Source(text) for path, text in files.items()}
    return {
        (item.path, sources[item.path].line_of(item.span.start), item.code, item.message)
        for item in findings
    }


def nothing_takes_long(path: str, text: str, beside: Mapping[str, str] = ALONE) -> None:
    """A text costs in proportion to its length."""
    made = calls(lambda: [fix.edits for item in check(path, text, beside) for fix in item.fixes])
    length = sum(map(len, (text, *beside.values())))
    bound = CALLS * (1 + len(beside)) + CALLS_A_CHARACTER * length
    demand(made < bound, "nothing takes long", made, len(text))


def the_order_of_questions_does_not_matter(
    path: str, text: str, beside: Mapping[str, str] = ALONE
) -> None:
    """Who has hovered, completed or typed before sees the same findings."""
    findings = known(path, text, beside)
    project = project_of({**beside, path: text[: len(text) // 2]}, {**beside, path: text})
    project.add(path, text)
    for offset in range(0, len(text) + 1, max(1, len(text) // 8)):
        shown = hover(project, path, offset)
        demand(shown is None or shown.span.contains(offset), "hovers are where they are asked for")
        for item in complete(project, path, offset):
            around = item.span.start <= offset <= item.span.end
            demand(around, "completion is where it is asked for", offset, item.span)
    again = [item for name in project.documents for item in engine.check(project, name)]
    demand(
        _sorted(findings) == _sorted(again),
        "the order of questions does not matter",
        findings,
        again,
    )


def the_order_of_files_does_not_matter(files: Mapping[str, str]) -> None:
    """Whichever file of a workspace is read first, all say the same."""
    if len(files) < 2:
        return
    here = known_all(files)
    there = check_all(dict(reversed(files.items())))
    what = "the order of files does not matter"
    demand(_sorted(here) == _sorted(there), what, _only(here, there), _only(there, here))


def _sorted(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda item: (item.path, item.order, item.message))


def _only(some: list[Finding], others: list[Finding]) -> list[Finding]:
    return [item for item in some if item not in others]


_LINE_NUMBER = re.compile(r"\blines? \d+|:\d+\b")
_OPEN = re.compile(r"<<|\\\s*\Z|`\s*\Z|[^\n]\Z")


def another_comment_changes_nothing(
    path: str, text: str, beside: Mapping[str, str] = ALONE
) -> None:
    """A comment beside everything turns nothing that was unknown into a warning."""
    if path in (DEVCONTAINER, *COMMENTED):
        mark = "//" if path == DEVCONTAINER else "#"
        other = f"{mark} a comment\n{text}"
        if text.startswith(("\ufeff", "%")):
            return
    elif path != DOCKERFILE or _OPEN.search(text) or not text:
        return
    else:
        other = f"{text}# a comment\n"
    before, after = (
        Counter((item.path, item.code, _LINE_NUMBER.sub("line", item.message)) for item in some)
        for some in (known(path, text, beside), known(path, other, beside))
    )
    demand(before == after, "another comment changes nothing", before - after, after - before)


def fixes_come_to_an_end(files: Mapping[str, str], level: Safety) -> None:
    """What ``--fix`` leaves behind it does not change once more, and no fix is without effect."""
    texts = dict(files)

    def recheck(news: Mapping[str, str]) -> list[Finding]:
        texts.update(news)
        return known_all(texts)

    first = apply_fixes(files, known_all(files), level, recheck)
    after = {**files, **first.texts}
    texts.update(after)
    second = apply_fixes(after, known_all(after), level, recheck)
    titles = [(item.code, item.title) for item in second.applied]
    demand(second.texts == {}, "a second pass changes nothing", level.value, titles, after)
    # What would make something worse is held back, and was not applied all the same.
    held = {(item.path, item.code, item.message) for item in first.abandoned}
    left = {(item.path, item.code, item.message) for item in first.findings}
    demand(held <= left, "what is held back is still told", held - left)


REVEALING = {"CK002", "CK303", "CK601", "CK701", "CK703", "CK709", "CK711"}
"""A mount that the builder takes at last may have other defects, which nobody could see before."""
TRADED = {"CK102", "CK202"}
"""What a safe fix has no excuse for, besides errors: two caches out of one, two users in one."""


def fixes_mend(path: str, text: str, beside: Mapping[str, str] = ALONE) -> None:
    """A safe fix makes no error, and takes no cache apart."""
    files = {**beside, path: text}
    findings = known_all(files)
    if any(item.message == TOLD for item in findings):
        return
    before = _bad(findings)
    for finding in findings:
        for fix in finding.fixes:
            safe = fix.safety is Safety.SAFE and fix.preferred and fix.edits
            if safe and finding.code not in REVEALING:
                # What was there before may be told of another line now.
                new = _bad(known_all(fixed(files, fix))).keys() - before.keys()
                what = "a safe fix makes no other defect"
                demand(not new, what, finding.code, fix.title, sorted(new))


def _bad(findings: list[Finding]) -> Counter[str]:
    return Counter(
        item.code for item in findings if item.severity is Severity.ERROR or item.code in TRADED
    )
