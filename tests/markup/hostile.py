"""A workspace that means ill wherever it may choose a word, and what no exit may let through."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

WORDS = {
    "link": "[Update](command:workbench.action.terminal.new)",
    "image": "![x](https://evil.example/x.png)",
    "tag": "<img src=https://evil.example/x.png>",
    "autolink": "<command:workbench.action.quit>",
    "reference": "[Update][1]",
    "address": "https://evil.example/x",
    "bare": "www.evil.example",
    "mail": "me@evil.example",
    "fence": "`](command:x)`",
    "fences": "``[a](command:b)```c",
    "fence at the end": "x`",
    "backslash": "\\`[a](command:b)",
    "entity": "&#91;a&#93;(command:b)",
    "weight": "**_~~x~~_**",
    "title": "\x1b]0;owned\x07",
    "clear": "\x1b[2J\x1b[31mred",
    "c1": "\x9b31mred",
    "bell": "\x07\x08\x08",
    "carriage": "good\rEVIL",
    "lines": "a\n::error::b\r\n##[error]c",
    "old command": "##[error]x",
    "azure": "##vso[task.setvariable variable=a]b",
    "command": "::set-output name=a::b",
    "turned": "\u202egpj.exe",
    "isolate": "\u2066x\u2069",
    "separator": "a\u2028b\u2029c",
    "tag character": "\U000e0041",
}
"""By what they try."""
ON_ONE_LINE = {name: word for name, word in WORDS.items() if not re.search(r"[\r\n]", word)}

_CODE = re.compile(r"(?<!`)(`+)(?!`)(.*?[^`])\1(?!`)")
_OWN_LINK = re.compile(r"\[[^\[\]]*\]\((?:file|https)://[^\s()<>`]*\)")
_RUNNER = re.compile(r"##\[|##vso\[|^\s*::", re.MULTILINE)


def steers(text: str) -> list[str]:
    """Return the characters that do something else than look like themselves, line ends left out."""
    return [
        char
        for char in text
        if char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
    ]


def wrong_in_message(text: str) -> str | None:
    """Say what is wrong with one line of plain text."""
    if steers(text) or "\n" in text:
        return "it is not one line of visible characters"
    if "](" in text or "][" in text:
        return "it holds a link"
    return "it holds a tag" if re.search(r"<[A-Za-z/!?][^<>]*>", text) else None


def wrong_in_plain(text: str) -> str | None:
    """Say what is wrong with lines of plain text."""
    return "a character steers" if steers(text) else None


def wrong_in_markdown(text: str) -> str | None:
    """Say what is wrong with Markdown. What stands in code means nothing; the rest is ours."""
    if steers(text):
        return "a character steers"
    for paragraph in text.split("\n"):
        # VS Code's renderer ends a link's text in the middle of code: there must be none in it.
        coded = _CODE.sub("\0", paragraph)
        if re.search(r"\[[^\[\]]*\0", coded):
            return f"code in the text of a link: {paragraph}"
        rest = _OWN_LINK.sub("", coded)
        for sign in ("`", "[", "]", "<", ">", "&", "\\", "~", "](", "!", "//", "www.", "@"):
            if sign in rest:
                return f"{sign!r} stands outside of code: {rest}"
    return None


def wrong_in_log(text: str) -> str | None:
    """Say what is wrong with what a terminal or a runner of builds reads."""
    if steers(text.replace("\r\n", "\n").replace("\t", " ")):
        return "a character steers"
    found = _RUNNER.search(text)
    return f"a runner obeys {found.group()!r}" if found else None


# -- a workspace ----------------------------------------------------------------------------------


def dockerfile(word: str) -> str:
    """Return a Dockerfile that says the word wherever that is possible on a line."""
    bare = word.replace(" ", "").replace(",", "").replace('"', "")
    quoted = json.dumps(word, ensure_ascii=False)
    return (
        f"FROM python:3.13-{bare} AS {bare}\n"
        f"ARG ODD={quoted}\n"
        f"ENV PIP_CACHE_DIR=/c/{bare} UV_CACHE_DIR={quoted} NAME={quoted}\n"
        f"USER {bare}\n"
        f"WORKDIR /w/{bare}\n"
        f"RUN --mount=type=cache,id={bare},target=/c/{bare} pip install x\n"
        f"RUN --mount=type=cache,id=$NAME-$ODD,target=/root/.cache/uv,uid=7 uv sync {bare}\n"
        f"RUN --mount=type=cache,target=/root/.cache/pip/{bare} pip install {bare}\n"
        f"RUN --mount=type=cache,id={bare},target=/c/{bare},uid=5 pip install y\n"
        f"RUN --mount=type=cache,{bare}=1,target=/x --mount=type={bare},sharing={bare} pip install z\n"
        f"RUN --mount=type=cache,target=/root/.npm npm ci # {word}\n"
        f"COPY --from={bare} /c/{bare} /d\n"
        f"# cachekey: ignore[{bare}] {word}\n"
        "RUN --mount=type=cache,id=\n"
    )


def devcontainer(word: str) -> str:
    """Return a devcontainer.json that says the word wherever that is possible."""
    return json.dumps(
        {
            "build": {"dockerfile": f"../{word}", "args": {"ODD": word}},
            "remoteUser": word,
            "containerEnv": {"PIP_CACHE_DIR": f"/c/{word}", word: word},
            "mounts": [
                f"type=volume,source={word},target=/c/{word}",
                f"type=cache,source={word},target=/x",
                f"type={word},source=x,target=/y,{word}=1",
                {"type": "bind", "source": f"${{localEnv:{word}:{word}}}", "target": f"/t/{word}"},
                f"type=volume,source=${{{word}}},target=/root/.cache/pip",
            ],
            "postCreateCommand": f"pip install {word}",
        },
        indent=1,
        ensure_ascii=False,
    )


def composed(word: str) -> str:
    """Return a devcontainer.json of a compose service, with what decides who runs what in it."""
    return json.dumps(
        {
            "dockerComposeFile": ["compose.yaml", f"{word}.yaml"],
            "service": word,
            "remoteUser": word,
            "workspaceFolder": f"/w/{word}",
            "features": {word: {}, f"ghcr.io/devcontainers/features/node:{word}": {}},
            "remoteEnv": {"PIP_CACHE_DIR": word, word: word},
            "mounts": [f"type=volume,source={word},target=/home/{word}/.npm"],
            "postCreateCommand": f"sudo npm ci; bash '{word}.sh'; sudo '{word}' x",
            "postStartCommand": {word: ["bash", f"{word}.sh"]},
        },
        indent=1,
        ensure_ascii=False,
    )


def compose(word: str) -> str:
    """Return a compose file, as JSON, whose service is called like the word and says it everywhere."""
    service = {
        "image": word,
        "build": {"context": f"./{word}", "target": word},
        "user": word,
        "working_dir": f"/w/{word}",
        "environment": {"UV_CACHE_DIR": f"/c/{word}", word: word},
        "command": f"run {word}",
        "volumes": [
            f"{word}:/c/{word}",
            f"./{word}:/home/{word}/.cache/pip",
            {"type": "volume", "source": word, "target": f"/c/{word}/a"},
            {"type": "cache", "source": word, "target": "/x"},
            "/root/.npm",
        ],
    }
    return json.dumps({"services": {word: service}, "volumes": {word: {"name": word}}}, indent=1)


def settings(word: str) -> str:
    """Return a cachekey.toml whose names and values are the word."""
    text = json.dumps(word)
    return (
        f"{text} = 1\nselect = [{text}]\nnamespace = {text}\nengine = {text}\n"
        f"[severity]\n{text} = {text}\n[build-args]\nODD = {text}\n"
        f'[tools.own]\nname = {text}\nsource = "https://evil.example"\n[tools.{text}]\nname = {text}\n'
    )


def write(root: Path, name: str, word: str) -> Path:
    """Write a folder that is called like the word and holds all of the above; return it."""
    folder = root / (word.replace("/", "_") or name)
    (folder / ".devcontainer").mkdir(parents=True)
    (folder / "Dockerfile").write_bytes(dockerfile(word).encode())
    (folder / ".devcontainer/devcontainer.json").write_bytes(devcontainer(word).encode())
    inner = folder / ".devcontainer/composed"
    inner.mkdir()
    (inner / "devcontainer.json").write_bytes(composed(word).encode())
    (inner / "compose.yaml").write_bytes(compose(word).encode())
    (folder / "cachekey.toml").write_bytes(settings(word).encode())
    return folder
