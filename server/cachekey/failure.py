"""How a failure of the program itself is told: one line, never a traceback."""

from __future__ import annotations


def internal_error(error: BaseException) -> str:
    """Say in one line that the program is wrong, not its user."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
        where = f" ({file}:{trace.tb_lineno})"
    return f"internal error: {type(error).__name__}: {error}{where}"
