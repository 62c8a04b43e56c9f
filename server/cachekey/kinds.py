"""What a file is, told by its name."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["dockerfile", "devcontainer", "compose"]

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


def kind_of(path: str) -> Kind | None:
    """Tell by its name what a file is; None for one that Cachekey does not read."""
    name = path.rsplit("/", 1)[-1]
    if name in DEVCONTAINER_NAMES:
        return "devcontainer"
    if _COMPOSE.match(name):
        return "compose"
    match = _DOCKERFILE.match(name)
    if match is None or name.endswith("~"):
        return None
    suffix = (match.group("suffix") or "").rsplit(".", 1)[-1]
    if _ABOUT.match(suffix) or (_SOURCE_CODE.match(suffix) and name[0].islower()):
        return None
    return "dockerfile"
