"""Grammars of YAML: compose files, GitHub workflows, GitLab pipelines."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from random import Random

from tests.fuzz import grammar
from tests.fuzz.grammar import PATHS, VALUES, name, value
from tests.fuzz.recipes import CONTEXTS, building, script


class Writer:
    """Writes data as YAML, each time in another way."""

    def __init__(self, r: Random) -> None:
        self.r = r
        self._anchors = 0

    def write(self, data: object, indent: str = "") -> str:
        """Write a value that stands behind a key or a dash."""
        if isinstance(data, dict) and data and self.r.random() < 0.85:
            return "".join(self._member(str(key), item, indent) for key, item in data.items())
        if isinstance(data, list) and data and self.r.random() < 0.8:
            return "".join(f"\n{indent}- {self._element(item, indent)}" for item in data)
        return self._flow(data, indent)

    def _member(self, key: str, item: object, indent: str) -> str:
        r, anchor, value = self.r, "", ""
        kind = r.randrange(40)
        if kind == 0:
            self._anchors += 1
            anchor = f" &a{self._anchors}"
        elif kind == 1 and self._anchors:
            value = f"*a{r.randrange(self._anchors) + 1}"
        elif kind == 2:
            anchor = r.choice((" !reset", " !override", " !!str", " !x"))
        value = value or self.write(item, f"{indent}  ")
        comment = r.choice(("",) * 20 + ("  # c", "\n# c")) if "\n" not in str(item) else ""
        merge = f"\n{indent}<<: *a{self._anchors}" if kind == 3 and self._anchors else ""
        return f"\n{indent}{key}:{anchor} {value}{comment}{merge}"

    def _element(self, item: object, indent: str) -> str:
        """Write an element of a list, whose first line stands behind the dash."""
        text = self.write(item, f"{indent}  ")
        return text.lstrip("\n ") if isinstance(item, (dict, list)) else text

    def _flow(self, data: object, indent: str) -> str:
        r = self.r
        if isinstance(data, str):
            if data.strip() == data and data and ("\n" in data or r.random() < 0.1):
                body = data.replace("\n", f"\n{indent}")
                return f"{r.choice(('|', '|', '|-', '>', '>+'))}\n{indent}{body}"
            plain = data if _PLAIN.fullmatch(data) else json.dumps(data)
            quoted = data.replace("'", "''").replace("\n", "\n\n")
            return r.choice((plain, plain, json.dumps(data), f"'{quoted}'"))
        return json.dumps(data, ensure_ascii=r.random() < 0.5)


_PLAIN = re.compile(r"[\w/.$~-][\w/.${}~ -]*(?<! )")


def yaml(r: Random, data: object) -> str:
    """Write a document."""
    return Writer(r).write(data).lstrip("\n")


def some(r: Random, parts: Mapping[str, object], most: int = 6) -> dict[str, object]:
    return {
        key: parts[key] for key in r.sample(sorted(parts), min(len(parts), r.randrange(1, most)))
    }


def _build(r: Random) -> object:
    if r.random() < 0.3:
        return r.choice(CONTEXTS)
    args = {name(r): r.choice((*VALUES, None, 1)) for _ in range(r.randrange(3))}
    return some(
        r,
        {
            "context": r.choice(CONTEXTS),
            "dockerfile": r.choice(("Dockerfile", "api/Dockerfile", "../Dockerfile", "$A")),
            "args": args if r.random() < 0.5 else [f"{key}={item}" for key, item in args.items()],
            "target": r.choice(("s0", "s1", "${A:-s0}")),
            "platforms": ["linux/amd64", "linux/$A"],
            "additional_contexts": {"s1": "."},
            "cache_from": ["type=gha"],
        },
    )


def _service_mount(r: Random) -> object:
    source, target = r.choice(("npm", "./x", "$A", "~/.npm", "${A:-v}")), r.choice(PATHS)
    if r.random() < 0.4:
        kind = r.choice(("volume", "bind", "tmpfs", "cache"))
        return {"type": kind, "source": source, "target": target, "volume": {"nocopy": True}}
    return f"{source}:{target}{r.choice(('', ':ro', ':z', ':foo'))}"


def compose(r: Random) -> str:
    """Make a compose file."""

    def service() -> object:
        return some(
            r,
            {
                "build": _build(r),
                "image": r.choice(("debian:13", "node:22", "$A")),
                "volumes": [_service_mount(r) for _ in range(r.randrange(4))],
                "user": r.choice(("node", "1000:1000", "$A", "root")),
                "environment": {name(r): r.choice((*VALUES, *PATHS)) for _ in range(2)},
                "env_file": [".env"],
                "extends": r.choice(("db", {"service": "app", "file": "compose.yaml"})),
                "command": grammar.lifecycle(r),
                "platform": "linux/arm64",
                "profiles": ["dev", "$A"],
                "tmpfs": ["/tmp", "/root/.npm:size=1"],
            },
        )

    services = {r.choice(("app", "db", "x-y", "$A")): service() for _ in range(r.randrange(1, 4))}
    data = {
        "name": "p",
        "services": services,
        "volumes": {"npm": r.choice((None, {"external": True}, {"name": "n-$A"}))},
        "include": [r.choice(("compose.yaml", "other.yaml"))],
        "x-common": {"environment": {"A": "b"}},
    }
    kept = {"services": services, **some(r, data, 4)}
    return yaml(r, kept) + r.choice(("\n", "", "\n---\nservices: {app: {image: x}}\n"))


_EXPRESSIONS = (
    "${{ matrix.a }}",
    "${{ env.A }}",
    "${{ inputs.tag }}",
    "${{ github.sha }}",
    "${{ steps.b.outputs.name }}",
    "${{ fromJSON('[1]') }}",
    "${{",
    "${{ } }}",
    "a",
)


def _step(r: Random) -> object:
    action = r.choice(
        (
            "docker/build-push-action@v6",
            "docker/bake-action@v6",
            "docker/setup-buildx-action@v3",
            "reproducible-containers/buildkit-cache-dance@v3",
            "actions/cache@v4",
            "actions/checkout@v4",
            "depot/build-push-action@v1",
            "useblacksmith/build-push-action@v2",
            "devcontainers/ci@v0.3",
            "./",
            "./nowhere",
            _EXPRESSIONS[0],
        )
    )
    given = {
        "context": r.choice(CONTEXTS),
        "file": r.choice(("Dockerfile", "api/Dockerfile", *_EXPRESSIONS)),
        "build-args": f"A={r.choice(VALUES)}\nB={r.choice(_EXPRESSIONS)}\n",
        "platforms": r.choice(("linux/amd64,linux/arm64", *_EXPRESSIONS)),
        "targets": r.choice(("app", "app,all", *_EXPRESSIONS)),
        "set": "*.args.A=b\n",
        "cache-to": "type=gha",
        "cache-map": r.choice(
            (
                '{"c": "/root/.npm"}',
                '{"c": {"target": "/root/.npm", "id": "npm-a"}}',
                "{",
                "[]",
                "1",
            )
        ),
        "path": r.choice(PATHS),
        "key": r.choice(_EXPRESSIONS),
        "driver": r.choice(("docker", "docker-container", "remote")),
        "builder": r.choice(_EXPRESSIONS),
        "push": True,
    }
    common = {
        "name": r.choice(_EXPRESSIONS),
        "id": "b",
        "if": "always()",
        "working-directory": r.choice((".", "api", "/x", *_EXPRESSIONS)),
        "env": {name(r): r.choice((*VALUES, *_EXPRESSIONS))},
        "shell": r.choice(("bash", "pwsh", "python")),
    }
    if r.random() < 0.4:
        return {"run": f"{script(r)}\necho {r.choice(_EXPRESSIONS)}", **some(r, common, 3)}
    return {"uses": action, "with": some(r, given), **some(r, common, 3)}


def workflow(r: Random) -> str:
    """Make a GitHub workflow."""

    def job() -> object:
        if r.random() < 0.15:
            return {
                "uses": r.choice(("./.github/workflows/build.yml", "a/b/c.yml@v1")),
                "with": {"tag": "x"},
            }
        own = {
            "runs-on": r.choice(
                (
                    "ubuntu-latest",
                    "self-hosted",
                    ["self-hosted", "x"],
                    _EXPRESSIONS[0],
                    {"group": "g"},
                )
            ),
            "strategy": {
                "matrix": {"a": ["x", "y", 1], "include": [{"a": "z"}, r.choice(_EXPRESSIONS)]}
            },
            "env": {name(r): r.choice((*VALUES, *_EXPRESSIONS))},
            "defaults": {"run": {"working-directory": "api"}},
            "container": "docker:dind",
            "steps": [_step(r) for _ in range(r.randrange(1, 5))],
        }
        return {"steps": own["steps"], **some(r, own)}

    jobs = {r.choice(("a", "b", "c")): job() for _ in range(r.randrange(1, 3))}
    inputs = {"tag": {"default": r.choice(VALUES)}}
    data = {
        "on": r.choice(("push", ["push"], {"workflow_call": {"inputs": inputs}})),
        "env": {name(r): r.choice((*VALUES, *_EXPRESSIONS))},
        "jobs": jobs,
    }
    return yaml(r, data) + "\n"


def gitlab(r: Random) -> str:
    """Make a GitLab pipeline."""

    def job() -> object:
        return some(
            r,
            {
                "image": "docker:27",
                "services": [r.choice(("docker:dind", {"name": "docker:27-dind", "alias": "d"}))],
                "variables": {name(r): r.choice((*VALUES, None))},
                "before_script": [script(r, 0)],
                "script": r.choice(([script(r, 0), building(r)], script(r))),
                "extends": ".base",
                "tags": ["x"],
            },
        )

    jobs = {
        key: job() for key in r.sample((".base", "build", "test", "default"), r.randrange(1, 4))
    }
    return yaml(r, {"variables": {"A": value(r)}, **jobs}) + "\n"
