"""Makes any Dockerfile one that builds without a network.

Its images become a busybox, its package managers commands that do nothing, and what it copies from
the context is made up. What is left is what Cachekey's fixes change: flags, variables, users.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

TOOLS = (
    "apk apt apt-get aptitude aws az bazel bower brew bun bunx bundle cabal cargo ccache "
    "clang cmake composer conan conda corepack curl dart deno dnf docker-php-ext-install dotnet "
    "dpkg elixir flutter gcc gem ghcup git go golangci-lint gradle groupmod gunicorn java javac lein "
    "make mamba maturin mix usermod "
    "microdnf micromamba mypy mvn next ninja nix node npm npx nx opam pdm pip pip3 pipenv pipx "
    "playwright pnpm poetry poetry-dynamic-versioning pre-commit pytest python python3 R "
    "Rscript rake rebar3 ruby ruff rustc rustup rustup-init sbt sccache stack sudo swift tox trunk tsc "
    "turbo update-ca-certificates uv uvx vite wasm-pack webpack wget yarn yum zypper"
)
ADDING = ("useradd", "adduser")
GROUPS = ("groupadd", "addgroup")
USERS = dict.fromkeys(("node", "vscode", "user", "ubuntu"), 1000)
USERS |= {"app": 1001, "appuser": 1001, "www-data": 33, "nobody": 65534}

NOTHING = "#!/bin/sh\nexit 0\n"
ADD = """#!/bin/sh
uid=2000
while [ $# -gt 1 ]; do
  case $1 in -u|--uid) uid=$2; shift ;; --uid=*) uid=${1#--uid=} ;; esac
  shift
done
sed -i "/^$1:/d" /etc/passwd
echo "$1:x:$uid:$uid::/home/$1:/bin/sh" >> /etc/passwd
echo "$1:x:$uid:" >> /etc/group
mkdir -p "/home/$1" && chown "$uid:$uid" "/home/$1"
"""
GROUP = """#!/bin/sh
while [ $# -gt 1 ]; do shift; done
echo "$1:x:2000:" >> /etc/group
"""

HOMES = "for home in /home/*; do /bin/busybox chown ${home##*/}:${home##*/} $home; done"
"""Each user's home is his own."""
STAGE = f"""FROM scratch AS cachekey-busybox
COPY busybox /bin/busybox
COPY cachekey-tools /
RUN ["/bin/busybox","sh","-c","/bin/busybox --install -s /bin; rm -f /bin/adduser /bin/addgroup; {HOMES}"]
"""
FROM = re.compile(r"(?im)^([ \t]*FROM[ \t]+(?:--platform=\S+[ \t]+)?)(\S+)(.*)$")
COPIES = re.compile(r"(?im)^[ \t]*(?:COPY|ADD)[ \t]+(.*)$")
BINDS = re.compile(r"--mount=(\S+)")


def dockerfile(text: str) -> str:
    """The same file, starting from a busybox."""
    known = {"scratch"}

    def replaced(found: re.Match[str]) -> str:
        alias = re.match(r"(?i)\s+AS\s+(\S+)", found[3])
        image = found[2] if found[2].lower() in known else "cachekey-busybox"
        if alias:
            known.add(alias[1].lower())
        return f"{found[1]}{image}{found[3]}"

    text = re.sub(r"(?im)^[ \t]*#[ \t]*syntax=.*$", "#", text, count=1)
    first = FROM.search(text)
    start = first.start() if first else len(text)
    return text[:start] + STAGE + FROM.sub(replaced, text[start:])


def sources(text: str) -> set[str]:
    """The files and folders of the context that a file copies or mounts."""
    found: set[str] = set()
    for line in COPIES.findall(re.sub(r"\\\r?\n", " ", text)):
        words = line.split()
        flags = [word for word in words if word.startswith("--")]
        words = words[len(flags) :]
        if any(flag.startswith("--from") for flag in flags) or "<<" in line:
            continue
        if words and words[0].startswith("["):
            try:
                words = [str(word) for word in json.loads(" ".join(words))]
            except ValueError:
                continue
        found.update(words[:-1])
    for flag in BINDS.findall(text):
        options = dict(field.partition("=")[::2] for field in flag.split(","))
        if options.get("type", "bind") == "bind" and "from" not in options:
            found.add(options.get("source") or options.get("src") or ".")
    return {name for name in found if "$" not in name and "://" not in name}


def context(text: str, busybox: Path, folder: Path) -> Path:
    """A new build context with all that the file asks of it."""
    place = Path(tempfile.mkdtemp(prefix="context-", dir=folder))
    shutil.copy(busybox / "busybox", place / "busybox")
    tools = place / "cachekey-tools"
    commands = tools / "usr" / "local" / "bin"
    commands.mkdir(parents=True)
    scripts = {**dict.fromkeys(TOOLS.split(), NOTHING), **dict.fromkeys(ADDING, ADD)}
    scripts |= dict.fromkeys(GROUPS, GROUP)
    for name, script in scripts.items():
        (commands / name).write_text(script, encoding="utf-8")
        (commands / name).chmod(0o755)
    (tools / "etc").mkdir()
    people = {"root": 0, **USERS}
    lines = [f"{name}:x:{uid}:{uid}::/home/{name}:/bin/sh\n" for name, uid in people.items()]
    (tools / "etc" / "passwd").write_text("".join(lines), encoding="utf-8")
    groups = [f"{name}:x:{uid}:\n" for name, uid in people.items()]
    (tools / "etc" / "group").write_text("".join(groups), encoding="utf-8")
    for folder_of in ("tmp", "root", *(f"home/{name}" for name in USERS)):
        (tools / folder_of).mkdir(parents=True, exist_ok=True)
    (tools / "tmp").chmod(0o1777)
    for name in sources(text):
        _make(place, name)
    return place


def _make(place: Path, name: str) -> None:
    """One file or folder of the context, nothing outside of it."""
    clean = re.sub(r"[*?\[\]]", "", name).strip("/")
    target = (place / clean).resolve()
    if not target.is_relative_to(place.resolve()) or target.exists():
        return
    if name.endswith("/"):
        target.mkdir(parents=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
