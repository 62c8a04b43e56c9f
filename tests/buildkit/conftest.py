"""Says at the end which builders took part and what they proved."""

from __future__ import annotations

import pytest

from . import builders, session


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints one line a builder."""
    lines = session.summary()
    if lines:
        terminalreporter.section("builders")
        for line in lines:
            terminalreporter.write_line(line)


def pytest_sessionfinish() -> None:
    """Stops what was started; done again, to no effect, when Python ends."""
    builders.close_all()
