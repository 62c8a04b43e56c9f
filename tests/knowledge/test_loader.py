"""Every record is valid and says where it comes from; only what is needed is read."""

from __future__ import annotations

import re
from datetime import date

import cachekey.knowledge as knowledge
import pytest
from cachekey.knowledge import Knowledge, parse
from cachekey.knowledge.paths import usual_places
from cachekey.knowledge.programs import programs
from cachekey.knowledge.records import Confidence, Kind

KNOWN = Knowledge()
TOOLS = list(KNOWN.tools())
IMAGES = list(KNOWN.images())
ASKED_FOR = [
    "uv",
    "pip",
    "pipx",
    "poetry",
    "pdm",
    "pipenv",
    "hatch",
    "conda",
    "mamba",
    "pixi",
    "apt",
    "apk",
    "dnf",
    "dnf5",
    "microdnf",
    "yum",
    "zypper",
    "pacman",
    "npm",
    "yarn1",
    "yarn-berry",
    "pnpm",
    "bun",
    "deno",
    "node-gyp",
    "corepack",
    "next",
    "turbo",
    "nx",
    "playwright",
    "puppeteer",
    "cypress",
    "go",
    "cargo",
    "rustup",
    "sccache",
    "ccache",
    "maven",
    "gradle",
    "sbt",
    "coursier",
    "bazel",
    "dotnet",
    "composer",
    "bundler",
    "gem",
    "mix",
    "rebar3",
    "cabal",
    "stack",
    "swift",
    "conan",
    "vcpkg",
    "cpm",
    "renv",
    "pak",
    "julia",
    "huggingface",
    "pre-commit",
    "golangci-lint",
    "terraform",
    "helm",
    "ruff-lint",
    "mypy",
    "nix",
    "luarocks",
    "cpanm",
    "opam",
    "virtualenv",
    "electron",
]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.id)
def test_a_tool_says_where_it_comes_from(tool):
    assert re.match(r"https://[\w.-]+/", tool.source + "/"), tool.source
    assert date.fromisoformat(tool.date) <= date.today()
    assert tool.caches, "a tool without a directory has no business here"
    for cache in tool.caches:
        assert cache.path or cache.moved_by or cache.looks_like, cache.role
        assert cache.what != "its cache", "messages need to name what lies there"


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.id)
def test_an_image_says_where_it_comes_from(image):
    assert image.source.startswith("https://")
    assert date.fromisoformat(image.date) <= date.today()
    assert image.match


def test_all_tools_that_users_were_promised_are_known():
    assert set(ASKED_FOR) <= {tool.id for tool in TOOLS}


def test_ids_are_the_file_names():
    assert [tool.id for tool in TOOLS] == list(KNOWN.tool_ids)


def test_other_tools_that_are_named_exist():
    ids = {tool.id for tool in TOOLS}
    for tool in TOOLS:
        assert set(tool.starts) <= ids
        assert set(tool.may_start) <= {*ids, "*"}


def test_images_named_by_tools_exist():
    ids = {image.id for image in IMAGES}
    for tool in TOOLS:
        for hides in tool.hides:
            assert set(hides.images) <= ids, tool.id


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.id)
def test_the_index_finds_what_the_parsed_file_holds(tool):
    """The index is a scan over lines: a list broken over lines would be missed."""
    file = next(file for file in knowledge._files("tools") if file.name == tool.id)
    assert set(file.executables) == {name for command in tool.commands for name in command.names}
    for cache in tool.caches:
        for place in (cache.path, cache.root_path, *cache.alternatives, *cache.looks_like):
            tail = place.rstrip("/}").rpartition("/")[2]
            assert not place or tail in file.tails


def test_tools_named_by_images_exist():
    ids = {tool.id for tool in TOOLS}
    for image in IMAGES:
        assert set(image.tools) <= ids, image.id


def test_the_index_finds_images():
    for file in knowledge._files("images"):
        for record in knowledge._image_records(file.name):
            for glob in record.image.match:
                assert KNOWN.image(glob.replace("*", "x")) is not None, glob


def test_only_the_files_in_question_are_parsed():
    knowledge._tool.cache_clear()
    fresh = Knowledge()
    fresh.commands_for("pip3.12")
    fresh.commands_for("apt-get")
    fresh.commands_for("frobnicate")
    assert knowledge._tool.cache_info().currsize == 2
    knowledge._tool.cache_clear()


@pytest.mark.parametrize(
    ("program", "ids"),
    [
        ("pip", {"pip"}),
        ("pip3", {"pip"}),
        ("pip3.11", {"pip"}),
        ("uvx", {"uv"}),
        ("yarn", {"yarn1", "yarn-berry"}),
        ("dnf", {"dnf", "dnf5", "microdnf"}),
        ("aptitude", {"apt"}),
        ("gradlew", {"gradle"}),
        ("mvnw", {"maven"}),
        ("cargo", {"cargo", "ccache", "sccache"}),
        ("make", {"ccache", "sccache"}),
        ("pipsqueak", set()),
    ],
)
def test_executables_find_their_tools(program, ids):
    assert {tool.id for tool, _ in KNOWN.commands_for(program)} == ids


@pytest.mark.parametrize(
    ("target", "claims"),
    [
        ("/root/.cache/uv", {"uv/cache"}),
        ("/home/app/.npm", {"npm/cache"}),
        ("/home/node/.npm/_cacache", {"npm/cache"}),
        ("/root/.cache/npm", {"npm/cache"}),
        ("/root/.cache/poetry", {"poetry/cache"}),
        ("/go/pkg/mod", {"go/modules"}),
        ("/root/go/pkg/mod/", {"go/modules"}),
        ("/root/.cache/go-build", {"go/build"}),
        ("/usr/local/cargo/registry", {"cargo/registry"}),
        ("/usr/local/cargo/registry/cache", {"cargo/registry"}),
        ("/var/cache/apt", {"apt/archives"}),
        ("/var/lib/apt/lists", {"apt/lists"}),
        ("/root/.m2", {"maven/repository"}),
        ("/root/.cache", set()),
        ("/data", set()),
        ("/", set()),
    ],
)
def test_targets_are_recognised(target, claims):
    found = {f"{claim.tool.id}/{claim.cache.role}" for claim in KNOWN.claims(target)}
    assert found == claims


def test_every_default_place_claims_its_own_directory():
    for tool in TOOLS:
        for cache in tool.caches:
            for place in usual_places(cache):
                target = place.replace("*", "/home/x", 1).replace("*", "y").replace("//", "/")
                target = target if target.startswith("/") else "/" + target
                claims = {(claim.tool.id, claim.cache.role) for claim in KNOWN.claims(target)}
                assert (tool.id, cache.role) in claims, target


def test_what_is_only_remembered_never_warns():
    assert not Confidence.REMEMBERED.warns
    assert Confidence.DOCUMENTED.warns
    assert Confidence.VERIFIED.warns


def test_results_and_build_output_are_told_from_caches():
    kinds = {f"{tool.id}/{cache.role}": cache.kind for tool in TOOLS for cache in tool.caches}
    assert kinds["cargo/target"] is Kind.BUILD
    assert kinds["npm/modules"] is Kind.RESULT
    assert kinds["npm/cache"] is Kind.DOWNLOAD


def test_harmless_programs_are_no_tools():
    for program in programs():
        assert all(command.through for _, command in KNOWN.commands_for(program)), program
    assert KNOWN.harmless("mkdir")
    assert not KNOWN.harmless("make")


def problems(table, **head):
    found: list[knowledge.Problem] = []
    parse.parse_tool("x", {**head, **table}, found, own=True)
    return [str(problem) for problem in found]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "x: a tool needs commands"),
        ({"commands": ["x"], "cachess": []}, "x.cachess: unknown key, did you mean 'caches'?"),
        ({"commands": ["x"], "caches": "no"}, "x.caches: expected a list of tables"),
        (
            {"commands": ["x"], "caches": [{"path": "/x", "kind": "odd"}]},
            "x.caches.0.kind: 'odd' is none of download, build, result",
        ),
        (
            {"commands": ["x"], "caches": [{"path": "/x", "sharing": "loked"}]},
            "x.caches.0.sharing: 'loked' is none of shared, locked, private",
        ),
        (
            {
                "commands": ["x"],
                "caches": [{"path": "/x", "moved_by": [{"flag": "-a", "env": "A"}]}],
            },
            (
                "x.caches.0.moved_by.0: exactly one of flag, env, word, config, command, program, fact, "
                "argument is needed"
            ),
        ),
        (
            {
                "commands": ["x"],
                "caches": [{"path": "/x"}],
                "empties": [{"command": "c", "caches": ["y"]}],
            },
            "x: no cache has the role 'y'",
        ),
        ({"commands": [3]}, "x.commands: expected a list of tables"),
        ({"commands": ["x"], "root_only": "yes"}, "x.root_only: expected true or false"),
    ],
)
def test_mistakes_are_named_where_they_stand(table, message):
    assert message in problems(table)


def test_data_files_need_source_and_date():
    found: list[knowledge.Problem] = []
    parse.parse_tool("x", {"commands": ["x"]}, found)
    assert [str(item) for item in found] == ["x: 'source' is missing", "x: 'date' is missing"]


OWN = {
    "frob": {
        "commands": ["frob"],
        "caches": [{"path": "$HOME/.frob", "moved_by": [{"env": "FROB"}]}],
    },
    "uv": {"commands": ["uv"], "caches": [{"path": "/corp/uv"}]},
}


def test_own_tools_are_added_and_replace_known_ones():
    mine = Knowledge(OWN)
    assert not mine.problems
    assert mine.tool_for("frob").caches[0].path == "$HOME/.frob"
    assert mine.tool_for("uv").caches[0].path == "/corp/uv"
    assert len(mine.commands_for("uv")) == 1
    assert mine.tool_for("pip").id == "pip"
    assert [c.tool.id for c in mine.claims("/home/me/.frob")] == ["frob"]
    assert KNOWN.tool_for("frob") is None


def test_own_images_come_first():
    mine = Knowledge(
        None,
        {
            "registry.corp/base": {
                "user": "dev",
                "users": [{"name": "dev", "uid": 1234, "gid": 1234, "home": "/home/dev"}],
                "env": {"UV_CACHE_DIR": "/cache/uv"},
            },
            "python": {"user": "nobody"},
        },
    )
    assert not mine.problems
    image = mine.image("registry.corp/base:2025.1")
    assert (image.user, image.home, image.env["UV_CACHE_DIR"]) == ("dev", "/home/dev", "/cache/uv")
    assert image.confidence.warns
    assert mine.image("python:3.13").user == "nobody"
    assert KNOWN.image("python:3.13").user == "root"


def test_mistakes_in_own_data_are_reported_and_the_rest_counts():
    mine = Knowledge({"frob": {"commands": ["frob"], "home": "house"}}, {"x": {"usr": "me"}})
    assert [str(item) for item in mine.problems] == [
        "frob.home: home is HOME or passwd",
        "x.usr: unknown key, did you mean 'user'?",
    ]
    assert mine.tool_for("frob") is not None
