"""What is only remembered of a base image never warns.

Every case and every example is read twice: on its own images, of which all is remembered only, and on
images that nobody knows. What speaks loudly on the first must do so on the second, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cachekey.finding import Severity
from cachekey.knowledge import Image, Knowledge
from cachekey.knowledge.records import Confidence
from cachekey.record import replace
from cachekey.text import Source
from cachekey.workspace import project
from cachekey.workspace.settings import Settings

from tests.rules.test_rules import CASES, Rule, ids, settings_of, texts
from tests.support.checking import check
from tests.support.markdown import Case

_LOUD = (Severity.ERROR, Severity.WARNING)
_image = Knowledge._image


def _remembered(knowledge: Knowledge, text: str) -> Image | None:
    image = _image(knowledge, text)
    return None if image is None else replace(image, confidence=Confidence.REMEMBERED)


def _unknown(knowledge: Knowledge, text: str) -> None:
    return None


@pytest.fixture
def knowing(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    project._built_in.cache_clear()


def loud(files: dict[str, str], settings: Settings) -> set[tuple[str, int, str]]:
    project._built_in.cache_clear()
    return {
        (item.path, Source(files[item.path]).line_of(item.span.start), item.code)
        for item in check(files, settings)
        if item.severity in _LOUD
    }


@pytest.mark.parametrize(("rule", "case"), CASES, ids=ids(CASES))
def test_what_is_only_remembered_never_warns(
    rule: Rule, case: Case, knowing: pytest.MonkeyPatch
) -> None:
    files, settings = texts(case), settings_of(rule, case)
    knowing.setattr(Knowledge, "_image", _remembered)
    told = loud(files, settings)
    knowing.setattr(Knowledge, "_image", _unknown)
    assert told <= loud(files, settings) or not told
