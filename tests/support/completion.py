"""The completion scripts of the shells, made by shtab from the command line's own grammar."""

from __future__ import annotations

import argparse

import shtab
from cachekey.cli.usage import COMMANDS, PARSERS
from cachekey.report.rules import catalog


def script(shell: str) -> str:
    """Return the script of a shell."""
    top = argparse.ArgumentParser(prog="cachekey", allow_abbrev=False)
    top.add_argument("-V", "--version", action="store_true", help="tell the version")
    commands = top.add_subparsers(dest="command")
    for name, make in PARSERS.items():
        parser = commands.add_parser(
            name, parents=[make()], add_help=False, description=COMMANDS[name], help=COMMANDS[name]
        )
        for action in parser._actions:
            _complete(action)
    text = shtab.complete(top, shell)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _complete(action: argparse.Action) -> None:
    """Say what completes a value whose choices argparse does not know."""
    if action.metavar in {"FILE", "PATH", "DIR", "FILE:LINE[:COL]"}:
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif action.metavar in {"CODE", "RULES"}:
        action.choices = [*(rule.code for rule in catalog()), *(rule.name for rule in catalog())]
