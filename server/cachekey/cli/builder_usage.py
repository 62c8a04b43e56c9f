"""The grammar of the commands that ask a running builder."""

from __future__ import annotations

import argparse

COMMANDS = {
    "builder": "show the caches of the running builder and which mounts they belong to",
}


def add_builder(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``cachekey builder``."""
    parser.add_argument("--format", choices=("text", "json"), default="text")
    _which(parser)
    parser.add_argument(
        "--watch",
        type=_seconds,
        nargs="?",
        const=5.0,
        metavar="SECONDS",
        help="show it again and again (default: every 5 seconds)",
    )


def _which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--builder",
        metavar="NAME",
        help="a builder of buildx, an address of buildkitd, or buildah (default: the one in use)",
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 86400:
        raise ValueError(text)
    return seconds
