"""``make demo``: run the command line on a small project and say how to see it in an editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXPECTED = {"check": 1, "keys": 0, "explain": 0}
"""Exit codes: ``check`` finds something, which is what the project is for."""


def main() -> int:
    """Run each command; fail when one ends otherwise than expected."""
    environment = os.environ | ({"FORCE_COLOR": "1"} if sys.stdout.isatty() else {})
    for words in ("check shop", "keys shop", "explain shop/api/Dockerfile:8:20"):
        arguments = shlex.split(words)
        print(f"\n$ cachekey {words}", flush=True)
        ended = subprocess.run(
            [sys.executable, "-m", "cachekey", *arguments], cwd=HERE, env=environment, check=False
        )
        if ended.returncode != EXPECTED[arguments[0]]:
            print(f"cachekey {words} ended with {ended.returncode}", file=sys.stderr)
            return 1
    print(
        "\nIn VS Code: `make vsix`, then run"
        "\n  code --install-extension dist/cachekey.vsix"
        f"\n  code {os.path.relpath(HERE / 'shop', ROOT)}"
        "\nand open api/Dockerfile. Other editors: see docs/editors.md."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
