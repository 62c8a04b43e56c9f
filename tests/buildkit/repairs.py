"""Every fix that Cachekey offers in its rules' own cases, and a builder to try the fixed files on."""

from __future__ import annotations

import functools
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cachekey.dockerfile.records import Dockerfile
from cachekey.finding import Finding, Safety
from cachekey.rules import ALL
from cachekey.workspace.settings import Settings

from tests.rules.test_rules import CASES, doc_examples, texts
from tests.support.checking import apply_fix, check, fix_all, make_project, make_settings

from . import builders, kinds, standin
from .kinds import Built, Request

REFUSED = ("CK002", "CK303", "CK601")
"""The rules that say that a builder refuses the file, or may."""


@dataclass(frozen=True)
class Repair:
    """One file before and after one fix."""

    where: str
    code: str
    title: str
    before: str
    after: str
    left: tuple[str, ...]
    """What Cachekey says against the fixed file's being built."""
    own: bool
    """Whether the case is about the rule that offers the fix."""

    @property
    def name(self) -> str:
        return f"{self.where}: {self.code} {self.title!r}"


def is_dockerfile(path: str) -> bool:
    return path.rsplit("/", 1)[-1] in ("Dockerfile", "Containerfile")


def sets() -> Iterator[tuple[str, str, dict[str, str], Settings]]:
    """The files of every case and of every rule's documentation, with the code of their rule."""
    for rule, case in CASES:
        settings = make_settings((), case.settings)
        yield f"{rule.name}: {case.title}", rule.code, texts(case), settings
    for rule in ALL:
        for title, files in zip(("Bad", "Good"), doc_examples(rule), strict=True):
            yield f"{rule.name}: {title}", rule.code, files, make_settings()


def against_building(findings: Iterable[Finding], path: str) -> tuple[str, ...]:
    found = [item for item in findings if item.path == path and item.code in REFUSED]
    return tuple(f"{item.code} {item.message}" for item in found)


@functools.cache
def repairs() -> tuple[Repair, ...]:
    """Every automatic fix of every finding, once for each pair of texts."""
    found: dict[tuple[str, str, str], Repair] = {}

    def add(where: str, code: str, title: str, own: bool, files: dict, after: dict) -> None:
        for path in filter(is_dockerfile, files):
            key = (code, files[path], after[path])
            if after[path] == files[path] or (key in found and not own):
                continue
            left = against_building(check(after, settings), path)
            repair = Repair(where, code, title, files[path], after[path], left, own)
            found[key] = repair

    for where, code, files, settings in sets():
        for item in check(files, settings):
            for fix in item.fixes:
                if fix.safety is not Safety.MANUAL:
                    own = item.code == code
                    add(where, item.code, fix.title, own, files, apply_fix(files, fix))
        for level in (Safety.SAFE, Safety.UNSAFE):
            add(
                where,
                "all",
                f"all {level.value} fixes",
                True,
                files,
                fix_all(files, level, settings),
            )
    return tuple(found.values())


# The stand-in's tools do nothing. Some must leave what the next commands of their case ask for.
MAKES = {
    "cargo": "touch recipe.json; mkdir -p target/release target/debug"
    " && for name in a b app shop; do touch target/release/$name target/debug/$name; done",
    "mvn": "mkdir -p target && touch target/app.jar",
    "dart": "mkdir -p bin && touch bin/server",
    "npm": "mkdir -p node_modules dist && touch node_modules/made dist/made; mkdir -p /out || true",
    "python": "[ $2 != venv ] || { mkdir -p $3/bin"
    " && for name in pip python; do echo '#!/bin/sh' >$3/bin/$name; chmod +x $3/bin/$name; done; }",
    "virtualenv": "mkdir -p $1/bin"
    " && for name in pip python; do echo '#!/bin/sh' >$1/bin/$name; chmod +x $1/bin/$name; done",
    "swift": "mkdir -p .build/release .build/debug && touch .build/release/App .build/debug/App",
    "go": "while [ $# -gt 1 ]; do [ $1 = -o ] && mkdir -p ${2%/*} && touch $2; shift; done",
    "bash": "cat >/dev/null",
    "cmake": "mkdir -p build && touch build/app",
    "stack": "mkdir -p .stack-work/install/bin && touch .stack-work/install/bin/app",
    "pip": "while [ $# -gt 1 ]; do case $1 in -d|-w) mkdir -p $2 && touch $2/a.whl ;; esac; shift; done",
    **dict.fromkeys(("frobnicate", "pack-all", "setup-home"), "true"),
    **dict.fromkeys(("dnf5", "pip-compile", "strip", "xx-apt-get"), "true"),
}
SCRIPTS = ("build.sh", "configure", "env.sh", "go.sh", "gradlew", "mvnw", "scripts/base.sh")
FILES = ("LICENSE", "sources.list")
"""What the context has for files that run them, or copy them on."""
IMAGE = re.compile(r"(\bfrom=)(?=[\w-]+(?:\.[\w-]+)+/|[\w./-]+:)[\w./:@-]+")
NUMBER = re.compile(r"(?m)(--from=)(\d+)\b")
FROM = re.compile(r"(?im)^[ \t]*FROM[ \t]")


# The stand-in's stage in two layers, with few of its files: each layer is a copy of all of them.
MORE = "awk basename cut dirname grep install tee uname whoami"
APPLETS = [
    name
    for name in f"{kinds.APPLETS} {MORE}".split()
    if name not in (*standin.ADDING, *standin.GROUPS)
]
STAGE = """FROM scratch AS cachekey-busybox
COPY busybox /bin/busybox
COPY cachekey-tools /
"""


def prelude(text: str, trial: str) -> str:
    """What goes on in the stand-in's stage: commands, tools that leave something, older caches."""
    links = f"for name in {' '.join(APPLETS)}; do /bin/busybox ln -s busybox /bin/$name; done"
    commands = [
        links,
        standin.HOMES,
        "mkdir -p /etc/apk /etc/apt/apt.conf.d /etc/dnf /etc/sudoers.d /opt /usr/bin /usr/local/cargo/bin",
    ]
    for name, script in MAKES.items():
        file = f"/usr/local/bin/{name}"
        lines = shlex.join(["#!/bin/sh", f"({script}) 2>/dev/null", "exit 0"])
        commands.append(f"printf '%s\\n' {lines} > {file} && chmod 755 {file}")
    tools = "/usr/local/bin"
    commands.append(f"cp {tools}/cargo /usr/local/cargo/bin/ && cp {tools}/npm /install.sh")
    commands.append(f"cp {tools}/strip /uv && cp {tools}/strip /usr/bin/composer")
    runs = [f"RUN {json.dumps(['/bin/busybox', 'sh', '-c', ' && '.join(commands)])}\n"]
    if trial:
        runs.append(f"ENV CACHEKEY_TRIAL={trial}\n")
    document = make_project({"Dockerfile": text}).documents["Dockerfile"]
    assert isinstance(document, Dockerfile)
    for _, mount in document.caches:
        # A directory inside a volume must be there before a mount can open it.
        if mount.source != "/" and mount.key and not mount.origin and not mount.key.unresolved:
            flag = f"--mount=type=cache,id={mount.key.name.text},target=/older"
            runs.append(f"RUN {flag} mkdir -p /older{mount.source}\n")
    return "".join(runs)


def whole(text: str) -> str:
    """The file as it builds here, with a last stage that needs every other one."""
    if text.rstrip().endswith(("\\", "`")):
        # Half-typed: what comes next would be part of the last line.
        return text
    stages = len(FROM.findall(text))
    asks = "".join(f"COPY --from={number} /no-such* /s{number}/\n" for number in range(1, stages))
    return f"{text}\nFROM scratch\n{asks}"


def buildable(text: str, trial: str = "") -> str:
    """All stages of a file, with something in the place of its images and tools.

    No step of one trial is taken from another one's layers.
    """
    made = standin.dockerfile(IMAGE.sub(r"\1cachekey-busybox", text))
    # The stand-in's stage has become the first one.
    made = NUMBER.sub(lambda found: f"{found[1]}{int(found[2]) + 1}", made)
    return whole(made.replace(standin.STAGE, STAGE + prelude(text, trial)))


def build_all(files: Iterable[str]) -> dict[str, Built]:
    """Builds many files. Raises UnavailableError."""
    on = builders.builder("buildkit")
    wanted = list(dict.fromkeys(files))
    # One context for all of them: the builder need not be sent another each time.
    context = standin.context("\n".join(wanted), on.context, on.folder)
    for name in SCRIPTS + FILES:
        (context / name).parent.mkdir(exist_ok=True)
        (context / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (context / name).chmod(0o755)

    def build(text: str) -> Built:
        return on.build(Request(buildable(text), context=context))

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(wanted, pool.map(build, wanted), strict=True))
