"""What people read is written for people and told once: messages, places, titles and hovers of all cases."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

import pytest
from cachekey.assist import hover as explain
from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import Finding, Safety
from cachekey.knowledge import Knowledge
from cachekey.rules import ALL

from tests.rules.test_rules import CASES, texts
from tests.support.checking import check, make_project, make_settings
from tests.support.promise import is_dockerfile
from tests.support.restated import instructions

NAMES = {tool.name for tool in Knowledge().tools()}
"""Names that begin a sentence as they are written: ``npm``, ``uv``."""


@cache
def findings() -> tuple[Finding, ...]:
    seen = {}
    for _, case in CASES:
        for finding in check(texts(case), make_settings((), case.settings)):
            seen.setdefault((finding.code, finding.message), finding)
    return tuple(seen.values())


def of(rule: str) -> list[Finding]:
    return [finding for finding in findings() if finding.rule == rule]


def assert_plain(text: str, what: object) -> None:
    assert not re.search(r"\b([A-Za-z]+) \1\b", text), f"a doubled word: {what}"
    assert not re.search(r"(?<![\w/])#\d|\bNone\b|\[\]|\(\)|``| [,.:;](?![\w/])|  | $", text), what
    assert not re.search(r"\b1 (?:mounts|lines|files|places|clean-ups)\b", text), what
    assert "`" not in text, f"no Markdown here: {what}"


def assert_sentence_case(text: str, what: object) -> None:
    begins_as_a_word = re.match(r"[a-z]+(?=[ ,.:'])", text)
    named = any(text.startswith(f"{name} ") for name in NAMES)
    assert named or not begins_as_a_word, f"a small letter: {what}"


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_messages(rule) -> None:
    for finding in of(rule.name):
        text, what = finding.message, (finding.code, finding.message)
        assert_plain(text, what)
        assert_sentence_case(text, what)
        sentences = re.split(r"\. (?=[A-Z])", text)
        assert len(sentences) <= 2, what
        assert text.endswith(".") == (len(sentences) == 2), (
            f"a full stop ends two sentences: {what}"
        )
        assert text.count(": ") <= 2, what
        for related in finding.related:
            assert_plain(related.message, what)
            assert_sentence_case(related.message, (what, related.message))
            assert not related.message.endswith("."), (what, related.message)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_titles(rule) -> None:
    for finding in of(rule.name):
        for fix in finding.fixes:
            what = (finding.code, fix.title, fix.reason)
            assert_plain(fix.title, what)
            assert re.match(r"[A-Z][a-z]+\b", fix.title), what
            assert not fix.title.endswith("."), what
            assert "{" not in re.sub(r"\$\{", "", fix.title), f"a place that nobody filled: {what}"
            assert fix.safety is Safety.SAFE or not fix.reason.endswith("."), what
            # It stands in brackets behind the title.
            assert not re.match(r"(?:A|It|Only|That|The)\b", fix.reason), what


@pytest.mark.parametrize(("rule", "case"), CASES, ids=lambda item: getattr(item, "title", ""))
def test_titles_say_to_how_many_places(rule, case) -> None:
    """Whoever presses it knows which other instructions change."""
    files = texts(case)
    starts = {
        path: [item.places[0] for item in instructions(text) if item.places]
        for path, text in files.items()
        if is_dockerfile(path, text)
    }
    for finding in check(files, make_settings((), case.settings)):
        for fix in finding.fixes:
            touched = {
                (item.path, bisect_right(starts[item.path], item.edit.span.start))
                for item in fix.edits
                if item.path in starts
            }
            told = re.search(r"\b(?:lines? \d+|\d+ lines|mounts? in|stages?)\b", fix.title)
            assert len(touched) <= 1 or told, (finding.code, fix.title, touched)


def hovers() -> Iterator[tuple[str, str]]:
    for rule, case in CASES:
        project = make_project(texts(case), make_settings((), case.settings))
        for path, document in project.documents.items():
            if isinstance(document, Dockerfile):
                for run in document.runs:
                    for mount in run.mounts:
                        hover = explain.hover(project, path, mount.span.start + 2)
                        if hover is not None:
                            yield f"{rule.name}: {case.title}", hover.markdown


def test_hovers() -> None:
    for title, text in hovers():
        plain = re.sub(r"`[^`]*`|\]\([^)]*\)", "", text)
        assert not re.search(r"\b([A-Za-z]{3,}) \1\b", plain), (title, text)
        assert not re.search(r"\bNone\b|(?<![\w/])#\d|\b1 (?:mounts|lines|files)\b", plain), (
            title,
            text,
        )


@pytest.mark.parametrize(("rule", "case"), CASES, ids=lambda item: getattr(item, "title", ""))
def test_one_cause_is_one_finding(rule, case) -> None:
    """No two findings of a rule have the very same fix: the first place speaks for all.

    A mount that no tool uses is told at each RUN: each of them is slow by itself. The fix moves all.
    """
    if rule.code == "CK301":
        return
    seen = {}
    for finding in check(texts(case), make_settings((), case.settings)):
        for fix in finding.fixes:
            what = (finding.path, finding.code, frozenset(fix.edits))
            other = seen.setdefault(what, finding) if fix.edits else finding
            assert other is finding, (finding.code, fix.title, other.message, finding.message)
