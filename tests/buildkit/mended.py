"""What ``--fix`` makes of whole repositories, judged by git and by BuildKit's own parser.

``python -m tests.buildkit.mended FOLDER`` (``make mended CORPUS=FOLDER``) takes every folder in FOLDER for
a repository, works on copies of it, and prints what is wrong, how the instructions of each mended
Dockerfile differ, and counts. It needs git, and the oracle of ``make builders``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher, unified_diff
from pathlib import Path

import yaml

from tests.support.client import environment
from tests.support.promise import ADDED, is_dockerfile

from .oracle import Instruction, oracle

LEVELS: dict[str, tuple[str, ...]] = {"safe": (), "all": ("--unsafe-fixes",)}
LIMIT_S = 600
LOUD = ("error", "warning")
MAY_CHANGE = ("cache-map", "uses", "volumes")
"""Keys of YAML files whose values a fix may change."""

Files = Mapping[str, bytes]


@dataclass
class Judged:
    """What became of one repository: ``wrong`` is to be empty, ``differs`` is read by eye."""

    files: int = 0
    mended: int = 0
    fixes: int = 0
    wrong: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)


def read(root: Path) -> dict[str, bytes]:
    """Return the files below a folder by path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def put(root: Path, files: Files) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def judge(files: Files, scratch: Path, name: str = "repository") -> dict[str, Judged]:
    """Mend copies of a repository in a scratch folder, and return what became of it at each level."""
    found: dict[str, Judged] = {}
    put(scratch / name, files)
    before = _loud(_cachekey(scratch / name, "--format", "json"))
    for level, options in LEVELS.items():
        # Of one name: ids are made from it.
        fixed, patched = scratch / f"{level}-fixed" / name, scratch / f"{level}-patched" / name
        put(fixed, files)
        put(patched, files)
        found[level] = judged = Judged(sum(_is_ours(*item) for item in files.items()))
        patch = _cachekey(patched, "--diff", *options)
        told = re.search(rb"Would fix (\d+) in", patch.stderr)
        judged.fixes = int(told[1]) if told else 0
        after = _loud(_cachekey(fixed, "--fix", "--format", "json", *options))
        now = read(fixed)
        judged.mended = sum(now.get(path) != text for path, text in files.items())
        judged.wrong += _lost(files, now)
        judged.wrong += _unlike(patched, patch.stdout, now)
        judged.wrong += _worse(before, after)
        if judged.mended:
            _cachekey(fixed, "--fix", *options)
            again = [path for path, text in read(fixed).items() if text != now[path]]
            judged.wrong += [f"{path}: a second pass edits it again" for path in again]
        for path, old in files.items():
            if now.get(path, old) != old:
                _compare(path, old, now[path], judged)
    return found


def _is_ours(path: str, content: bytes) -> bool:
    return is_dockerfile(path, content.decode(errors="replace"))


def _cachekey(root: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "cachekey", "check", ".", "--fail-on", "never", "--jobs", "1"]
    return subprocess.run(
        [*command, *options],
        cwd=root,
        env=environment(),
        capture_output=True,
        check=False,
        timeout=LIMIT_S,
    )


def _loud(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, str]]:
    if not done.stdout:
        return [{"path": "", "code": done.stderr.decode(errors="replace"), "severity": "error"}]
    return [item for item in json.loads(done.stdout)["findings"] if item["severity"] in LOUD]


def _worse(before: Sequence[Mapping], after: Sequence[Mapping]) -> Iterator[str]:
    """Yield errors and warnings that a file has more of; an error that is gone may have hidden warnings."""
    count = Counter((item["path"], item["code"]) for item in before)
    errors = Counter(item["path"] for item in before if item["severity"] == "error")
    errors.subtract(item["path"] for item in after if item["severity"] == "error")
    for item in after:
        key = (item["path"], item["code"])
        count[key] -= 1
        if count[key] < 0 and (item["severity"] == "error" or errors[item["path"]] <= 0):
            yield f"{item['path']}: new {item['code']} {item.get('message', '')}"


def _lost(files: Files, now: Files) -> Iterator[str]:
    for path in files.keys() ^ now.keys():
        yield f"{path}: {'gone' if path in files else 'left behind'}"


def _unlike(root: Path, patch: bytes, now: Files) -> Iterator[str]:
    """Yield files of which ``git apply`` makes something else than ``--fix`` did."""
    # Outside of a repository, where nobody's settings for line ends count.
    home = {**os.environ, "HOME": str(root.parent), "GIT_CEILING_DIRECTORIES": str(root.parent)}
    if patch:
        done = subprocess.run(
            ["git", "apply", "-"], cwd=root, input=patch, env=home, capture_output=True, check=False
        )
        if done.returncode != 0:
            yield f"git apply: {done.stderr.decode(errors='replace').strip()}"
            return
    for path, text in read(root).items():
        if now.get(path) != text:
            yield f"{path}: --diff and --fix differ"


def _compare(path: str, old: bytes, new: bytes, judged: Judged) -> None:
    """Note what a mended file has lost, and what BuildKit's parser sees of the change."""
    before, after = (text.decode(errors="surrogateescape") for text in (old, new))
    judged.wrong += _unkept(path, before, after)
    if not is_dockerfile(path, before):
        judged.wrong += _unread(path, before, after)
        judged.differs.append(_shown(path, before, after))
        return
    try:
        was, is_ = oracle().parse(before), oracle().parse(after)
    except UnicodeError:
        return
    if was.error or is_.error:
        if was.error != is_.error:
            judged.wrong.append(f"{path}: {is_.error or 'taken'}, before: {was.error or 'taken'}")
        return
    judged.wrong += [f"{path}: {what}" for what in unintended(was.instructions, is_.instructions)]
    judged.differs.append(_shown(path, before, after))


def _unread(path: str, before: str, after: str) -> Iterator[str]:
    """Yield what another YAML file has lost: a fix adds keys and steps, and changes the text of a map."""
    if not path.endswith((".yml", ".yaml")):
        return
    try:
        old = _leaves(yaml.safe_load(before))
    except yaml.YAMLError:
        return
    try:
        gone = old - _leaves(yaml.safe_load(after))
    except yaml.YAMLError as error:
        yield f"{path}: no YAML any more: {error}"
        return
    for key, value in gone:
        if key not in MAY_CHANGE:
            yield f"{path}: {key}: {value} is gone"


def _leaves(value: object, key: str = "") -> Counter[tuple[str, str]]:
    """Count the scalars of a document by the key that they stand behind."""
    if isinstance(value, Mapping):
        parts = [_leaves(item, str(name)) for name, item in value.items()]
    elif isinstance(value, list):
        parts = [_leaves(item, key) for item in value]
    else:
        return Counter([(key, str(value))])
    return sum(parts, Counter())


def unintended(before: Sequence[Instruction], after: Sequence[Instruction]) -> Iterator[str]:
    """Yield how two parses differ in what no fix may touch.

    A fix may change a RUN (its mounts, its command), an ENV, an ARG and what a COPY takes from a stage,
    and add a RUN, ENV, ARG or COPY.
    """
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for what, i1, i2, j1, j2 in steps:
        old, new = list(before[i1:i2]), list(after[j1:j2])
        if what == "equal":
            continue
        for word in ("RUN", "COPY"):
            both = [[item for item in some if item.word == word] for some in (old, new)]
            for one, other in zip(*both, strict=False):
                if one.kept != other.kept or (word == "COPY" and one.rest[-1:] != other.rest[-1:]):
                    yield f"line {one.line}: {one} became {other}"
        gone = Counter(item.word for item in old) - Counter(item.word for item in new)
        come = Counter(item.word for item in new) - Counter(item.word for item in old)
        words = set(gone) - {"ENV", "ARG", "RUN"} | set(come) - ADDED
        words |= {item.word for item in old} - ADDED
        if words:
            yield f"line {old[0].line if old else new[0].line}: {', '.join(sorted(words))} changed"


def _unkept(path: str, before: str, after: str) -> Iterator[str]:
    """Yield what a maintainer would miss: comments, the kind of line ends, the byte order mark."""
    gone = _comments(before) - _comments(after)
    for comment in gone:
        yield f"{path}: comment gone: {comment}"
    if before.startswith("\ufeff") != after.startswith("\ufeff"):
        yield f"{path}: byte order mark"
    if "\r\n" in before and not re.search(r"(?<!\r)\n", before) and re.search(r"(?<!\r)\n", after):
        yield f"{path}: line ends"
    if "\r" not in before and "\r" in after:
        yield f"{path}: carriage returns"


def _comments(text: str) -> Counter[str]:
    lines = (line.strip() for line in text.splitlines())
    return Counter(line for line in lines if line.startswith(("#", "//")))


def _shown(path: str, before: str, after: str) -> str:
    lines = (text.splitlines(keepends=True) for text in (before, after))
    return "".join(unified_diff(*lines, path, path, n=1))


def main(folder: str) -> int:
    """Judge all repositories of a folder; the status is 1 when something is wrong."""
    total: Counter[str] = Counter()
    for root in sorted(path for path in Path(folder).iterdir() if path.is_dir()):
        with tempfile.TemporaryDirectory() as scratch:
            found = judge(read(root), Path(scratch), root.name)
        for level, judged in found.items():
            total.update(
                {
                    f"{level}: repositories": 1,
                    f"{level}: Dockerfiles": judged.files,
                    f"{level}: fixes": judged.fixes,
                    f"{level}: files mended": judged.mended,
                    f"{level}: wrong": len(judged.wrong),
                }
            )
            print(f"=== {root.name} {level}: {judged.fixes} fixes, {judged.mended} files mended")
            for text in judged.differs:
                print(text)
            for what in judged.wrong:
                print(f"WRONG {root.name} {level} {what}")
        sys.stdout.flush()
    for what, count in total.items():
        print(f"{what}: {count}")
    return int(any(count for what, count in total.items() if what.endswith("wrong")))


if __name__ == "__main__":
    if shutil.which("git") is None or len(sys.argv) != 2:
        sys.exit("usage: python -m tests.buildkit.mended FOLDER, on a machine with git")
    sys.exit(main(sys.argv[1]))
