"""Findings that comments silence, and the comments that silence nothing: see :mod:`.comments`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from cachekey.budget import MOST_RELATED
from cachekey.checking.comments import Code, Ignore, Layout, ignores
from cachekey.finding import TOO, FileEdit, Finding, Fix, Safety, Severity
from cachekey.record import record, replace
from cachekey.selectors import Named, quote, unknown_rule, weigh
from cachekey.text import Edit, Span
from cachekey.workspace.settings import Settings

_MOST_NAMES = 20
"""Idle names of one comment that are told, each by itself; the fix deletes them all."""


@record(frozen=True)
class _Name:
    code: str
    name: str


UNUSED = _Name("CK001", "unused-ignore")
UNREADABLE = _Name("CK002", "unreadable-file")
"""The rules that are no walk over a model: idle comments, and what cannot be read."""


@dataclass
class _Use:
    """What a comment turned out to silence."""

    ignore: Ignore
    target: Span
    codes: set[Code] = field(default_factory=set)
    any: bool = False

    def silences(self, rule: Named) -> bool:
        """Tell whether the comment names ``rule``, and remember that it was needed."""
        if self.ignore.codes is None:
            # A comment that means everything must not hide that it is idle itself.
            self.any = self.any or rule != UNUSED
            return rule != UNUSED
        matching = [code for code in self.ignore.codes if weigh(code.text, rule)]
        self.codes.update(matching)
        return bool(matching)


@dataclass
class _Group:
    """The comments that stand for the same thing; there may be many, and many findings in it."""

    target: Span
    uses: list[_Use] = field(default_factory=list)
    known: dict[str, bool] = field(default_factory=dict)

    def silences(self, rule: Named) -> bool:
        """Tell whether one of the comments names ``rule``; each learns that it was needed."""
        if rule.code not in self.known:
            # All of them are asked, whatever the first one says.
            answers = [use.silences(rule) for use in self.uses]
            self.known[rule.code] = True in answers
        return self.known[rule.code]


@dataclass
class _Judge:
    """Says of a name in a comment what follows when nothing of it was silenced."""

    settings: Settings
    rules: Sequence[Named]
    known: dict[str, tuple[bool, bool]] = field(default_factory=dict)

    def __call__(self, text: str) -> tuple[bool, bool]:
        """Return whether its rules ran, and whether other files matter to them."""
        if text not in self.known:
            named = [rule for rule in self.rules if weigh(text, rule)]
            ran = UNUSED not in named and all(self.settings.selects(rule) for rule in named)
            # A cache's other mounts may stand in files that this run does not see.
            elsewhere = any(rule.code.startswith("CK1") for rule in named)
            self.known[text] = ran, elsewhere
        return self.known[text]

    def says(self, text: str) -> str:
        """Return the message; looking for a name that was meant takes its time."""
        nothing = f"This comment silences nothing of {quote(text)}"
        return unknown_rule(text, self.rules) or nothing


def apply_suppressions(
    place: Layout | None,
    findings: Iterable[Finding],
    settings: Settings,
    rules: Sequence[Named] | None = None,
) -> list[Finding]:
    """Take away the findings that comments silence, add one for each idle comment, and sort.

    ``place`` is None for a file without any comment of ours. A name in a comment is idle only if its
    rule ran: what ``settings`` leave out proves nothing.
    """
    findings = list(findings)
    if place is None:
        return sorted(findings, key=lambda item: item.order)
    if rules is None:
        from cachekey.rules import ALL

        rules = ALL
    # By names alone, so that this module's own compare equal to those of a list of rules.
    rules = [_Name(rule.code, rule.name) for rule in rules]
    rules += [own for own in (UNUSED, UNREADABLE) if own not in rules]
    uses = [_Use(item, item.target or Span(-1, -1)) for item in ignores(place)]
    kept = _audible(findings, uses)
    if settings.selects(UNUSED) and not place.partly:
        judge = _Judge(settings, rules)
        idle = [finding for use in uses for finding in _idle(place, use, judge)]
        kept += _audible(idle, [use for use in uses if _names_itself(use.ignore)])
    return sorted(kept, key=lambda item: item.order)


def _names_itself(ignore: Ignore) -> bool:
    return any(weigh(code.text, UNUSED) for code in ignore.codes or ())


def _audible(findings: Iterable[Finding], uses: Iterable[_Use]) -> list[Finding]:
    """Return the findings that no comment silences.

    What speaks for several places is silenced by a comment at the first of them; one at another takes
    that place out of it.
    """
    groups: dict[Span, _Group] = {}
    for use in uses:
        groups.setdefault(use.target, _Group(use.target)).uses.append(use)
    waiting = sorted(groups.values(), key=lambda group: group.target.start, reverse=True)
    active: list[_Group] = []
    findings = list(findings)
    for finding in findings:
        if len(finding.related) >= MOST_RELATED:
            # Not all of its places are named: whose comment is idle nobody can tell.
            for group in groups.values():
                group.silences(_Name(finding.code, finding.rule))
    silenced: list[set[Span]] = [set() for _ in findings]
    # A finding stands at each place it speaks for: a comment at any of them is no idle one.
    places = [(span, i) for i, finding in enumerate(findings) for span in finding.places()]
    for span, number in sorted(places, key=lambda item: item[0].start):
        finding, at = findings[number], span.start
        while waiting and waiting[-1].target.start <= at:
            active.append(waiting.pop())
        active = [group for group in active if group.target.end >= at]
        rule = _Name(finding.code, finding.rule)
        # Every one of them is asked: each must know that it was needed.
        if [group for group in active if group.silences(rule)]:
            silenced[number].add(span)
    return [
        _without(finding, gone)
        for finding, gone in zip(findings, silenced, strict=True)
        if finding.span not in gone
    ]


def _without(finding: Finding, gone: set[Span]) -> Finding:
    """Return a finding that no longer speaks for some of its places."""
    if not gone:
        return finding
    kept = [item for item in finding.related if item.message != TOO or item.span not in gone]
    return replace(finding, related=tuple(kept))


def _idle(place: Layout, use: _Use, judge: _Judge) -> Iterable[Finding]:
    ignore, settings = use.ignore, judge.settings
    if ignore.problem:
        meant = ignore.suggestion
        fix = partial(_fix, place, "Correct the comment", meant) if meant else None
        yield _finding(place, settings, ignore.span, ignore.problem, fix)
        return
    if ignore.codes is None:
        if not use.any and all(settings.selects(rule) for rule in judge.rules):
            # Some of these rules look at other files as well.
            fix = partial(_deletion, place, ignore, elsewhere=True)
            yield _finding(place, settings, ignore.span, "This comment silences nothing", fix)
        return
    idle = [code for code in ignore.codes if code not in use.codes and judge(code.text)[0]]
    if not idle:
        return
    fix = partial(_removal, place, ignore, idle, any(judge(code.text)[1] for code in idle))
    for code in idle[:_MOST_NAMES]:
        span = ignore.span if len(ignore.codes) == 1 else code.span
        yield _finding(place, settings, span, judge.says(code.text), fix)


def _finding(
    place: Layout, settings: Settings, span: Span, message: str, fix: Callable[[], Fix] | None
) -> Finding:
    severity = settings.severity_of(UNUSED, Severity.INFORMATION)
    code, name = UNUSED.code, UNUSED.name

    def fixes() -> Iterator[Fix]:
        if fix is not None:
            yield fix()

    return Finding(place.path, code, name, severity, span, message, (), fixes, unnecessary=True)


def _fix(place: Layout, title: str, edit: Edit, *, elsewhere: bool = False) -> Fix:
    edits = (FileEdit(place.path, edit),)
    if not elsewhere:
        return Fix(title, lambda: edits, preferred=True)
    reason = "it may silence a finding that rests on a file which was not checked"
    return Fix(title, lambda: edits, Safety.UNSAFE, preferred=True, reason=reason)


def _removal(place: Layout, ignore: Ignore, idle: list[Code], elsewhere: bool) -> Fix:
    """Delete the idle names of a list, or the whole comment when none remains."""
    codes = ignore.codes or ()
    kept = [code.text for code in codes if code not in idle]
    if not kept:
        return _deletion(place, ignore, elsewhere=elsewhere)
    inner = Span(codes[0].span.start, codes[-1].span.end)
    names = ", ".join(code.text for code in idle[:_MOST_NAMES])
    edit = Edit(inner, ", ".join(kept))
    return _fix(place, f"Delete {names} from the comment", edit, elsewhere=elsewhere)


def _deletion(place: Layout, ignore: Ignore, *, elsewhere: bool) -> Fix:
    source = place.source
    first, last = source.line_of(ignore.span.start), source.line_of(ignore.span.end)
    start, end = source.line_starts[first], source.line_span(last).end
    before = source.text[start : ignore.span.start]
    after = source.text[ignore.span.end : end]
    if after.strip():
        span = Span(ignore.span.start, ignore.span.end + len(after) - len(after.lstrip()))
    elif before.strip("\ufeff \t"):
        span = Span(ignore.span.start - (len(before) - len(before.rstrip())), ignore.span.end)
    else:
        # The byte order mark belongs to the file, not to its first line.
        start += len(before) - len(before.lstrip("\ufeff"))
        following = last + 1 < len(source.line_starts)
        span = Span(start, source.line_starts[last + 1] if following else end)
    return _fix(place, "Delete the comment", Edit(span, ""), elsewhere=elsewhere)
