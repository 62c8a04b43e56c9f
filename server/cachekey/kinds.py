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
    r"""(?: adoc | asciidoc | bak | bats | bz2 | cfg | class | conf | containerignore | css | csv | diff
      | dll | dockerignore | erb | exe | gif | gotmpl | gz | hbs | html? | ico | in | ini | j2 | jar | jinja2?
      | jpe?g | json | license | lock | log | m4 | markdown | mdx? | mustache | orig | patch | pdf | png
      | pyc | rej | rst | sha256 | sig | so | sum | svg | sw[op] | tar | te?mpl | template | tgz | tmp | toml
      | tpl | txt | vsix | wasm | webp | xml | xz | ya?ml | zip | zst )\Z""",
    re.VERBOSE | re.IGNORECASE,
)
# "dockerfile.go" is Go source; "Dockerfile.go" is a Dockerfile for Go.
_SOURCE_CODE = re.compile(
    r"""(?: c | cabal | cc | cpp | cs | csproj | d | exs? | gemspec | go | gradle | groovy | h | hpp | java
      | jsx? | kts? | lua | nix | php | pl | podspec | ps1 | py | rb | rs | scala | sh | swift | tsx? | vim
      | zig )\Z""",
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


# Names that Dockerfiles have and other files, too: "Dockerfile_intel", ".Dockerfile", "Dockerfile.tmpl",
# "Dockerfile.diff".
_PERHAPS = re.compile(
    r"""\.? (?:Dockerfile|Containerfile)
      (?: [._-] .* )? (?: [._-] (?: diff | erb | gotmpl | hbs | in | j2 | jinja2? | m4 | mustache
      | patch | te?mpl | template | tpl ) | _ [^.]+ )?\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_TEXT_TELLS = re.compile(
    r"(?i)\.(?:diff|erb|gotmpl|hbs|in|j2|jinja2?|m4|mustache|patch|te?mpl|template|tpl)\Z"
)
HEAD = 4000
"""Characters at the top of a file by which :func:`reads_as_dockerfile` decides."""
_BEFORE_FROM = re.compile(r"\Z|\#|ARG[ \t]|\{[{%].*[%}]\}\Z|<%.*%>\Z", re.IGNORECASE)
# A patch by mail begins with "From", a commit and a date.
_FROM = re.compile(r"FROM[ \t]+(?![0-9a-f]{40}[ \t])\S", re.IGNORECASE)


def may_be_dockerfile(path: str) -> bool:
    """Tell whether a file of which :func:`kind_of` knows nothing may be a Dockerfile all the same."""
    name = path.rsplit("/", 1)[-1]
    if kind_of(path) is not None or not _PERHAPS.match(name):
        return False
    suffix = name.lstrip(".").partition(".")[2].rsplit(".", 1)[-1]
    return bool(_TEXT_TELLS.search(name)) or not _ABOUT.match(suffix)


def reads_as_dockerfile(text: str) -> bool:
    """Tell whether a text begins as a Dockerfile does: comments and ARGs, then FROM."""
    lines = (line.strip() for line in text[:HEAD].split("\n"))
    first = next((line for line in lines if not _BEFORE_FROM.match(line)), "")
    return _FROM.match(first) is not None


def kind_in(path: str, text: str) -> Kind | None:
    """Tell by its name, and where that leaves it open by its text, what a file is."""
    kind = kind_of(path)
    if kind is None and may_be_dockerfile(path) and reads_as_dockerfile(text):
        return "dockerfile"
    return kind


def may_be_compose(path: str) -> bool:
    """Tell whether a file of which :func:`kind_of` knows nothing is a compose file if somebody says so."""
    return path.endswith((".yml", ".yaml")) and kind_of(path) is None


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
