"""What a file is, told by its name."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["dockerfile", "devcontainer", "compose", "builds"]
Builder = Literal["bake", "workflow", "gitlab", "make", "just", "shell"]
"""What starts builds."""

DEVCONTAINER_NAMES = ("devcontainer.json", ".devcontainer.json", "devcontainer-feature.json")

_COMPOSE = re.compile(r"(?:docker-)?compose(?:[._-][^/]*)?\.ya?ml\Z", re.IGNORECASE)
_DOCKERFILE = re.compile(
    r"""(?: (?:Dockerfile|Containerfile) (?: [.-] (?P<suffix>.+) )?
      | Containerfile _ .+
      | .+ \. (?:dockerfile|containerfile) )\Z""",
    re.VERBOSE | re.IGNORECASE,
)
# What stands behind "Dockerfile." in names of files that are about a Dockerfile, not one.
_ABOUT = re.compile(
    r"""(?: adoc | asciidoc | bak | bats | cfg | conf | containerignore | css | csv | diff
      | dockerignore | erb | gotmpl | hbs | html? | in | ini | j2 | jinja2? | json | license | lock
      | log | m4 | markdown | mdx? | mustache | orig | patch | pdf | png | rej | rst | sha256 | sig
      | sum | svg | sw[op] | te?mpl | template | tmp | toml | tpl | txt | xml | ya?ml )\Z""",
    re.VERBOSE | re.IGNORECASE,
)
# "dockerfile.go" is Go source; "Dockerfile.go" is a Dockerfile for Go.
_SOURCE_CODE = re.compile(
    r"""(?: c | cc | cpp | cs | d | exs? | go | h | hpp | java | jsx? | kt | lua | php | pl | ps1
      | py | rb | rs | scala | sh | swift | tsx? | vim | zig )\Z""",
    re.VERBOSE | re.IGNORECASE,
)

_BUILDERS: tuple[tuple[Builder, re.Pattern[str]], ...] = (
    ("workflow", re.compile(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml\Z")),
    ("bake", re.compile(r"(?:.*/)?(?:[^/]*[.-])?bake(?:[.-][^/]*)?\.(?:hcl|json)\Z")),
    ("gitlab", re.compile(r"(?:.*/)?(?:[^/]*\.)?\.?gitlab-ci[^/]*\.ya?ml\Z")),
    ("make", re.compile(r"(?:.*/)?(?:GNUm|m|M)akefile\Z|.*\.mk\Z")),
    ("just", re.compile(r"(?:.*/)?\.?[jJ]ustfile\Z|.*\.just\Z")),
    ("shell", re.compile(r".*\.(?:sh|bash)\Z")),
)

_ENDS = (".yml", ".yaml", ".hcl", ".json", "akefile", ".mk", "ustfile", ".just", ".sh", ".bash")


def builder_of(path: str) -> Builder | None:
    """Tell by its path which kind of file that starts builds a file is."""
    return next((kind for kind, pattern in _BUILDERS if pattern.match(path)), None)


def kind_of(path: str) -> Kind | None:
    """Tell by its name what a file is; None for one that Cachekey does not read."""
    name = path.rsplit("/", 1)[-1]
    if name in DEVCONTAINER_NAMES:
        return "devcontainer"
    if _COMPOSE.match(name):
        return "compose"
    match = _DOCKERFILE.match(name)
    if match is None:
        return "builds" if name.endswith(_ENDS) and builder_of(path) is not None else None
    if name.endswith("~"):
        return None
    suffix = (match.group("suffix") or "").rsplit(".", 1)[-1]
    if _ABOUT.match(suffix) or (_SOURCE_CODE.match(suffix) and name[0].islower()):
        return None
    return "dockerfile"
