"""Makes texts that look like files: grammars of what may stand where, and changes to real ones.

Everything is drawn from a ``random.Random``; hypothesis hands in one whose draws it can make simpler.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random

DOCKERFILE = "Dockerfile"
DEVCONTAINER = ".devcontainer/devcontainer.json"

IMAGES = (
    "debian:13",
    "python:3.13",
    "node:22",
    "golang:1",
    "rust:1.90",
    "alpine",
    "scratch",
    "x/y",
    "$B",
)
PATHS = (
    *("/root/.cache/pip", "/root/.npm", "/var/cache/apt", "/var/lib/apt", "/cache/uv", "~/.cache"),
    *(
        "target",
        "/root/.cache/pip/",
        "$HOME/.cache/uv",
        "${X:-/c}",
        "/",
        ".",
        "../a",
        "/proc/x",
        "",
    ),
    *("/home/app/.cache/pip", "/usr/local/cargo/registry", "/go/pkg/mod", "node_modules", "/a b"),
)
NAMES = (
    "A",
    "B",
    "HOME",
    "PATH",
    "X",
    "TARGETARCH",
    "PIP_CACHE_DIR",
    "PIP_NO_CACHE_DIR",
    "UV_CACHE_DIR",
)
VALUES = (
    "",
    "1",
    "a",
    "$A",
    "${A}",
    "${A:-b}",
    "$A$A",
    '"x y"',
    "'$A'",
    "/c",
    "${A%/*}",
    "${A//a/b}",
    "é",
    "\\$A",
)
USERS = ("app", "root", "1000", "1000:1000", "$A", "nobody", "0")
COMMANDS = (
    *(
        "pip install x",
        "npm ci",
        "uv sync",
        "apt-get update",
        "apt-get install -y curl",
        "cargo build",
    ),
    *("go build ./...", "apt-get clean", "rm -rf /var/lib/apt/lists/*", "rm -rf /root/.cache/pip"),
    *(
        "pip install --no-cache-dir x",
        "npm cache clean --force",
        "useradd -u 1000 app",
        "make",
        "true",
    ),
    *(
        "cp -r target /out",
        "chown -R app /c",
        "chmod -R 777 /cache/uv",
        "ln -s /a /b",
        "yarn install",
    ),
    *(
        "python -m pip install y",
        "npx x",
        "uv run z",
        "npm config set cache /n",
        "go env -w GOCACHE=/g",
    ),
    *(
        "cd /app",
        "cd $A",
        "export A=$A$A",
        "A=1",
        "unset A",
        ". ./env",
        "echo $A > x",
        "set -e",
        "[ -f x ]",
    ),
    *(
        "sudo npm ci",
        "sudo -u app pip install x",
        "env A=1 pip install x",
        "gosu app uv sync",
        "dnf -y clean all",
    ),
    *(
        "pip cache purge",
        "mkdir -p /c",
        "bundle install",
        "composer install",
        "mvn package",
        "apk add curl",
    ),
)
GLUE = (
    " && ",
    "; ",
    " || ",
    " | ",
    " & ",
    " && \\\n    ",
    " \\\n    && ",
    "\n",
    " \\\n# c\n && ",
    ";",
)


def name(r: Random) -> str:
    return r.choice(NAMES)


def value(r: Random) -> str:
    return "".join(r.choice(VALUES) for _ in range(r.choice((1, 1, 1, 2))))


# -- shell -----------------------------------------------------------------------------------------


def shell(r: Random, depth: int = 2) -> str:
    """Make a script of a few commands."""
    text = command(r, depth)
    for _ in range(r.choice((0, 0, 1, 1, 2, 4))):
        text += r.choice(GLUE) + command(r, depth)
    return text


def command(r: Random, depth: int) -> str:
    """Make a command, simple or compound."""
    kind = r.randrange(14) if depth else 0
    if kind < 6:
        return r.choice(COMMANDS)
    inner = shell(r, depth - 1)
    shapes = (
        f"( {inner} )",
        f"{{ {inner}; }}",
        f"if {command(r, 0)}; then {inner}; fi",
        f"for i in a b; do {inner}; done",
        f"f() {{ {inner}; }}; f",
        f"sh -c '{inner}'",
        f'bash -euc "{inner}"',
        f"echo $({inner})",
        f"case $A in a) {inner} ;; esac",
        f"sh <<'E'\n{inner}\nE\n",
        f"while {command(r, 0)}; do {inner}; done",
        f"sudo sh -c '{inner}'",
        f"! {inner}",
        f"`{inner}`",
    )
    return r.choice(shapes)


# -- Dockerfiles -----------------------------------------------------------------------------------


def mount(r: Random) -> str:
    """Make the value of ``--mount``, mostly of a cache."""
    fields = [
        r.choice(
            ("type=cache", "type=cache", "type=cache", "type=bind", "type=tmpfs", "type=secret", "")
        )
    ]
    options = (
        "target",
        "target",
        "id",
        "sharing",
        "uid",
        "gid",
        "mode",
        "from",
        "source",
        "ro",
        "rw",
        "size",
        "tpye",
    )
    for option in r.sample(options, r.choice((1, 1, 2, 3, 5))):
        texts: dict[str, Sequence[str]] = {
            "target": PATHS,
            "id": ("pip", "a", "$A", "x-$TARGETARCH", "uv-cache", "", '"q,r"', "é", "a\\"),
            "sharing": ("locked", "shared", "private", "lokced", "$A"),
            "uid": ("1000", "0", "$A", "x", "99999999999"),
            "mode": ("0777", "755", "9", ""),
            "from": ("s0", "debian", "0", "$A", ""),
        }
        text = r.choice(texts.get(option, ("", "1", "/x", "a")))
        fields.append(option if option in ("ro", "rw") and r.random() < 0.5 else f"{option}={text}")
    r.shuffle(fields)
    return ",".join(field for field in fields if field)


def run(r: Random) -> str:
    """Make a RUN."""
    dashes = r.choice(("--mount=",) * 12 + ("mount=", "--mount ", "--type=cache,", "--mou"))
    gap = r.choice((" ", " ", " \\\n    ", " \\\n  # c\n  "))
    flags = "".join(f"{dashes}{mount(r)}{gap}" for _ in range(r.choice((0, 1, 1, 1, 2, 3))))
    kind = r.randrange(10)
    if kind == 0:
        return f"RUN {flags}<<E\n{shell(r)}\n{r.choice(('E', 'E', ' E', ''))}"
    if kind == 1:
        return f"RUN {flags}{json.dumps(shell(r, 0).split())}"
    return f"RUN {flags}{shell(r)}"


def instruction(r: Random) -> str:
    """Make one instruction, or a line between them."""
    makers: Sequence[Callable[[], str]] = (
        *((lambda: run(r),) * 8),
        lambda: f"FROM {r.choice(IMAGES)}{r.choice(('', ' AS s0', ' AS s1', ' as S0'))}",
        lambda: f"FROM {r.choice(('s0', 's1', '--platform=$BUILDPLATFORM golang:1'))} AS s2",
        lambda: f"ENV {name(r)}={value(r)} {name(r)}={value(r)}",
        lambda: f"ENV {name(r)} {value(r)}",
        lambda: f"ARG {name(r)}{r.choice(('', f'={value(r)}'))}",
        lambda: f"USER {r.choice(USERS)}",
        lambda: f"WORKDIR {r.choice(('/app', 'x', '$A', '/'))}",
        lambda: f"COPY {r.choice(('', '--from=s0 ', '--from=0 '))}{r.choice(PATHS)} /x",
        lambda: f"ONBUILD {run(r)}",
        lambda: 'SHELL ["/bin/bash", "-eo", "pipefail", "-c"]',
        lambda: r.choice(
            ("# c", "", "   ", "# cachekey: ignore", "# cachekey: ignore[CK101, npm]", "FOO x")
        ),
        lambda: f"# cachekey: ignore[CK{r.randrange(1, 8)}0{r.randrange(1, 9)}]",
    )
    return r.choice(makers)()


def dockerfile(r: Random) -> str:
    """Make a Dockerfile."""
    head = r.choice(
        ("", "", "# syntax=docker/dockerfile:1\n", "# escape=`\n", "ARG B=debian:13\n", "\ufeff")
    )
    lines = [f"FROM {r.choice(IMAGES)} AS s0", *(instruction(r) for _ in range(r.randrange(1, 12)))]
    return head + "\n".join(lines) + r.choice(("", "\n", "\n\n", " \\"))


# -- dev containers --------------------------------------------------------------------------------

RUNTIME = (
    *(
        "${localEnv:HOME}",
        "${localEnv:X:y}",
        "${containerEnv:A}",
        "${localWorkspaceFolder}",
        "${devcontainerId}",
    ),
    *("${localEnv:X:a:b}", "${foo}", "${", "a", "/c", ""),
)


def runtime_mount(r: Random) -> object:
    """Make a mount as a string or as an object."""
    kind = r.choice(("volume", "volume", "bind", "cache", "tmpfs", "vol"))
    source, target = r.choice(("v", "pip", *RUNTIME)), r.choice((*PATHS, *RUNTIME))
    if r.random() < 0.3:
        return {"type": kind, "source": source, "target": target, r.choice(("a", "readonly")): True}
    more = r.choice(("", "", ",readonly", ",consistency=cached", ",foo=1", ',"a'))
    return f"type={kind},source={source},{r.choice(('target', 'dst', 'tagret'))}={target}{more}"


def lifecycle(r: Random) -> object:
    """Make a command in one of its three forms."""
    form = r.randrange(3)
    if form == 0:
        return shell(r, 1)
    return shell(r, 0).split() if form == 1 else {"a": shell(r, 0), "b": shell(r, 0).split()}


def devcontainer(r: Random) -> str:
    """Make a devcontainer.json, valid or nearly."""
    env = {r.choice(NAMES): r.choice((*RUNTIME, *PATHS)) for _ in range(r.randrange(3))}
    parts: dict[str, object] = {
        "image": r.choice(("mcr.microsoft.com/devcontainers/base:ubuntu", "debian", "x")),
        "build": {"dockerfile": r.choice(("Dockerfile", "../Dockerfile")), "args": {"A": "b"}},
        "dockerComposeFile": "compose.yaml",
        "service": "app",
        "mounts": [runtime_mount(r) for _ in range(r.randrange(4))],
        "runArgs": [
            r.choice(
                ("--mount", "-v", "-e", "v:/root/.cache", "A=1", "--mount=type=cache,target=/x")
            )
        ]
        * 2,
        "workspaceMount": runtime_mount(r),
        "workspaceFolder": "/workspaces/x",
        "containerEnv": env,
        "remoteEnv": env,
        "remoteUser": r.choice(("vscode", "root", "${localEnv:USER}")),
        "postCreateCommand": lifecycle(r),
        "initializeCommand": lifecycle(r),
        "features": {r.choice(("ghcr.io/devcontainers/features/node:1", "./x", "a/b")): {}},
    }
    chosen = {key: parts[key] for key in r.sample(sorted(parts), r.randrange(1, 8))}
    text = json.dumps(chosen, indent=r.choice((None, 2)), ensure_ascii=r.random() < 0.5)
    odd = (
        *(("", "") for _ in range(6)),
        *(
            (", ", ",, "),
            ('"', "'"),
            ("}", ",}"),
            ("{", "{ // c\n"),
            ("[", "[/* c */"),
            (":", " : "),
            ("\\n", "\\\n"),
        ),
        ("{", "{ // cachekey: ignore[CK701]\n"),
    )
    return text.replace(*r.choice(odd))


# -- changes ---------------------------------------------------------------------------------------

BITS = (
    *(
        "\n",
        "\\\n",
        "\\",
        " ",
        "\t",
        '"',
        "'",
        "`",
        "$",
        "${",
        "}",
        "{",
        "[",
        "]",
        "(",
        ")",
        ",",
        ":",
        "=",
        "#",
        "//",
    ),
    *(
        "/*",
        "*/",
        "<<E",
        "E\n",
        "&&",
        "|",
        ";",
        "--mount=",
        "type=cache",
        "target=",
        "id=",
        "~",
        "*",
        "?",
        "!",
        "\0",
    ),
    *(
        "\r\n",
        "\f",
        "\u2028",
        "\ud800",
        "\U0001f433",
        "é",
        "-",
        "0",
        "\ufeff",
        "$(",
        "| tee",
        "sudo ",
        "RUN ",
        "FROM ",
    ),
)


def changed(r: Random, text: str) -> str:
    """Change a text as typing, cutting and pasting do."""
    for _ in range(r.choice((1, 1, 2, 3, 6))):
        at = r.randrange(len(text) + 1)
        end = min(len(text), at + r.choice((1, 1, 2, 5, 20)))
        kind = r.randrange(6)
        if kind == 0:
            text = text[:at] + text[end:]
        elif kind in (1, 2):
            text = text[:at] + r.choice(BITS) + text[at:]
        elif kind == 3:
            text = text[:end] + text[at:end] * r.choice((1, 1, 3)) + text[end:]
        elif kind == 4:
            lines = text.split("\n")
            one, two = r.randrange(len(lines)), r.randrange(len(lines))
            lines[one], lines[two] = lines[two], lines[one]
            text = "\n".join(lines)
        else:
            text = text[:at]
    return text
