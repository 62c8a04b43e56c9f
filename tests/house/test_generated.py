"""What is generated in the README and the extension's manifest is up to date."""

from __future__ import annotations

import pytest

from tests.support.generate import FILES


@pytest.mark.parametrize(("path", "make"), FILES, ids=lambda item: getattr(item, "name", ""))
def test_generated_parts_are_up_to_date(path, make) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == make(text), "run `make docs`"
