"""The cases: what is built, and what each builder is known to make of it.

Two sources. ``tests/data/buildkit-cases.json`` holds whole Dockerfiles with recorded results;
``cases/*.toml`` holds short ones of our own, from which the same kind of Dockerfile is made. In a
case of our own ``@`` stands for a prefix that no other case uses.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from .kinds import BASE, RECORDED_BASE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent
RECORDED = HERE.parent / "data" / "buildkit-cases.json"
OWN = HERE / "cases"
ENGINES = {"buildkit": "head", "docker": "docker20", "buildah": "buildah"}
"""Builders by name, and their names in the recorded cases."""

NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"


@dataclass(frozen=True)
class Step:
    """One build of a case, with its build command's options."""

    dockerfile: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    no_cache: bool = False
    other_context: bool = False
    background: bool = False
    delay: float = 0
    join: bool = False
    concurrent: bool = False
    expect_cached: str = ""


@dataclass(frozen=True)
class Expected:
    """What a builder is known to do: echoed labels, or the words of its refusal."""

    ok: bool
    results: Mapping[str, str]
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One case."""

    name: str
    group: str
    why: str
    prefix: str
    steps: tuple[Step, ...]
    expect: Mapping[str, Expected]
    """By builder; a builder that is not in it does not take part in this case."""
    differs: str = ""
    """Why an older or another builder gives another result, in words for a person."""
    open: str = ""
    """A variable that the build command decides, so that Cachekey leaves the key open."""
    pair: tuple[tuple[str, str], tuple[str, str]] | None = None
    """Flags and marker folder of writer and reader, when that is all there is to the case."""

    def __str__(self) -> str:
        return self.name

    @property
    def timed(self) -> bool:
        """Whether builds overlap in it."""
        return any(step.background or step.delay or step.concurrent for step in self.steps)

    @property
    def about_keys(self) -> bool:
        """Whether it tells which mounts share a volume, rather than how long a volume lives."""
        return self.group not in {"sharing", "nocache", "layercache"}


def recorded() -> list[Case]:
    """The recorded cases."""
    return [_recorded(raw) for raw in json.loads(RECORDED.read_text(encoding="utf-8"))]


def _recorded(raw: dict[str, Any]) -> Case:
    steps = tuple(
        Step(
            **{k: v for k, v in build.items() if k in Step.__annotations__},
            other_context="context" in build,
        )
        for build in raw.get("builds") or [{"dockerfile": raw["dockerfile"]}]
    )
    found = re.search(r"\bk\d{3}", "".join(step.dockerfile for step in steps))
    expect = {}
    for name, key in ENGINES.items():
        result = raw["expect"].get(key)
        if result is not None:
            errors = tuple(error["core"] for error in result.get("errors", ()))
            expect[name] = Expected(result["ok"], result["results"], errors)
    if raw["group"] == "bad" or any(step.background or step.concurrent for step in steps):
        # Cachekey's complaints are BuildKit's with every engine; and without a daemon the timed
        # cases measure how fast a process starts.
        expect.pop("buildah", None)
    prefix = found[0] if found else raw["name"]
    pair = _pair(steps[0].dockerfile, prefix) if len(steps) == 1 else None
    return Case(raw["name"], raw["group"], raw["why"], prefix, steps, expect, pair=pair)


def _pair(dockerfile: str, prefix: str) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """Flags and marker folders of a recorded case, when two flags in plain words are all of it."""
    flag = r"RUN (--mount=[\w=,./:-]+)"
    found = re.fullmatch(
        rf"{re.escape(RECORDED_BASE)}FROM base\n"
        rf"{flag} touch (\S+)/{prefix}m && echo RES w wrote\n"
        rf"{flag} if \[ -e (\S+)/{prefix}m \]; then echo RES r shared; else echo RES r fresh; fi\n",
        dockerfile,
    )
    if not found:
        return None
    first, at, second, then = found.groups()
    return (first, at), (second, then)


@lru_cache(maxsize=1)
def own() -> list[Case]:
    """Our own cases of two mounts, made into Dockerfiles."""
    cases = []
    for file in sorted(OWN.glob("*.toml")):
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        for raw in table.get("case", ()):
            cases.append(_own(raw, file.stem, f"z{len(cases):03}"))
    return cases


def _own(raw: dict[str, Any], group: str, prefix: str) -> Case:
    """Makes the Dockerfiles of one case: the first RUN writes a marker, the second looks for it."""
    text = {
        k: v.replace("@", prefix)
        for k, v in raw.items()
        if isinstance(v, str) and k not in ("name", "why", "depends_on")
    }
    places = [place.replace("@", prefix) for place in raw.get("at", ())]
    first = text["first"]
    second = text.get("second", first)
    at = places[0] if places else target(first)
    then = places[1] if len(places) > 1 else places[0] if places else target(second)
    write = f"touch {at}/{prefix}m && echo RES w wrote"
    look = f"if [ -e {then}/{prefix}m ]; then echo RES r shared; else echo RES r fresh; fi"
    head = text.get("top", "") + RECORDED_BASE + text.get("stages", "")
    opening = text.get("open", "FROM base\n") + text.get("before", "")
    one = text.get("writer", "RUN {flags} {script}\n").format(flags=first, script=write)
    two = text.get("reader", "RUN {flags} {script}\n").format(flags=second, script=look)
    options = _filled(raw.get("args", {}), prefix)
    platform = text.get("platform", "")
    if "later_args" in raw or "later_platform" in raw or raw.get("two_builds"):
        later = _filled(raw.get("later_args", {}), prefix)
        extra = text.get("later_stages", text.get("stages", ""))
        again = text.get("top", "") + RECORDED_BASE + extra + text.get("later", opening)
        reading = again + text.get("between", "") + two
        steps = (
            Step(head + opening + one, options, platform),
            Step(reading, later, text.get("later_platform", "")),
        )
    else:
        steps = (Step(head + opening + one + text.get("between", "") + two, options, platform),)
    plain = set(raw) <= {"name", "why", "first", "second", "shared", "docker", "buildah", "differs"}
    pair = ((first, at), (second, then)) if plain and first.count("--mount") == 1 else None
    taking = {name for name in ENGINES if raw.get(name) != "untested"}
    if pair is None and "buildah" not in raw:
        # A RUN takes Buildah a third of a second of a processor: those that tell something of it.
        taking.discard("buildah")
    expect = {name: _expected(raw, name, prefix) for name in ENGINES if name in taking}
    differs = raw.get("differs", "")
    open_ = raw.get("depends_on", "")
    return Case(raw["name"], group, raw["why"], prefix, steps, expect, differs, open_, pair)


def _filled(table: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The same with the prefix in place."""
    return {k.replace("@", prefix): v.replace("@", prefix) for k, v in table.items()}


def _expected(raw: dict[str, Any], name: str, prefix: str) -> Expected:
    """What the case says of one builder; without a word of its own it follows BuildKit."""
    said = raw.get(name, raw["shared"])
    if isinstance(said, str):
        return Expected(False, {}, (said.replace("@", prefix),))
    return Expected(True, {"w": "wrote", "r": "shared" if said else "fresh"})


def target(flags: str) -> str:
    """The folder that the last absolute target of a flag names."""
    found = re.findall(r"(?i)\b(?:target|dst|destination)=(/[^,\s\"'\\]*)", flags)
    if not found:
        raise ValueError(f"no absolute target in {flags}: say with at = [...] where markers go")
    return re.sub(r"/+", "/", found[-1]).rstrip("/")


@dataclass(frozen=True)
class Refusal:
    """One way a mount is refused: the words behind RUN, and BuildKit's message."""

    name: str
    why: str
    flags: str
    says: str
    before: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def dockerfile(self) -> str:
        """A file with just this."""
        return f"FROM scratch\n{self.before}RUN {self.flags} true\n"


def refusals() -> list[Refusal]:
    """Our own cases of refused mounts."""
    table = tomllib.loads((OWN / "refused.toml").read_text(encoding="utf-8"))
    return [Refusal(**raw) for raw in table["refused"]]


def labelled(case: Case, dockerfile: str) -> str:
    """The same file with labels that no other case uses."""
    return dockerfile.replace("echo RES ", f"echo RES {case.prefix}.")


def renamed(case: Case) -> Case:
    """The same case under another prefix, so that it finds nothing of its first run."""
    prefix = f"{case.prefix}again"
    steps = tuple(
        replace(step, dockerfile=step.dockerfile.replace(case.prefix, prefix))
        for step in case.steps
    )
    return replace(case, prefix=prefix, steps=steps)


def mine(case: Case, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of one case out of many."""
    start = f"{case.prefix}."
    return {k[len(start) :]: v for k, v in labels.items() if k.startswith(start)}


def batchable(case: Case) -> bool:
    """Whether the case can be some stages of a larger file."""
    if len(case.steps) != 1:
        return False
    step = case.steps[0]
    simple = Step(step.dockerfile) == step
    return simple and step.dockerfile.startswith(RECORDED_BASE) and "\r" not in step.dockerfile


def stages(case: Case) -> tuple[str, str]:
    """The stages of a case under names of their own, and the name of its last one."""
    body = labelled(case, case.steps[0].dockerfile[len(RECORDED_BASE) :])
    names = re.findall(r"(?im)^FROM\s+\S+\s+AS\s+(\S+)", body)
    for name in sorted(set(names), key=len, reverse=True):
        body = re.sub(
            rf"(?im)(^FROM\s+(?:\S+\s+AS\s+)?|\bfrom=){re.escape(name)}(?=[\s,\"'\\]|$)",
            rf"\g<1>{case.prefix}{name}",
            body,
        )
    last = f"{case.prefix}-last"
    openings = list(re.finditer(r"(?im)^FROM\s+(\S+)(\s+AS\s+(\S+))?[ \t]*$", body))
    end = openings[-1]
    if end[3]:
        return body, end[3]
    return f"{body[: end.end()]} AS {last}{body[end.end() :]}", last


def together(cases: Iterable[Case]) -> str:
    """One Dockerfile that runs many cases: every case's stages, and one stage that wants all."""
    bodies, ends = [], []
    for case in cases:
        body, last = stages(case)
        bodies.append(body)
        ends.append(last)
    wants = "".join(f"COPY --from={end} /bin/sh /{number}\n" for number, end in enumerate(ends))
    return f"{BASE}{''.join(bodies)}FROM scratch\n{wants}"


def in_pairs(cases: Iterable[Case]) -> str:
    """One Dockerfile of two RUNs: the first writes every case's marker, the second looks."""
    flags: tuple[list[str], list[str]] = ([], [])
    scripts: tuple[list[str], list[str]] = ([], [])
    for case in cases:
        assert case.pair is not None
        mark = f"{case.prefix}m"
        (first, at), (second, then) = case.pair
        flags[0].append(first)
        flags[1].append(second)
        scripts[0].append(f"touch {at}/{mark} && echo RES {case.prefix}.w wrote")
        found = f"echo RES {case.prefix}.r shared; else echo RES {case.prefix}.r fresh; fi"
        scripts[1].append(f"if [ -e {then}/{mark} ]; then {found}")
    runs = [f"RUN {' '.join(f)} {'; '.join(s)}\n" for f, s in zip(flags, scripts, strict=True)]
    return f"{BASE}FROM base\n{''.join(runs)}"
