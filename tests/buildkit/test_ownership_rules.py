"""What CK201, CK202, CK203, CK302, CK308 and CK401 say is so on a real BuildKit, and their fixes help.

Each trial is a Dockerfile as a user writes it, with commands that tell what they could do. It is
built before and after each fix, every time with volumes of its own.
"""

from __future__ import annotations

import itertools
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from cachekey.finding import Finding, Safety

from tests.rules.test_rules import CASES, texts
from tests.support.checking import apply_fix, check, make_settings

from . import builders, repairs, session, standin
from .cases import NAMESPACE
from .kinds import Built, Request, UnavailableError

NUMBERS = itertools.count()


def build_each(files: list[str]) -> list[Built]:
    """Builds files with new volumes each; skips where there is no builder."""
    found = session.tally("buildkit")
    try:
        on = builders.builder("buildkit")
    except UnavailableError as error:
        found.reason = str(error)
        pytest.skip(str(error))
    found.version = on.version
    context = standin.context("\n".join(files), on.context, on.folder)

    def build(text: str) -> Built:
        trial = f"trial-{next(NUMBERS)}"
        file = repairs.buildable(text, trial)
        return on.build(Request(file, {NAMESPACE: trial}, context=context))

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(build, files))


def told(file: str) -> dict[str, str]:
    """What the commands of a file tell when it is built."""
    (built,) = build_each([file])
    assert built.ok, built.log[-2000:]
    return built.labels


def findings(file: str, code: str) -> list[Finding]:
    return check({"Dockerfile": file}, make_settings((code,)))


def fixed(file: str, code: str) -> dict[str, str]:
    """The file after each automatic fix of each finding, by title."""
    return {
        fix.title: apply_fix({"Dockerfile": file}, fix)["Dockerfile"]
        for item in findings(file, code)
        for fix in item.fixes
        if fix.safety is not Safety.MANUAL
    }


def all_fixed(file: str, code: str) -> str:
    """The file after the first fix of finding upon finding."""
    for _ in findings(file, code):
        file = next(iter(fixed(file, code).values()), file)
    return file


def agree(name: str, got: object, wanted: object) -> None:
    """Notes a trial, and fails unless the builder did what is wanted."""
    session.tally("buildkit").count(name, got == wanted)
    assert got == wanted, name


def can(command: str, label: str) -> str:
    """A command that tells whether it succeeded."""
    return f"({command}) 2>/dev/null && echo RES {label} yes || echo RES {label} no"


# CK201: one volume for each pair of owner and user.
OWNERS = ("", ",uid=0", ",uid=1000", ",uid=1001", ",uid=1000,gid=1000", ",gid=1000", ",gid=0")
PEOPLE = ("0", "1000", "1001", "1000:0", "node", "worker")


def writers() -> tuple[str, dict[str, str]]:
    """A file in which everybody writes to every kind of volume, and what each trial is about."""
    file = "FROM node:22\nRUN useradd --create-home --uid 1234 worker\n"
    trials = {}
    for number, user in enumerate(PEOPLE):
        flags, commands = [], []
        for other, owner in enumerate(OWNERS):
            folder = f"/c{number}-{other}"
            trials[folder] = f"USER {user}{owner}"
            flags.append(f"--mount=type=cache,target={folder}{owner}")
            commands.append(can(f"touch {folder}/made", folder))
        file += f"USER {user}\nRUN {' '.join(flags)} {'; '.join(commands)}\n"
    return file, trials


def test_cache_not_writable() -> None:
    """Flagged: the write is denied. Not flagged: it is not. Fixed: it is not."""
    file, trials = writers()
    flagged = {file[item.span.start : item.span.end] for item in findings(file, "CK201")}
    mended = all_fixed(file, "CK201")
    assert findings(mended, "CK201") == []
    before, after = told(file), told(mended)
    assert set(before) == set(after) == set(trials)
    for folder, name in trials.items():
        agree(f"CK201 {name}", before[folder], "no" if folder in flagged else "yes")
        agree(f"CK201 {name}, fixed", after[folder], "yes")
    assert 10 < len(flagged) < len(trials) - 10


def test_copy_of_a_stage() -> None:
    """A mount `from=` a stage begins as all of it, belongs to root, and is another cache (CK102)."""
    file = (
        "FROM node:22 AS build\nRUN touch /made\nFROM node:22\n"
        f"RUN --mount=type=cache,target=/c {can('touch /c/plain', 'root')}\n"
        "USER node\n"
        f"RUN --mount=type=cache,target=/c,from=build {can('test -e /c/made', 'seen')}; "
        f"{can('test -e /c/plain', 'same')}; {can('touch /c/own', 'write')}\n"
    )
    assert len(findings(file, "CK201")) == 1
    assert len(findings(file, "CK102")) == 1
    wanted = {"root": "yes", "seen": "yes", "same": "no", "write": "no"}
    agree("CK201 from= a stage", told(file), wanted)


ROOT = can("mkdir -p /c/d && echo root >> /c/d/f && touch /c/d/root", "LABEL")
GUEST = can("mkdir -p /c/d && echo guest >> /c/d/f && touch /c/d/guest", "LABEL")
MOUNT = "--mount=type=cache,target=/c"


def step(user: str, command: str, label: str, flag: str = MOUNT) -> str:
    return f"USER {user}\nRUN {flag} {command.replace('LABEL', label)}\n"


HERE_DOC = f"USER root\nRUN {MOUNT} <<EOF\n{ROOT.replace('LABEL', 'root')}\nEOF\n"
BROKEN_UP = f"USER root\nRUN {MOUNT} \\\n    {ROOT.replace('LABEL', 'root')} \\\n    ;\n"
IDS = "--mount=type=cache,id=both,target=/c"
OTHER = "--mount=type=cache,id=both,target=/other/"
MIXED = {
    "root first": step("root", ROOT, "root") + step("node", GUEST, "guest"),
    "a number": step("0", ROOT, "root") + step("1000:1000", GUEST, "guest"),
    "a user of the file": step("root", ROOT, "root") + step("worker", GUEST, "guest"),
    "root twice": step("root", ROOT, "root")
    + step("node", GUEST, "guest")
    + step("root", ROOT.replace("/c/d", "/c/e"), "again")
    + step("node", GUEST.replace("/c/d", "/c/e"), "then"),
    "the user first": step("node", GUEST, "guest")
    + step("root", ROOT.replace("/c/d", "/c/e"), "root")
    + step("node", GUEST.replace("/c/d", "/c/e"), "then"),
    "a volume of the user": step("root", ROOT, "root", f"{MOUNT},uid=1000,gid=1000")
    + step("node", GUEST, "guest", f"{MOUNT},gid=1000,uid=1000"),
    "an id, two targets": step("root", ROOT.replace("/c/d", "/other/d"), "root", OTHER)
    + step("node", GUEST, "guest", IDS),
    "a here-document": HERE_DOC + step("node", GUEST, "guest"),
    "broken lines": BROKEN_UP + step("node", GUEST, "guest"),
}


@pytest.mark.parametrize("name", MIXED)
def test_mixed_users(name: str) -> None:
    """The user is denied what root left; after each fix everybody writes, in either order."""
    file = "FROM node:22\nRUN useradd --create-home --uid 1234 worker\n" + MIXED[name]
    assert findings(file, "CK202")
    fixes = fixed(file, "CK202")
    assert len(fixes) == 2, list(fixes)
    before, *after = build_each([file, *fixes.values()])
    assert before.ok, before.log[-2000:]
    guests = [label for label in before.labels if label in ("guest", "then")]
    assert guests
    agree(f"CK202 {name}", {before.labels[label] for label in guests}, {"no"})
    for title, built in zip(fixes, after, strict=True):
        assert built.ok, built.log[-2000:]
        agree(f"CK202 {name}: {title}", set(built.labels.values()), {"yes"})


@pytest.mark.parametrize(
    "options", ["uid=1000", "gid=1000", "mode=0777", "uid=1000,gid=1000,mode=0700"]
)
def test_ignored_owner(options: str) -> None:
    """The directory in the volume stays root's, and it is the same one with and without them."""
    flag = "--mount=type=cache,id=tools,source=part,target=/c"
    file = (
        "FROM node:22\n"
        f"RUN {flag},{options} echo RES owner $(stat -c %u:%g:%a /c); touch /c/made\n"
        f"RUN {flag} {can('test -e /c/made', 'same')}\n"
    )
    (after,) = fixed(file, "CK203").values()
    wanted = {"owner": "0:0:755", "same": "yes"}
    agree(f"CK203 {options}", told(file), wanted)
    agree(f"CK203 {options}, fixed", told(after), wanted)


def mounted(folder: str, label: str) -> str:
    return can(f"grep -q ' {folder} ' /proc/mounts", label)


@pytest.mark.parametrize(
    ("target", "user", "literal", "meant"),
    [
        ("~/.npm", "root", "/app/~/.npm", "/root/.npm"),
        ("~/.npm", "node", "/app/~/.npm", "/home/node/.npm"),
        ("~", "root", "/app/~", "/root"),
        ("$HOME/.npm", "root", "/.npm", "/root/.npm"),
        ("${HOME}/.npm", "node", "/.npm", "/home/node/.npm"),
    ],
)
def test_literal_home(target: str, user: str, literal: str, meant: str) -> None:
    """It is mounted where Cachekey says it is, and after the fix in the home directory."""
    file = (
        f"FROM node:22\nWORKDIR /app\nUSER {user}\n"
        f"RUN --mount=type=cache,target={target} {mounted(literal, 'literal')}; "
        f"{mounted(meant, 'meant')}; {can(f'touch {meant}/made', 'write')}\n"
    )
    (item,) = findings(file, "CK302")
    assert literal in item.message or "empty here" in item.message
    (after,) = fixed(file, "CK302").values()
    before = told(file)
    agree(f"CK302 {target} {user}", (before["literal"], before["meant"]), ("yes", "no"))
    wanted = {"literal": "no", "meant": "yes", "write": "yes"}
    agree(f"CK302 {target} {user}, fixed", told(after), wanted)


@pytest.mark.parametrize("again", ["/c", "/c/", "/x/../c", "c"])
def test_shadowed_mount(again: str) -> None:
    """Only the last mount is seen, before the fix and after it."""
    flags = [f"--mount=type=cache,id={name},target=/c" for name in ("one", "two")]
    seen = "echo RES seen $(ls /c | tr '\\n' ' '); touch /c/more"
    file = (
        "FROM node:22\nWORKDIR /\n"
        f"RUN {flags[0]} touch /c/first\nRUN {flags[1]} touch /c/last\n"
        f"RUN {flags[0]} --mount=type=cache,id=two,target={again} {seen}\n"
        f"RUN {flags[0]} {can('test -e /c/more', 'one')}\n"
        f"RUN {flags[1]} {can('test -e /c/more', 'two')}\n"
    )
    (after,) = fixed(file, "CK308").values()
    assert after.count("id=one") == file.count("id=one") - 1
    wanted = {"seen": "last", "one": "no", "two": "yes"}
    agree(f"CK308 {again}", told(file), wanted)
    agree(f"CK308 {again}, fixed", told(after), wanted)


def looking(file: str, line: int, path: str) -> str:
    """The file up to a line, where the last stage then looks for what it is to start."""
    return "\n".join([*file.split("\n")[: line + 1], f"RUN ls {path}", ""])


def _tool_before(file: str, offset: int) -> bool:
    """Whether the command that a place is in is one of the stand-in's tools."""
    last = re.split(r"&&|\n|^RUN ", file[:offset], flags=re.MULTILINE)[-1]
    command = [word for word in last.split() if not word.startswith("--")]
    return bool(command) and command[0] in standin.TOOLS.split()


def test_copy_from_cache() -> None:
    """The path is missing where a case is flagged, and is there after the fix."""
    trials = []
    for rule, case in CASES:
        files = texts(case)
        if rule.code == "CK401" and list(files) == ["Dockerfile"]:
            file = files["Dockerfile"]
            idle = ("RUN make", " make ", "bazel build", "stack build", "strip ")
            if any(name in file for name in idle):
                # They do nothing here, so that there is nothing to take out; strip is not there.
                continue
            for item in findings(file, "CK401"):
                path = item.message.split()[0]
                line = file.count("\n", 0, item.span.start)
                if _tool_before(file, item.span.start):
                    # The stand-in's tools read nothing, and miss nothing.
                    continue
                if "that is to start it" not in item.message:
                    both = fixed(file, "CK401").values()
                    trials += [(case.title, path, file, text) for text in both]
                    continue
                for fix in item.fixes:
                    text = apply_fix({"Dockerfile": file}, fix)["Dockerfile"]
                    to = f"/out/{path.rpartition('/')[2]}"
                    asked = looking(file, line, path), looking(text, line, to)
                    trials.append((case.title, path, *asked))
    assert len(trials) > 2
    before = build_each([file for _, _, file, _ in trials])
    after = build_each([text for *_, text in trials])
    for (title, path, *_), first, then in zip(trials, before, after, strict=True):
        missing = not first.ok and path in first.error and "no" in first.error
        agree(f"CK401 {title}: {first.error}", missing, True)
        agree(f"CK401 {title}, fixed: {then.error}", then.ok, True)
