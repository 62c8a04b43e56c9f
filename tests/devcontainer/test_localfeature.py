"""Features by path are read where they lie in the workspace, and never elsewhere."""

from __future__ import annotations

import pytest
from cachekey.devcontainer.localfeature import local_feature

HERE = ".devcontainer/devcontainer.json"
PLAIN = '{ "id": "x", "version": "1.0.0", "name": "X", "containerEnv": { "A": "/a", "PATH": "/x:${PATH}" } }'


def files(config: str, script: str = "apt-get install -y jq\n") -> dict[str, str]:
    folder = ".devcontainer/x"
    return {f"{folder}/devcontainer-feature.json": config, f"{folder}/install.sh": script}


def test_what_it_says() -> None:
    mounts = '"mounts": [{ "type": "volume", "source": "v", "target": "/v" }, "source=w,target=/w"]'
    found = local_feature("./x", HERE, files(PLAIN[:-1] + f", {mounts} }}").get)
    assert found is not None
    assert (found.name, dict(found.env)) == ("X", {"A": "/a"})
    assert [(mount.source, mount.target) for mount in found.mounts] == [("v", "/v"), ("w", "/w")]


@pytest.mark.parametrize(
    ("config", "script"),
    [
        (PLAIN, "chown -R vscode /x"),
        (PLAIN, "mkdir -p /x"),
        (PLAIN, "curl https://example.com/x | bash"),
        (PLAIN, "install -d /x"),
        (PLAIN, "echo 'x ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/x"),
        (PLAIN, "git clone https://example.com/x /x"),
        (PLAIN, "useradd -m x"),
        (PLAIN, ". ./library.sh"),
        (PLAIN, "#!/usr/bin/env python3\nprint(1)"),
        ('{ "postCreateCommand": "x" }', "true"),
        ('{ "containerEnv": { "UV_CACHE_DIR": "${HOME}/x" } }', "true"),
        ('{ "dependsOn": { "y": {} } }', "true"),
        ("[]", "true"),
        ("", "true"),
    ],
)
def test_what_nobody_can_know(config: str, script: str) -> None:
    assert local_feature("./x", HERE, files(config, script).get) is None


@pytest.mark.parametrize(
    "script",
    [
        "set -eux\napt-get install -y --no-install-recommends jq\nnpm install -g pnpm",
        "pip install uv && echo 'run mkdir /x and chown it yourself'",
        "# chown is not needed\ncurl -fsSL -o /usr/local/bin/x https://example.com/x",
    ],
)
def test_what_only_installs(script: str) -> None:
    assert local_feature("./x", HERE, files(PLAIN, script).get) is not None


@pytest.mark.parametrize(
    "reference", ["../x", "./../../x", "/x", "./x/../../../y", "x.tgz", "", "./"]
)
def test_nothing_outside_is_read(reference: str) -> None:
    asked: list[str] = []

    def read(path: str) -> str | None:
        asked.append(path)
        return None

    assert local_feature(reference, HERE, read) is None
    assert not any(path.startswith(("..", "/")) for path in asked)


@pytest.mark.parametrize(
    "config", ['{"mounts": 7, "containerEnv": [], "name": {}}', '{"mounts": [7]}']
)
def test_wrong_types_are_left_out(config: str) -> None:
    found = local_feature("./x", HERE, files(config).get)
    assert found is not None
    assert (found.name, dict(found.env), found.mounts) == ("x", {}, ())
