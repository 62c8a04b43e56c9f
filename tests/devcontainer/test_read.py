"""What a devcontainer.json makes of a container: mounts, variables, commands, its Dockerfile."""

from __future__ import annotations

import json

import pytest
from cachekey.assist.completion_devcontainer import Proposal, complete_devcontainer
from cachekey.assist.hover_compose import hover_compose
from cachekey.assist.hover_devcontainer import hover_devcontainer
from cachekey.assist.hover_runtime_mount import runtime_lines
from cachekey.devcontainer.caches import cache_of
from cachekey.devcontainer.compose import ComposeFile
from cachekey.devcontainer.mounts import RuntimeMount
from cachekey.devcontainer.ownership import unwritable_at
from cachekey.devcontainer.paths import workspace_root
from cachekey.devcontainer.read import Devcontainer, read_devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.devcontainer.substitution import literal, stable, variables
from cachekey.dockerfile.records import Dockerfile
from cachekey.edits import devcontainer as edit
from cachekey.edits.recipe import offers
from cachekey.finding import FileEdit, Fix
from cachekey.markup.markdown import markdown
from cachekey.syntax.jsonc.dockermount import parse_mount, parse_volume, volume_name
from cachekey.text import Edit, Mapped, Source, Span, apply_edits
from cachekey.workspace.project import Project
from hypothesis import given
from hypothesis import strategies as st

from tests.support.checking import apply_fix, check, make_project

HERE = ".devcontainer/devcontainer.json"


def read(text: str, path: str = HERE) -> Devcontainer:
    return read_devcontainer(path, Source(text))


def whole(text: str) -> Mapped:
    return Mapped.plain(Source(text), Span(0, len(text)))


# -- mounts ---------------------------------------------------------------------------------------


def test_mounts_of_all_places() -> None:
    text = """{
      "mounts": ["type=bind,src=/a,dst=/b,ro", { "type": "volume", "target": "/c" }, 5],
      "workspaceMount": "source=${localWorkspaceFolder},target=/w,type=bind",
      "runArgs": ["--init", "--mount", "target=/d", "--mount=target=/e,type=TMPFS", "-v",
                  "x1:/f:ro", "--volume=/g:/h", "-vy1:/i", "--tmpfs", "/j:size=1m", "-e", "A=b",
                  "--mount"]
    }"""
    document = read(text)
    rows = [
        (m.origin, m.form, m.type, m.source.text if m.source else None, m.place, m.readonly)
        for m in document.mounts
    ]
    assert rows == [
        ("mounts", "string", "bind", "/a", "/b", True),
        ("mounts", "object", "volume", None, "/c", False),
        ("workspaceMount", "string", "bind", "${localWorkspaceFolder}", "/w", False),
        ("runArgs", "string", "volume", None, "/d", False),
        ("runArgs", "string", "tmpfs", None, "/e", False),
        ("runArgs", "volume", "volume", "x1", "/f", True),
        ("runArgs", "volume", "bind", "/g", "/h", False),
        ("runArgs", "volume", "volume", "y1", "/i", False),
        ("runArgs", "tmpfs", "tmpfs", None, "/j", False),
    ]
    spans = [text[slice(*mount.span)] for mount in document.mounts]
    assert spans[0] == "type=bind,src=/a,dst=/b,ro"
    assert spans[4] == "target=/e,type=TMPFS"
    assert spans[7] == "y1:/i"


def test_a_bare_string_is_a_mount() -> None:
    assert [mount.place for mount in read('{"mounts": "target=/a"}').mounts] == ["/a"]


def test_compose_has_the_mounts_of_mounts_only() -> None:
    document = read(
        '{"dockerComposeFile": "c.yml", "mounts": ["target=/a"], "runArgs": ["-v", "/b"]}'
    )
    assert [mount.place for mount in document.effective_mounts] == ["/a"]


def test_fields_of_a_mount_string() -> None:
    text = 'Type=bind,"source=/a,""b""", target=/c,ro,x=1=2'
    parsed = parse_mount(whole(text))
    assert parsed.problem is None
    rows = [(field.name, field.value.text if field.value else None) for field in parsed.fields]
    assert rows == [
        ("type", "bind"),
        ("source", '/a,"b"'),
        ("target", "/c"),
        ("readonly", None),
        ("x", "1=2"),
    ]
    assert [text[slice(*field.span)] for field in parsed.fields][1:3] == [
        '"source=/a,""b"""',
        " target=/c",
    ]
    assert text[slice(*parsed.fields[2].key_span)] == " target"
    assert parsed.fields[2].spaced


@given(st.text('ab=,"~/: \\$}{', max_size=30))
def test_mount_fields_cover_the_text(text: str) -> None:
    """Joined by their commas, the fields give the text back."""
    parsed = parse_mount(whole(text))
    assert ",".join(text[slice(*field.span)] for field in parsed.fields) == text
    parse_volume(whole(text))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/cache/uv", "cache-uv"),
        ("/root/.cache/pip", "root-cache-pip"),
        ("uv", "uv"),
        ("x", "x-cache"),
        ("", "cache"),
        ("my cache!", "my-cache"),
        ("-_.", "cache"),
    ],
)
def test_volume_names(text: str, name: str) -> None:
    assert volume_name(text) == name


@given(st.text(max_size=20))
def test_a_made_name_is_valid(text: str) -> None:
    from cachekey.syntax.jsonc.dockermount import volume_name_complaint

    assert volume_name_complaint(volume_name(text)) is None


# -- variables ------------------------------------------------------------------------------------


def test_variables() -> None:
    text = "${localEnv:A:b:c}/${devcontainerId}${x}${localenv:HOME}$HOME${containerEnv:P}${"
    found = variables(whole(text))
    assert [item.text for item in found] == [
        "${localEnv:A:b:c}",
        "${devcontainerId}",
        "${x}",
        "${localenv:HOME}",
        "${containerEnv:P}",
    ]
    assert [(v.name, v.default, v.cut, v.known) for v in found] == [
        ("A", "b", True, True),
        ("", None, False, True),
        ("", None, False, False),
        ("", None, False, False),
        ("P", None, False, True),
    ]
    assert [item.meant for item in found][2:4] == [None, "${localEnv:HOME}"]
    assert stable(text) == "/$HOME${"
    assert literal(whole("${x}/y")) == "${x}/y"
    assert literal(whole("${env:x}/y")) is None


# -- the build ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "written", "path"),
    [
        (HERE, "Dockerfile", ".devcontainer/Dockerfile"),
        (HERE, "../Dockerfile", "Dockerfile"),
        (HERE, "./a/../b/Dockerfile", ".devcontainer/b/Dockerfile"),
        (HERE, "../../Dockerfile", None),
        (HERE, "/etc/passwd", None),
        (HERE, "C:/Dockerfile", None),
        (HERE, "${localEnv:D}", None),
        (".devcontainer.json", "Dockerfile", "Dockerfile"),
        (".devcontainer.json", "../Dockerfile", None),
        ("api/.devcontainer/py/devcontainer.json", "../../../Dockerfile", "Dockerfile"),
        ("../api/.devcontainer.json", "Dockerfile", "../api/Dockerfile"),
        ("../api/.devcontainer.json", "../../Dockerfile", None),
    ],
)
def test_the_dockerfile_lies_in_the_workspace(where: str, written: str, path: str | None) -> None:
    for text in ({"build": {"dockerfile": written}}, {"dockerFile": written}):
        target = read(json.dumps(text), where).build_target
        assert target is not None
        assert target.path == path
        assert bool(target.reason) == (path is None)


def test_build_section() -> None:
    text = """{"build": {"dockerfile": "../docker/Dockerfile", "context": "..", "target": "dev",
        "args": {"A": "1", "B": "${localEnv:B}", "C": 5}, "options": ["--x"]}}"""
    document = read(text)
    target = document.build_target
    assert target is not None
    assert (target.path, target.context, target.target) == ("docker/Dockerfile", ".", "dev")
    assert target.args == {"A": "1"}
    assert document.build_args == {"A": "1"}
    legacy = read('{"dockerFile": "../docker/Dockerfile"}').build_target
    assert legacy is not None
    assert legacy.context == "docker"


def test_compose_and_images_build_nothing() -> None:
    assert read('{"image": "x"}').dockerfile_path is None
    assert read('{"dockerComposeFile": "c.yml", "dockerFile": "D"}').dockerfile_path is None


def test_build_arguments_decide_keys_of_the_dockerfile() -> None:
    files = {
        "Dockerfile": "FROM debian:12\nARG V\nRUN --mount=type=cache,id=c-$V,target=/c true\n",
        HERE: '{"build": {"dockerfile": "../Dockerfile", "args": {"V": "7"}}}',
    }
    dockerfile = make_project(files).documents["Dockerfile"]
    assert isinstance(dockerfile, Dockerfile)
    key = dockerfile.caches[0][1].key
    assert key is not None
    assert key.name.text == "c-7"


@pytest.mark.parametrize("text", ["", "[]", "// nothing", '"x"', "5", "{", "[" * 3000, "\x00", "'"])
def test_files_that_are_no_object(text: str) -> None:
    document = read(text)
    assert document.mounts == ()
    assert document.lifecycle == ()
    assert document.build_target is None
    assert (document.problem is None) == text.startswith("{")


@pytest.mark.parametrize(
    ("path", "root"),
    [
        (HERE, ""),
        (".devcontainer.json", ""),
        ("a/.devcontainer/devcontainer.json", "a"),
        ("a/.devcontainer/py/devcontainer.json", "a"),
        ("src/uv/devcontainer-feature.json", "src/uv"),
    ],
)
def test_workspace_root(path: str, root: str) -> None:
    assert workspace_root(path) == root


def test_values_of_the_wrong_type_are_left_out() -> None:
    text = """{"mounts": {"a": 1}, "runArgs": "--mount", "containerEnv": [1],
      "remoteEnv": {"A": null}, "build": [], "features": "x", "postCreateCommand": 7,
      "remoteUser": {}, "image": [], "dockerComposeFile": null, "workspaceMount": []}"""
    document = read(text)
    assert [entry.name for entry in document.env] == ["A"]
    assert document.remote_user is None
    for mount in document.mounts:
        assert mount.place is None
    project = make_project({HERE: text})
    for offset in range(len(text)):
        hover_devcontainer(project, document, offset)
        complete_devcontainer(project, document, offset)


# -- caches and owners ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "mount", "grade"),
    [
        ({"UV_CACHE_DIR": "/c/uv"}, "source=x1,target=/c", "variable"),
        ({"UV_CACHE_DIR": "/c/uv"}, "source=x1,target=/c/uv/", "variable"),
        ({}, "source=x1,target=/root/.cache/uv", "default"),
        ({}, "source=x1,target=/home/me/.cache/uv", "default"),
        ({}, "source=x1,target=/cache/uv", "name"),
        ({}, "source=uv-cache,target=/somewhere", "name"),
        ({}, "source=x1,target=/somewhere", None),
        ({"UV_CACHE_DIR": "/c/uv"}, "source=x1,target=/c/u", None),
        ({"UV_CACHE_DIR": "${localEnv:X}"}, "source=x1,target=/x", None),
    ],
)
def test_which_tool_a_mount_is_for(env: dict[str, str], mount: str, grade: str | None) -> None:
    text = json.dumps({"containerEnv": env, "mounts": [mount]})
    project = make_project({HERE: text})
    document = read(text)
    found = cache_of(document.mounts[0], document, project.knowledge)
    assert (found.grade if found else None) == grade
    if found is not None:
        assert found.tool == "uv"


def unwritable(text: dict[str, object], dockerfile: str = "") -> str | None:
    files = {HERE: json.dumps(text), ".devcontainer/Dockerfile": dockerfile}
    project = make_project(files)
    document = project.documents[HERE]
    assert isinstance(document, Devcontainer)
    judged = unwritable_at("/cache/uv", container_of(document, project))
    return judged.user if judged is not None else None


BASE = "mcr.microsoft.com/devcontainers/base:ubuntu"


@pytest.mark.parametrize(
    ("more", "user"),
    [
        ({}, "vscode"),
        ({"remoteUser": "root"}, None),
        ({"remoteUser": "${localEnv:USER}"}, None),
        ({"remoteUser": "1000"}, "1000"),
        ({"image": "unknown.example.com/x:1"}, None),
        ({"features": {"ghcr.io/devcontainers/features/node:1": {}}}, "vscode"),
        ({"features": {"./local": {}}}, None),
        ({"postCreateCommand": "npm ci && npm test"}, "vscode"),
        ({"postCreateCommand": "npm run setup"}, None),
        ({"postStartCommand": "sudo chown -R vscode /cache/uv"}, None),
        ({"postStartCommand": "sudo chown -R vscode /cache"}, None),
        ({"postStartCommand": "sudo chmod 1777 /cache/*"}, None),
        ({"postStartCommand": "sudo chown -R vscode /other"}, "vscode"),
        ({"postStartCommand": "sudo chown -R vscode $CACHE"}, None),
        ({"postStartCommand": "sudo chown -R vscode /opt/$CACHE"}, "vscode"),
        ({"postStartCommand": "sudo chown -R vscode /cach$E"}, None),
        ({"postStartCommand": "chown -R vscode /cache/uv"}, "vscode"),
        ({"postStartCommand": 'eval "$(direnv export bash)" && direnv allow .'}, "vscode"),
        ({"postStartCommand": 'eval "$(./own.sh)"'}, None),
        ({"postStartCommand": 'eval "$(direnv export bash; ./own.sh)"'}, None),
        ({"features": {"ghcr.io/devcontainers-contrib/features/fish-apt-get:1": {}}}, "vscode"),
        ({"dockerComposeFile": "compose.yml"}, None),
    ],
)
def test_who_cannot_write(more: dict[str, object], user: str | None) -> None:
    assert unwritable({"image": BASE, "remoteUser": "vscode", **more}) == user


@pytest.mark.parametrize(
    ("dockerfile", "user"),
    [
        (f"FROM {BASE}", "vscode"),
        (f"FROM {BASE}\nRUN mkdir -p /cache/uv && chown vscode /cache/uv", None),
        (f"FROM {BASE}\nWORKDIR /cache", "vscode"),
        (f"FROM {BASE}\nWORKDIR /cache/uv", "vscode"),
        (f"FROM {BASE}\nUSER vscode\nWORKDIR /cache/uv", None),
        (f"FROM {BASE}\nRUN --mount=type=cache,target=/cache/uv uv sync", "vscode"),
        (f"FROM {BASE} AS a\nRUN install -d -o vscode /cache/uv\nFROM a", None),
        (f"FROM {BASE} AS a\nRUN install -d -o vscode /cache\nFROM a", "vscode"),
        (f"FROM {BASE}\nRUN <<EOF\nmkdir -m 777 /cache/uv\nEOF", None),
        (f"FROM {BASE}\nENV C=/cache\nRUN mkdir -p $C/uv && chown -R vscode $C", None),
        (f"FROM {BASE}\nARG C\nRUN mkdir -p $C/uv && chown -R vscode $C", None),
        (f"FROM {BASE}\nRUN mkdir -p /cache/uv && chown vscode /cache", "vscode"),
        (f"FROM {BASE}\nCOPY --chown=vscode cache /cache/uv", None),
        (f"FROM {BASE}\nRUN apt-get install -y git && rm -rf /var/lib/apt/lists/*", "vscode"),
        (f"FROM {BASE}\nRUN install x /usr/bin && rm -rf /tmp/x-${{A}}", "vscode"),
        (f"FROM {BASE}\nRUN mkdir /x && rm -rf /cach*", "vscode"),
        (f"FROM {BASE}\nRUN mkdir -m 777 -p /cache/uv && rm -rf /ca${{A}}", None),
        (f"FROM {BASE}\nRUN mkdir -m 777 -p /cache/uv && rm -rf /cache/*", "vscode"),
        (f"FROM {BASE}\nRUN mkdir -m 755 -p /cache/uv", "vscode"),
        (f"FROM {BASE}\nRUN mkdir -p /cache/uv && chmod 755 /cache/uv", "vscode"),
        (f"FROM {BASE}\nRUN mkdir -p /cache/uv && chmod 775 /cache/uv", None),
        (f"FROM {BASE}\nRUN mkdir -p /cache/uv && chmod -R a+rwX /cache", None),
        (f"FROM {BASE}\nRUN curl x | tar x && mkdir /y && /tmp/x/install", "vscode"),
        (f"FROM {BASE}\nRUN mkdir /y && /tmp/x/install", None),
        (f'FROM {BASE}\nCOPY entry.sh /\nENTRYPOINT ["/entry.sh"]', None),
        ("FROM scratch", None),
        ("FROM $BASE", None),
        ("", None),
    ],
)
def test_who_cannot_write_with_a_dockerfile(dockerfile: str, user: str | None) -> None:
    text: dict[str, object] = {"build": {"dockerfile": "Dockerfile"}, "remoteUser": "vscode"}
    assert unwritable(text, dockerfile) == user


# -- edits ----------------------------------------------------------------------------------------


def edited(text: str, change: str, *args: str) -> str:
    document = read(text)
    if change == "run_first":
        edits = edit.run_first(document, *args, "own")
    else:
        edits = getattr(edit, change)(document, *args)
    return apply_edits(text, edits)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{ "image": "x" }', '{ "image": "x", "postCreateCommand": "c" }'),
        ('{"postCreateCommand": ""}', '{"postCreateCommand": "c"}'),
        ('{"postCreateCommand": "a"}', '{"postCreateCommand": "c && a"}'),
        (
            '{"postCreateCommand": "a", "onCreateCommand": "b"}',
            '{"postCreateCommand": "a", "onCreateCommand": "c && b"}',
        ),
        (
            '{"postCreateCommand": ["a", "b"]}',
            '{"postCreateCommand": ["sh", "-c", "c && exec \\"$@\\"", "sh", "a", "b"]}',
        ),
        (
            '{"postCreateCommand": ["bash", "-c", "a b"]}',
            '{"postCreateCommand": ["bash", "-c", "c && a b"]}',
        ),
        ('{"postCreateCommand": []}', '{"postCreateCommand": ["sh", "-c", "c"]}'),
        (
            '{ "postCreateCommand": { "a": "b" } }',
            '{ "postCreateCommand": { "a": "b" }, "updateContentCommand": "c" }',
        ),
        ('{ "onCreateCommand": { "a": "b" } }', '{ "onCreateCommand": { "a": "b", "own": "c" } }'),
    ],
)
def test_a_command_that_runs_first(before: str, after: str) -> None:
    assert edited(before, "run_first", "c") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{ "mounts": ["m"] }'),
        ('{ "mounts": [] }', '{ "mounts": ["m"] }'),
        ('{ "mounts": "a" }', '{ "mounts": ["a", "m"] }'),
        (
            '{\n  "mounts": [\n    "a", // x\n  ],\n}',
            '{\n  "mounts": [\n    "a", // x\n    "m",\n  ],\n}',
        ),
    ],
)
def test_a_mount_is_added(before: str, after: str) -> None:
    assert edited(before, "add_mount", "m") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{ "containerEnv": { "K": "v" } }'),
        ('{ "containerEnv": { "K": "x" } }', '{ "containerEnv": { "K": "v" } }'),
        ('{ "a": 1, "mounts": [] }', '{ "a": 1, "containerEnv": { "K": "v" }, "mounts": [] }'),
        ('{ "mounts": [] }', '{ "containerEnv": { "K": "v" }, "mounts": [] }'),
        (
            '{\r\n\t"a": 1, // x\r\n\t"mounts": [],\r\n}',
            (
                '{\r\n\t"a": 1, // x\r\n\t"containerEnv": {\r\n\t\t"K": "v"\r\n\t},'
                '\r\n\t"mounts": [],\r\n}'
            ),
        ),
    ],
)
def test_a_variable_is_set(before: str, after: str) -> None:
    assert edited(before, "set_variable", "K", "v") == after


def offered(text: str) -> dict[str, str]:
    project = make_project({HERE: text})
    document = project.documents[HERE]
    assert isinstance(document, Devcontainer)
    return {
        title: apply_edits(text, [item for item in recipe.write() if isinstance(item, Edit)])
        for title, recipe in offers(document, project)
    }


def test_both_recipes_for_a_tool_in_use() -> None:
    """Variable, mount and owner together, though all of them go to one place."""
    text = f"""{{
  "image": "{BASE}",
  "remoteUser": "vscode",
  "features": {{ "ghcr.io/devcontainers/features/uv:1": {{}} }} // tools
}}
"""
    made = offered(text)
    assert list(made) == ["Share the uv cache by a volume", "Share the uv cache with the host"]
    assert (
        made["Share the uv cache by a volume"]
        == f"""{{
  "image": "{BASE}",
  "remoteUser": "vscode",
  "features": {{ "ghcr.io/devcontainers/features/uv:1": {{}} }}, // tools
  "containerEnv": {{
    "UV_CACHE_DIR": "/cache/uv",
    "UV_LINK_MODE": "copy"
  }},
  "mounts": ["type=volume,source=uv-cache,target=/cache/uv"],
  "postCreateCommand": "sudo chown -R $(id -u):$(id -g) /cache/uv"
}}
"""
    )
    assert (
        made["Share the uv cache with the host"]
        == f"""{{
  "image": "{BASE}",
  "remoteUser": "vscode",
  "features": {{ "ghcr.io/devcontainers/features/uv:1": {{}} }}, // tools
  "containerEnv": {{
    "UV_CACHE_DIR": "/cache/uv",
    "UV_LINK_MODE": "copy"
  }},
  "initializeCommand": "mkdir -p ${{localEnv:HOME}}${{localEnv:USERPROFILE}}/.cache/uv",
  "mounts": ["type=bind,source=${{localEnv:HOME}}${{localEnv:USERPROFILE}}/.cache/uv,target=/cache/uv"]
}}
"""
    )


def test_caches_of_one_tool_are_told_apart() -> None:
    titles = list(offered('{ "image": "golang:1.25", "postCreateCommand": "go mod download" }'))
    assert len(set(titles)) == len(titles) > 4
    assert all(": " in title for title in titles if title.startswith("Share the Go"))


def test_nobody_shares_the_cache_of_the_system() -> None:
    command = '"postCreateCommand": "apt-get update && apt-get install -y jq"'
    assert offered(f'{{ "image": "debian:bookworm", {command} }}') == {}


@pytest.mark.parametrize(
    ("lock", "variable"),
    [
        ("# yarn lockfile v1\n", "YARN_CACHE_FOLDER"),
        ("__metadata:\n  version: 8\n", "YARN_GLOBAL_FOLDER"),
    ],
)
def test_the_lock_file_tells_which_yarn_it_is(lock: str, variable: str) -> None:
    text = '{ "image": "node:22", "postCreateCommand": "yarn install" }'
    project = make_project({HERE: text, "yarn.lock": lock})
    document = project.documents[HERE]
    assert isinstance(document, Devcontainer)
    title, recipe = next(iter(offers(document, project)))
    assert "Yarn" in title
    made = apply_edits(text, [item for item in recipe.write() if isinstance(item, Edit)])
    assert variable in made
    again = make_project({HERE: made, "yarn.lock": lock}).documents[HERE]
    assert isinstance(again, Devcontainer)
    assert [name for name, _ in offers(again, make_project({HERE: made, "yarn.lock": lock}))] == []


LOCKS = {"uv.lock": "", "package-lock.json": "{}"}
INSTALLS = '"postCreateCommand": "npm ci && uv sync"'
USES_COMPOSE = f"""{{
  "dockerComposeFile": "compose.yml", "service": "app", "workspaceFolder": "/w",
  "remoteUser": "USER", {INSTALLS}
}}"""
COMPOSE = (
    "services:\n  app:\n    image: IMAGE\n    command: sleep infinity\n    volumes: ['..:/w']\n"
)
PROJECTS: dict[str, dict[str, str]] = {
    "an image of root": {HERE: f'{{ "image": "python:3.13", {INSTALLS} }}', **LOCKS},
    "a number": {HERE: f'{{ "image": "debian:13", "remoteUser": "1000", {INSTALLS} }}', **LOCKS},
    "commands side by side": {
        HERE: f'{{ "image": "{BASE}", "postCreateCommand": {{ "a": "npm ci", "b": "uv sync" }} }}',
        **LOCKS,
    },
    "a Dockerfile of root": {
        HERE: f'{{ "build": {{ "dockerfile": "Dockerfile" }}, {INSTALLS} }}',
        ".devcontainer/Dockerfile": "FROM python:3.13\n",
        **LOCKS,
    },
    "a Dockerfile, another remote user": {
        HERE: f'{{ "build": {{ "dockerfile": "Dockerfile" }}, "remoteUser": "app", {INSTALLS} }}',
        ".devcontainer/Dockerfile": "FROM python:3.13\nRUN useradd -m app\n",
        **LOCKS,
    },
    "compose with sudo": {
        HERE: USES_COMPOSE.replace("USER", "vscode"),
        ".devcontainer/compose.yml": COMPOSE.replace("IMAGE", BASE),
        **LOCKS,
    },
    "compose without sudo": {
        HERE: USES_COMPOSE.replace("USER", "node"),
        ".devcontainer/compose.yml": COMPOSE.replace("IMAGE", "node:22"),
        **LOCKS,
    },
    "compose as root": {
        HERE: USES_COMPOSE.replace("USER", "root"),
        ".devcontainer/compose.yml": COMPOSE.replace("IMAGE", "python:3.13"),
        **LOCKS,
    },
    "compose with a Dockerfile": {
        HERE: USES_COMPOSE.replace("USER", "app"),
        ".devcontainer/compose.yml": COMPOSE.replace("image: IMAGE", "build: ."),
        ".devcontainer/Dockerfile": "FROM python:3.13\nRUN useradd -m app\nUSER app\n",
        **LOCKS,
    },
    "an image": {HERE: f'{{ "image": "{BASE}" }}\n', "uv.lock": "", "package-lock.json": "{}"},
    "a Dockerfile": {
        HERE: '{\n  "build": { "dockerfile": "Dockerfile" },\n  "postCreateCommand": "uv sync"\n}\n',
        ".devcontainer/Dockerfile": "FROM python:3.13\nRUN useradd -m app\nUSER app\n",
        "uv.lock": "",
        "go.mod": "",
    },
    "an image without sudo": {
        HERE: '{ "image": "node:22", "remoteUser": "node", "postCreateCommand": "npm ci" }\n',
        "package-lock.json": "{}",
        "requirements.txt": "",
    },
    "root": {HERE: '{ "image": "rust:1.90" }\n', "Cargo.toml": "", "go.mod": ""},
    "a tool whose cache lies beside the project": {
        HERE: f'{{ "image": "{BASE}", "postCreateCommand": "uv sync && ruff check && mypy ." }}\n',
        **LOCKS,
    },
}


@pytest.mark.parametrize("files", PROJECTS.values(), ids=PROJECTS)
def test_what_the_project_needs_leaves_no_finding(files: dict[str, str]) -> None:
    """Mount, variable, owner, link mode, the host's folder: each recipe is complete."""
    project = make_project(files)
    document = project.documents[HERE]
    assert isinstance(document, Devcontainer)
    made = list(offers(document, project))
    assert made[0][0].startswith("Mount the caches that this project needs: ")
    for title, recipe in made:
        edits = [i if isinstance(i, FileEdit) else FileEdit(HERE, i) for i in recipe.write()]
        after = apply_fix(files, Fix(title, lambda edits=edits: edits))
        assert after != files
        left = [(item.code, item.message) for item in check(after) if item.code != "CK503"]
        assert left == [], title


@pytest.mark.parametrize(
    "text",
    [
        '{ "image": "debian:12" }',
        '{ "containerEnv": { "UV_CACHE_DIR": "/x" }, "postCreateCommand": "uv sync" }',
        '{ "mounts": ["source=uv-cache,target=/root/.cache/uv"], "postCreateCommand": "uv sync" }',
        "[]",
    ],
)
def test_no_recipe_where_none_is_needed(text: str) -> None:
    assert offered(text) == {}


# -- hover ----------------------------------------------------------------------------------------

FILES = {
    "Dockerfile": (
        f"FROM {BASE}\nRUN --mount=type=cache,id=uv-cache,target=/root/.cache/uv uv sync\n"
    ),
    HERE: """{
  "build": { "dockerfile": "../Dockerfile" },
  "remoteUser": "vscode",
  "containerEnv": { "UV_CACHE_DIR": "/cache/uv", "TZ": "${localEnv:TZ:UTC}" },
  "mounts": [
    "type=volume,source=uv-cache,target=/cache/uv",
    "type=bind,source=${localEnv:HOME}/data,target=/data",
    "type=cache,id=x1,target=/x"
  ]
}
""",
    "other/.devcontainer.json": '{ "image": "x", "mounts": ["source=uv-cache,target=/c"] }',
}


def hover(needle: str, files: dict[str, str] = FILES) -> tuple[str, list[str]] | None:
    project = make_project(files)
    document = project.documents[HERE]
    assert isinstance(document, Devcontainer)
    found = hover_devcontainer(project, document, files[HERE].index(needle) + 1)
    if found is None:
        return None
    span, said = found
    lines = [markdown(line) for line in said]
    return files[HERE][slice(*span)], lines


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (
            "{}",
            (
                "pnpm caches here only for a project on the home's file system: "
                "others have `.pnpm-store` where their mount begins"
            ),
        ),
        (
            '{ "npm_config_store_dir": "/root/.local/share/pnpm/store" }',
            "pnpm caches here: `npm_config_store_dir` in containerEnv",
        ),
    ],
)
def test_hover_on_a_store_that_leaves_the_home(env: str, said: str) -> None:
    mount = "type=volume,source=store,target=/root/.local/share/pnpm/store"
    text = f'{{ "image": "node:22", "containerEnv": {env}, "mounts": ["{mount}"] }}'
    found = hover("=volume", {HERE: text})
    assert found is not None
    assert said in found[1]


def test_hover_on_a_volume() -> None:
    found = hover("=volume")
    assert found is not None
    assert found[0] == "type=volume,source=uv-cache,target=/cache/uv"
    assert found[1] == [
        "**Volume `uv-cache`** on `/cache/uv`",
        "Kept by the Docker engine over rebuilds; `docker volume rm` empties it",
        "Shared by every container of this engine that names it: other/.devcontainer.json:1",
        "New and empty it is root's: vscode cannot write until a command changes that",
        "uv caches here: `UV_CACHE_DIR` in containerEnv",
        (
            "The build's cache `uv-cache` (Dockerfile:2) is another store: "
            "nothing moves between the two"
        ),
    ]


def test_hover_on_the_other_mounts() -> None:
    bind, cache = hover("data,target"), hover("=cache,")
    assert bind is not None
    assert bind[1][1] == "It must exist: otherwise the container does not start"
    assert cache is not None
    assert cache[1][0] == "**No cache mounts at run time**"


def test_hover_on_a_key_a_variable_an_entry() -> None:
    key, variable, entry = hover("source=uv"), hover("${localEnv:TZ"), hover("UV_CACHE_DIR")
    assert key is not None
    assert key[0] == "source=uv-cache"
    assert variable is not None
    assert variable[0] == "${localEnv:TZ:UTC}"
    assert "Unset there: `UTC`; set to nothing there: nothing all the same" in variable[1]
    assert entry is not None
    assert entry[1][0] == "**`UV_CACHE_DIR`**: uv keeps downloaded and built wheels in `/cache/uv`"
    assert "Mounted there: volume `uv-cache` (line 6)" in entry[1]
    assert hover("TZ") is None
    whole = hover("remoteUser")
    assert whole is not None
    assert "Used as `vscode` (remoteUser), home `/home/vscode`, sudo without a password" in whole[1]
    assert any(line.startswith("uv: volume `uv-cache` on `/cache/uv`, root's") for line in whole[1])


COMPOSED = {
    HERE: '{ "dockerComposeFile": "compose.yml", "service": "app", "workspaceFolder": "/w",\n'
    '  "features": {}, "mounts": [] }',
    f"{HERE.rpartition('/')[0]}/compose.yml": """services:
  app:
    image: python:3.13
    volumes:
      - pip:/cache/pip
    environment:
      PIP_CACHE_DIR: /cache/pip
      TZ: UTC
volumes: { pip: {} }
""",
}


@pytest.mark.parametrize(
    ("needle", "first"),
    [
        ("image:", "**The container**: service `app` of"),
        ("volumes:", "**The container**: service `app` of"),
        ("environment:", "**The container**: service `app` of"),
        ("pip:/c", "**Volume `pip`** on `/cache/pip`"),
        ("PIP_C", "**`PIP_CACHE_DIR`**: pip keeps downloaded and built wheels in `/cache/pip`"),
        ("TZ", None),
        ("services:", None),
    ],
)
def test_hover_in_a_compose_file(needle: str, first: str | None) -> None:
    project = make_project(COMPOSED)
    path = f"{HERE.rpartition('/')[0]}/compose.yml"
    document = project.documents[path]
    assert isinstance(document, ComposeFile)
    found = hover_compose(project, document, COMPOSED[path].index(needle) + 1)
    assert (found is None) == (first is None)
    if found is not None and first is not None:
        lines = [markdown(line) for line in found[1]]
        assert lines[0].startswith(first)
        if needle == "pip:/c":
            told = "pip caches here: `PIP_CACHE_DIR` from the service, for every process"
            assert lines[-1] == told


MADE = {
    HERE: """{
  "build": { "dockerfile": "Dockerfile" },
  "remoteUser": "dev",
  "runArgs": ["--env-file", "dev.env"],
  "mounts": [
    "type=volume,source=reg,target=/usr/local/cargo/registry",
    "type=volume,source=t-${devcontainerId},target=${containerWorkspaceFolder}/target",
    "type=volume,source=data,target=/srv/data",
    "type=volume,source=new,target=/new",
    "type=tmpfs,target=/home/dev/.npm"
  ],
  "postCreateCommand": "sudo chown -R dev target"
}""",
    f"{HERE.rpartition('/')[0]}/Dockerfile": """FROM rust:1.90
RUN useradd -m dev && install -d -o dev /usr/local/cargo/registry
RUN apt-get update && apt-get install -y sudo
RUN echo "dev ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/dev
""",
}


def test_hover_tells_whose_volumes_are_and_what_is_not_known() -> None:
    found = hover("remoteUser", MADE)
    assert found is not None
    told = found[1][1:]
    assert (
        "Cargo: volume `reg` on `/usr/local/cargo/registry`, dev's when new, as in the image"
        in told
    )
    assert any(line.endswith("/target`, given to dev by postCreateCommand") for line in told)
    assert "Volume `data` on `/srv/data`, whose it is when new is not known from here" in told
    assert "Volume `new` on `/new`, root's when new: dev cannot write to it" in told
    assert "npm: tmpfs on `/home/dev/.npm`" in told
    assert "`CARGO_HOME` is `/usr/local/cargo` (from the image)" in told
    assert told[-1] == "Not known from here: the --env-file of runArgs"


def test_hover_on_what_gives_nothing_away_and_where_a_tool_does_not_go() -> None:
    config = """{
  "image": "node:22",
  "remoteUser": "node",
  "mounts": [
    "type=volume,source=data,target=/data,volume-nocopy=false",
    "type=volume,source=pnpm,target=/home/node/.local/share/pnpm/store",
    "type=volume,source=near,target=/workspaces/.pnpm-store"
  ],
  "postCreateCommand": "sudo chown -R node /data"
}"""
    path = ".devcontainer/devcontainer.json"
    project = make_project({path: config})
    document = project.documents[path]
    assert isinstance(document, Devcontainer)

    def lines(needle: str) -> list[str]:
        found = hover_devcontainer(project, document, config.index(needle) + 1)
        return [markdown(line) for line in found[1]] if found is not None else []

    no = "postCreateCommand would give it away by sudo, which the user may not use"
    assert f"New and empty it is root's: {no}" in lines("=volume,source=data")
    whole = lines("remoteUser")
    assert f"Volume `data` on `/data`, root's when new: {no}" in whole
    assert "The workspace lies in `/workspaces/${localWorkspaceFolderBasename}`" in whole
    far = (
        "pnpm caches here only for a project on the home's file system: others have `.pnpm-store` "
        "where their mount begins"
    )
    assert lines("=volume,source=pnpm")[-1] == far
    near = "pnpm caches here for projects on the mount around it"
    assert lines("=volume,source=near")[-1] == near


def test_hover_on_the_name_of_a_service_that_another_extends() -> None:
    folder = HERE.rpartition("/")[0]
    files = {
        HERE: '{ "dockerComposeFile": "compose.yml", "service": "app", "workspaceFolder": "/w" }',
        f"{folder}/compose.yml": """services:
  app:
    extends: { file: compose.base.yml, service: base }
""",
        f"{folder}/compose.base.yml": """services:
  base:
    image: python:3.13
    user: "1000"
    env_file: gone.env
  other:
    image: node:22
""",
    }
    project = make_project(files)
    path = f"{folder}/compose.base.yml"
    document = project.documents[path]
    assert isinstance(document, ComposeFile)
    found = hover_compose(project, document, files[path].index("base:") + 1)
    assert found is not None
    lines = [markdown(line) for line in found[1]]
    assert any(line.startswith("Used as `1000`") and "home not known" in line for line in lines)
    assert lines[-1] == "Not known from here: a file that env_file names"
    other = hover_compose(project, document, files[path].index("other:") + 1)
    assert other is not None
    lines = [markdown(line) for line in other[1]]
    assert lines[0] == f"**The container**: service `other` of {path}, image `node:22`"


def test_hover_on_a_service_that_no_dev_container_uses() -> None:
    """Compose alone runs it: the user that the image's metadata gives to dev containers is not its."""
    text = """services:
  app:
    image: mcr.microsoft.com/devcontainers/python:3
    volumes: ["pip:/root/.cache/pip"]
  web:
    build: { context: web, args: { NS: a } }
    user: "1000"
    environment: { PIP_CACHE_DIR: /cache/pip }
    volumes:
      - pip:/cache/pip
      - type: cache
        target: /x
volumes: { pip: {} }
"""
    over = "services:\n  app: { user: dev }\n"
    mount = "--mount=type=cache,id=pip-$NS,target=/root/.cache/pip"
    dockerfile = f"FROM python:3.13\nARG NS\nRUN {mount} pip list\n"
    files = {"compose.yaml": text, "web/Dockerfile": dockerfile}

    def said(needle: str, **more: str) -> list[str]:
        project = make_project({**files, **more})
        document = project.documents["compose.yaml"]
        assert isinstance(document, ComposeFile)
        found = hover_compose(project, document, text.index(needle) + 1)
        return [markdown(line) for line in found[1]] if found is not None else []

    assert not [line for line in said("image:") if "workspace" in line]
    assert "Used as `vscode`" not in "".join(said("image:"))
    laid = said("image:", **{"compose.override.yaml": over})
    assert [line for line in laid if line.startswith("Used as `dev` (user of the service app)")]
    volume = said("pip:/cache")
    assert volume[0] == "**Volume `pip`** on `/cache/pip`"
    assert [
        line
        for line in said("user:")
        if line.startswith("Used as `1000` (user of the service web)")
    ]
    assert (
        "The build's cache `pip-a` (web/Dockerfile:3) is another store: nothing moves between the two"
        in volume
    )
    assert said("type: cache")[0] == "**No cache mounts at run time**"
    assert said("PIP_CACHE_DIR")[0].startswith("**`PIP_CACHE_DIR`**: pip keeps")
    assert said("services:") == []
    assert said("pip: {}") == [
        "**Volume `pip`**",
        "Compose puts the project's name in front of it: other projects do not share it",
        "Mounted on compose.yaml:4, compose.yaml:10",
    ]


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("", "Compose puts the project's name in front of it: other projects do not share it"),
        ("external: true", "Shared by every container of this engine that names it: b.json:1"),
        (
            "name: known",
            "The engine calls it `known`: shared by every container of this engine that names it",
        ),
    ],
)
def test_hover_on_a_volume_whose_name_compose_leaves_alone(declared: str, told: str) -> None:
    text = "services: {app: {image: x, volumes: ['pip:/c']}}\nvolumes: {pip: {" + declared + "}}\n"
    files = {"compose.yaml": text, "b.json": '{"image": "x", "mounts": ["source=pip,target=/c"]}'}
    project = make_project({"compose.yaml": text})
    project.add("b.json", files["b.json"], "devcontainer")
    document = project.documents["compose.yaml"]
    assert isinstance(document, ComposeFile)
    found = hover_compose(project, document, text.index("pip:/c") + 1)
    assert found is not None
    assert told in [markdown(line) for line in found[1]]
    top = hover_compose(project, document, text.index("pip: {") + 1)
    assert top is not None
    lines = [markdown(line) for line in top[1]]
    assert (
        lines[1] == "Compose puts the project's name in front of it: other projects do not share it"
    ) == (not declared)


@pytest.mark.parametrize("needle", ["features", "mounts", "service", "compose.yml"])
def test_hover_on_what_gathers_or_decides(needle: str) -> None:
    found = hover(needle, COMPOSED)
    assert found is not None
    assert found[1][0].startswith("**The container**: service `app` of")


def test_the_builds_hover_knows_the_run_time_store() -> None:
    project = make_project(FILES)
    dockerfile = project.documents["Dockerfile"]
    assert isinstance(dockerfile, Dockerfile)
    assert list(map(markdown, runtime_lines(project, dockerfile, ["uv"]))) == [
        (
            f"At run time the dev container uses the volume `uv-cache` ({HERE}:6), another store: "
            "nothing moves between the two"
        )
    ]
    assert list(runtime_lines(project, dockerfile, ["npm"])) == []


# -- completion -----------------------------------------------------------------------------------


def propose(marked: str) -> list[Proposal]:
    """Complete at the mark ``‸``."""
    offset = marked.index("‸")
    text = marked.replace("‸", "")
    project: Project = make_project({HERE: text})
    document = project.documents[HERE]
    assert isinstance(document, Devcontainer)
    return list(complete_devcontainer(project, document, offset))


def results(marked: str) -> list[str]:
    """Show the proposals as the text that each one makes, from the mark's line on."""
    text = marked.replace("‸", "")
    return [text[: p.span.start] + p.text + text[p.span.end :] for p in propose(marked)]


def test_completion_of_keys_and_types() -> None:
    labels = [p.label for p in propose('{"mounts": ["type=volume,‸"]}')]
    assert labels == ["source", "target", "readonly", "volume-nocopy"]
    assert [p.text for p in propose('{"mounts": ["type=‸"]}')] == ["volume", "bind", "tmpfs"]
    assert results('{"mounts": ["type=volume,sou‸"]}')[0] == '{"mounts": ["type=volume,source="]}'
    assert results('{"mounts": ["type=bind,so‸=/a"]}')[0] == '{"mounts": ["type=bind,source=/a"]}'


def test_completion_of_variables() -> None:
    made = results('{"mounts": ["type=bind,source=${localWorkspaceFolderB‸"]}')
    assert made == ['{"mounts": ["type=bind,source=${localWorkspaceFolderBasename}"]}']
    in_mount = {p.label for p in propose('{"mounts": ["source=$‸"]}')}
    assert "${localEnv:}" in in_mount
    assert "${containerEnv:}" not in in_mount
    assert "${containerEnv:}" in {p.label for p in propose('{"postCreateCommand": "echo ${‸}"}')}


def test_completion_of_whole_mounts() -> None:
    made = results('{"mounts": [‸], "postCreateCommand": "uv sync"}')
    assert (
        '{"mounts": ["type=volume,source=uv-cache,target=/cache/uv"], '
        '"postCreateCommand": "uv sync"}' in made
    )
    assert propose('{"mounts": [‸], "image": "debian:12"}') == []
    begun = results('{"mounts": ["‸"], "containerEnv": {"UV_CACHE_DIR": "/c"}}')
    assert (
        '{"mounts": ["type=volume,source=uv-cache,target=/c"], '
        '"containerEnv": {"UV_CACHE_DIR": "/c"}}' in begun
    )


def test_completion_of_a_tools_variable() -> None:
    text = '{"mounts": ["source=uv-cache,target=/c/uv"], "containerEnv": {‸}, "x": "uv sync"}'
    assert any('"UV_CACHE_DIR": "/c/uv"' in made for made in results(text))


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_half_typed_files_are_completed_and_explained_without_failing(cut: int, at: int) -> None:
    text = FILES[HERE][: cut % (len(FILES[HERE]) + 1)]
    project = make_project({**FILES, HERE: text})
    document = project.documents[HERE]
    assert isinstance(document, Devcontainer)
    offset = at % (len(text) + 1)
    hover_devcontainer(project, document, offset)
    for proposal in complete_devcontainer(project, document, offset):
        assert 0 <= proposal.span.start <= proposal.span.end <= len(text)


def test_records_by_level() -> None:
    document = read('{"mounts": ["target=/a"], "containerEnv": {"A": "b"}}')
    assert [mount.place for mount in document.records(RuntimeMount)] == ["/a"]
    assert document.records(Source) == ()
