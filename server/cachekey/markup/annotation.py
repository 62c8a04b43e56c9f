"""GitHub Actions' workflow commands, which put annotations on lines of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from cachekey.markup.message import Message
from cachekey.markup.terminal import Output
from cachekey.markup.visible import one_line

Command = Literal["error", "warning", "notice"]


def annotation(command: Command, properties: Mapping[str, str], text: Message) -> Output:
    """Return one workflow command, as a line."""
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return Output(f"::{command} {written}::{_data(text)}\n")


def _data(text: str) -> str:
    # The runner sees a command of the old kind, "##[…", wherever it stands.
    return one_line(text).replace("%", "%25").replace("##[", "#♯[").replace("##vso[", "#♯vso[")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
