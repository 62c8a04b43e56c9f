"""The command line's grammar: commands, options, and one line for whoever gets it wrong."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import NoReturn

from cachekey.cli import builder_usage
from cachekey.cli.completion import SHELLS
from cachekey.cli.terminal import UsageError
from cachekey.report.formats import FORMATS
from cachekey.suggest import nearest

COMMANDS = {
    "check": "find defects of build caches and fix them",
    "keys": "list every cache mount with its key",
    "map": "draw which files share which caches",
    "ci": "say which builds of workflows lose their caches, and check cache-dance maps",
    "diff": "say what becomes of the caches since a git revision",
    "explain": "say what stands at a place, as a hover does",
    "rule": "document the rules",
    "settings": "show the settings in force and who set them",
    **builder_usage.COMMANDS,
    "completion": "print the script with which a shell completes this command line",
    "mcp": "serve agents that speak the Model Context Protocol",
    "lsp": "serve an editor",
}
LEVELS = ("error", "warning", "info", "information", "hint", "never")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Leave the exit and its message to the caller."""
        raise UsageError(message)


def _parser(command: str) -> _Parser:
    return _Parser(prog=f"cachekey {command}", description=COMMANDS[command], allow_abbrev=False)


def overview() -> str:
    """Return the help of the program itself."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        (
            "usage: cachekey COMMAND [OPTION...]",
            "",
            "Makes Docker build caches visible: their keys, their owners, and what is wrong.",
            "",
            *lines,
            "",
            "cachekey COMMAND --help explains a command, cachekey --version tells the version.",
            "Exit status: 0 clean, 1 findings, 2 wrong usage or a file that cannot be read.",
            "",
        )
    )


def _check() -> _Parser:
    parser = _parser("check")
    _paths(parser)
    parser.add_argument("--format", choices=("text", *FORMATS), default="text")
    parser.add_argument("--output-file", metavar="FILE", help="write the report to a file")
    parser.add_argument(
        "--statistics", action="store_true", help="count the findings of each rule, list none"
    )
    parser.add_argument(
        "--hints", action="store_true", help="list hints too; else they are only counted"
    )
    parser.add_argument("--fix", action="store_true", help="apply safe fixes")
    parser.add_argument(
        "--unsafe-fixes", action="store_true", help="with --fix or --diff: unsafe fixes as well"
    )
    parser.add_argument("--diff", action="store_true", help="show what --fix would change")
    parser.add_argument(
        "--select", action="append", metavar="RULES", help="rules to run: CK101,CK2,split-cache"
    )
    parser.add_argument("--ignore", action="append", metavar="RULES", help="rules not to run")
    parser.add_argument(
        "--fail-on",
        choices=LEVELS,
        default="warning",
        metavar="LEVEL",
        help="least severity that exits with 1: error, warning, info, hint or never",
    )
    parser.add_argument(
        "--baseline", metavar="FILE", help="leave out the findings that this file holds"
    )
    parser.add_argument(
        "--write-baseline", metavar="FILE", help="write all findings to a baseline, and end with 0"
    )
    parser.add_argument(
        "--add-ignores", action="store_true", help="write an ignore comment for each finding"
    )
    parser.add_argument("--watch", action="store_true", help="check again at every change")
    parser.add_argument(
        "--show-settings", action="store_true", help="show the settings in force, check nothing"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="processes for many files (default: all processors)"
    )
    _resolving(parser)
    parser.add_argument(
        "--stdin-filename", metavar="NAME", help="the name of what is read from standard input"
    )
    return parser


def _keys() -> _Parser:
    parser = _parser("keys")
    _paths(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    _resolving(parser)
    return parser


def _map() -> _Parser:
    parser = _parser("map")
    _paths(parser)
    formats = ("text", "svg", "html", "mermaid", "json")
    parser.add_argument("--format", choices=formats, default="text")
    _resolving(parser)
    return parser


def _ci() -> _Parser:
    parser = _parser("ci")
    _paths(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--write-map", action="store_true", help="print the steps that carry the caches, to paste"
    )
    _resolving(parser)
    return parser


def _diff() -> _Parser:
    parser = _parser("diff")
    parser.add_argument("revision", metavar="REV", help="the git revision to compare with")
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files and folders (default: the working directory)",
    )
    parser.add_argument("--format", choices=("text", "markdown", "json"), default="text")
    _resolving(parser)
    return parser


def _explain() -> _Parser:
    parser = _parser("explain")
    parser.add_argument("place", metavar="FILE:LINE[:COL]", help="lines and columns from 1")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    _resolving(parser)
    return parser


def _builder() -> _Parser:
    parser = _parser("builder")
    _paths(parser)
    builder_usage.add_builder(parser)
    _resolving(parser)
    return parser


def _prove() -> _Parser:
    parser = _parser("prove")
    builder_usage.add_prove(parser)
    _resolving(parser)
    return parser


def _rule() -> _Parser:
    parser = _parser("rule")
    parser.add_argument("rule", nargs="?", metavar="CODE", help="code or name; none: all rules")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    return parser


def _settings() -> _Parser:
    parser = _parser("settings")
    _paths(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    _resolving(parser)
    return parser


def _completion() -> _Parser:
    parser = _parser("completion")
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    return parser


def _mcp() -> _Parser:
    parser = _parser("mcp")
    _resolving(parser)
    return parser


def _lsp() -> _Parser:
    parser = _parser("lsp")
    parser.add_argument("--tcp", metavar="HOST:PORT", help="serve on a port, not on stdin/stdout")
    # Clients add it by habit; it is what happens anyway.
    parser.add_argument("--stdio", action="store_true", help=argparse.SUPPRESS)
    return parser


PARSERS = {
    "check": _check,
    "keys": _keys,
    "map": _map,
    "ci": _ci,
    "diff": _diff,
    "explain": _explain,
    "rule": _rule,
    "settings": _settings,
    "builder": _builder,
    "prove": _prove,
    "completion": _completion,
    "mcp": _mcp,
    "lsp": _lsp,
}


def _paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files and folders (default: the working directory), - for standard input",
    )


def _resolving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="settings file to use for everything")
    parser.add_argument("--namespace", metavar="NS", help="cache namespace of the builds")
    parser.add_argument(
        "--build-arg",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="value of a build argument; NAME alone takes it from the environment",
    )
    parser.add_argument("--engine", choices=("buildkit", "buildah"), help="builder to follow")


def parse(arguments: Sequence[str]) -> tuple[str, argparse.Namespace]:
    """Return the command and its options; raises :class:`UsageError`."""
    if not arguments:
        raise UsageError(f"a command is missing: {_listed(list(COMMANDS))}")
    command = arguments[0]
    if command not in PARSERS:
        what = "option" if command.startswith("-") else "command"
        known = ("--help", "--version") if what == "option" else tuple(COMMANDS)
        meant = nearest(command, known)
        if meant is None and what == "command" and os.path.exists(command):
            meant = f"check {command}"
        tail = f"; did you mean '{meant}'?" if meant else f"; there are {_listed(list(known))}"
        raise UsageError(f"there is no {what} '{command}'{tail}")
    parser = PARSERS[command]()
    options, rest = parser.parse_known_intermixed_args(list(arguments[1:]))
    if rest:
        raise UsageError(_unknown(parser, rest))
    return command, options


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _unknown(parser: argparse.ArgumentParser, rest: Sequence[str]) -> str:
    wrong = next((item for item in rest if item.startswith("-")), None)
    if wrong is None:
        return f"there is one argument too many: '{rest[0]}'"
    name = wrong.partition("=")[0]
    known = [text for action in parser._actions for text in action.option_strings]
    meant = nearest(name, known, max(3, len(name) // 3))
    return f"there is no option '{name}'" + (f"; did you mean '{meant}'?" if meant else "")
