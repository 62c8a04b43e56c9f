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
from cachekey.finding import FileEdit, Finding, Safety, Severity
from cachekey.text import Source, apply_edits
from cachekey.workspace.project import Project
from cachekey.workspace.settings import Settings

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


def project_of(files: Mapping[str, str]) -> Project:
    """Put files into a project."""
    project = Project(Settings(), dict(files).get)
    for path, text in files.items():
        project.add(path, text)
    return project


analysed = 0
"""How many texts were analysed: each as it is, with other line ends, and after each fix."""
_known: dict[tuple[str, str], list[Finding]] = {}


def check(path: str, text: str) -> list[Finding]:
    """Return the findings of a file that is alone."""
    global analysed
    analysed += 1
    return engine.check(project_of({path: text}), path)


def known(path: str, text: str) -> list[Finding]:
    """Return what :func:`check` has said of a text that several invariants ask for."""
    found = _known.get((path, text))
    if found is None:
        found = _known[path, text] = check(path, text)
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


def hold(path: str, text: str) -> None:
    """Try everything that is cheap on one text."""
    _known.clear()
    with nothing_is_swallowed():
        findings = known(path, text)
        spans_are_inside(path, text, findings)
        line_ends_do_not_matter(path, text, findings)
        edits_are_disjoint(path, text, findings)


def hold_all(path: str, text: str) -> None:
    """Try everything on one text."""
    hold(path, text)
    with nothing_is_swallowed():
        nothing_takes_long(path, text)
        the_order_of_questions_does_not_matter(path, text)
        another_comment_changes_nothing(path, text)
        for level in (Safety.SAFE, Safety.UNSAFE):
            fixes_come_to_an_end(path, text, level)


def spans_are_inside(path: str, text: str, findings: list[Finding]) -> None:
    """Everything that is shown lies in the text, and messages are one line."""
    for finding in findings:
        for where in (finding, *finding.related):
            inside = 0 <= where.span.start <= where.span.end <= len(text)
            demand(inside and where.path == path, "spans lie in the text", finding.code, where)
        ends = re.search(r"[\n\r]", finding.message)
        demand(bool(finding.message) and ends is None, "messages are one line", finding)


def edits_are_disjoint(path: str, text: str, findings: list[Finding]) -> None:
    """The edits of a fix can be applied together, and leave a file that is as readable as before."""
    unreadable = Counter(item.code for item in findings)["CK002"]
    for finding in findings:
        for fix in finding.fixes:
            edits = sorted((item.edit for item in fix.edits), key=lambda edit: edit.span)
            for edit in edits:
                demand(
                    0 <= edit.span.start <= edit.span.end <= len(text), "edits lie in the text", fix
                )
            apart = all(one.span.end <= two.span.start for one, two in pairwise(edits))
            demand(apart, "edits are disjoint", finding.code, fix.title)
            if fix.safety is Safety.MANUAL:
                continue
            after = apply_edits(text, edits)
            broken = sum(item.code == "CK002" for item in known(path, after)) > unreadable
            demand(not broken, "a fixed text can be read", finding.code, fix.title, after)


def line_ends_do_not_matter(path: str, text: str, findings: list[Finding]) -> None:
    """An editor on Windows sees the same findings on the same lines."""
    if "\r" in text:
        return
    other = text.replace("\n", "\r\n")
    here, there = _lines(text, findings), _lines(other, check(path, other))
    demand(here == there, "CRLF is LF", sorted(here - there), sorted(there - here))


def _lines(text: str, findings: list[Finding]) -> set[tuple[int, str, str]]:
    source = Source(text)
    return {(source.line_of(item.span.start), item.code, item.message) for item in findings}


def nothing_takes_long(path: str, text: str) -> None:
    """A text costs in proportion to its length."""
    made = calls(lambda: [fix.edits for item in check(path, text) for fix in item.fixes])
    bound = CALLS + CALLS_A_CHARACTER * len(text)
    demand(made < bound, "nothing takes long", made, len(text))


def the_order_of_questions_does_not_matter(path: str, text: str) -> None:
    """Who has hovered, completed or typed before sees the same findings."""
    findings = known(path, text)
    project = project_of({path: text[: len(text) // 2]})
    project.add(path, text)
    for offset in range(0, len(text) + 1, max(1, len(text) // 8)):
        shown = hover(project, path, offset)
        demand(shown is None or shown.span.contains(offset), "hovers are where they are asked for")
        for item in complete(project, path, offset):
            around = item.span.start <= offset <= item.span.end
            demand(around, "completion is where it is asked for", offset, item.span)
    again = engine.check(project, path)
    demand(findings == again, "the order of questions does not matter", findings, again)


_LINE_NUMBER = re.compile(r"\blines? \d+")


def another_comment_changes_nothing(path: str, text: str) -> None:
    """A comment behind everything turns nothing that was unknown into a warning."""
    if path.endswith(".json"):
        other = f"// a comment\n{text}"
        if text.startswith("\ufeff"):
            return
    elif re.search(r"<<|\\\s*\Z|`\s*\Z|[^\n]\Z", text) or not text:
        return
    else:
        other = f"{text}# a comment\n"
    before, after = (
        Counter((item.code, _LINE_NUMBER.sub("line", item.message)) for item in some)
        for some in (known(path, text), known(path, other))
    )
    demand(before == after, "another comment changes nothing", before - after, after - before)


def fixes_come_to_an_end(path: str, text: str, level: Safety) -> None:
    """What ``--fix`` leaves behind it does not change once more, and no fix is without effect."""
    texts = {path: text}

    def recheck(news: Mapping[str, str]) -> list[Finding]:
        texts.update(news)
        return known(path, texts[path])

    first = apply_fixes({path: text}, known(path, text), level, recheck)
    after = {path: text, **first.texts}
    texts.update(after)
    second = apply_fixes(after, known(path, after[path]), level, recheck)
    titles = [(item.code, item.title) for item in second.applied]
    demand(second.texts == {}, "a second pass changes nothing", level.value, titles, after[path])
    # What would make something worse is held back, and was not applied all the same.
    held = {(item.path, item.code, item.message) for item in first.abandoned}
    left = {(item.path, item.code, item.message) for item in first.findings}
    demand(held <= left, "what is held back is still told", held - left)


REVEALING = {"CK002", "CK303", "CK601", "CK701", "CK703", "CK709", "CK711"}
"""A mount that the builder takes at last may have other defects, which nobody could see before."""
TRADED = {"CK102", "CK202"}
"""What a safe fix has no excuse for, besides errors: two caches out of one, two users in one."""


def fixes_mend(path: str, text: str) -> None:
    """A safe fix makes no error, and takes no cache apart."""
    findings = known(path, text)
    if any(item.message == TOLD for item in findings):
        return
    before = _bad(findings)
    for finding in findings:
        for fix in finding.fixes:
            safe = fix.safety is Safety.SAFE and fix.preferred and fix.edits
            if safe and finding.code not in REVEALING:
                edits = [item.edit for item in fix.edits if isinstance(item, FileEdit)]
                # What was there before may be told of another line now.
                new = _bad(known(path, apply_edits(text, edits))).keys() - before.keys()
                what = "a safe fix makes no other defect"
                demand(not new, what, finding.code, fix.title, sorted(new))


def _bad(findings: list[Finding]) -> Counter[str]:
    return Counter(
        item.code for item in findings if item.severity is Severity.ERROR or item.code in TRADED
    )
