"""The grammar of the commands that ask a running builder."""

from __future__ import annotations

import argparse

COMMANDS = {
    "builder": "show the caches of the running builder and which mounts they belong to",
    "prove": "build cold and warm, and measure what each cache mount saves",
}


def add_builder(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``cachekey builder``."""
    parser.add_argument("--format", choices=("text", "json", "html"), default="text")
    _which(parser)
    parser.add_argument(
        "--history",
        type=int,
        nargs="?",
        const=10,
        metavar="N",
        help="tell of the last N builds as well (default: 10)",
    )
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


def add_prove(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``cachekey prove``."""
    parser.add_argument(
        "file",
        metavar="FILE|TARGET",
        help="a Dockerfile, its folder, a stage of ./Dockerfile, or a Bake target or Compose service "
        "below this folder; FILE:NAME is one of that file",
    )
    parser.add_argument("--format", choices=("text", "json", "html"), default="text")
    _which(parser)
    parser.add_argument(
        "--runs", type=int, default=3, metavar="N", help="builds, the first one cold (default: 3)"
    )
    parser.add_argument(
        "--context", metavar="DIR", help="build context (default: the Dockerfile's folder)"
    )
    parser.add_argument(
        "--build-context",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an additional named context",
    )
    parser.add_argument("--target", metavar="STAGE", help="stage to build (default: the last)")
    parser.add_argument("--platform", metavar="PLATFORM", help="platform to build for")
    parser.add_argument(
        "--secret", action="append", default=[], metavar="id=ID,src=FILE", help="a secret to pass"
    )
    parser.add_argument(
        "--ssh", action="append", default=[], metavar="default|id=ID", help="an SSH agent to pass"
    )
    parser.add_argument(
        "--network",
        choices=("default", "none", "host"),
        help="network of the RUN instructions (default: the builder's)",
    )
    parser.add_argument(
        "--steps", action="store_true", help="tell of each step as it begins, also in a pipe"
    )
    parser.add_argument("--keep", action="store_true", help="keep the caches that were made")
