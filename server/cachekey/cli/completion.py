"""``cachekey completion``: the scripts with which shells complete the command line.

``make docs`` makes them from the grammar in :mod:`cachekey.cli.usage`, so that a run needs no library.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cachekey.cli.terminal import write
from cachekey.markup.terminal import text_output

if TYPE_CHECKING:
    from argparse import Namespace

SHELLS = ("bash", "zsh", "fish")
FOLDER = Path(__file__).parent / "completions"


def run(options: Namespace) -> int:
    """Run ``cachekey completion``."""
    script = (FOLDER / f"cachekey.{options.shell}").read_text(encoding="utf-8")
    write(sys.stdout, text_output(script))
    return 0
