"""Compose files merge as Compose merges them, and nothing that they hold is a danger."""

from __future__ import annotations

import time

import pytest
from cachekey.devcontainer.compose import Composition, compose
from cachekey.devcontainer.read import Devcontainer
from cachekey.devcontainer.running import container_of
from cachekey.syntax.yaml import parse
from cachekey.text import Source, Span

from tests.support.checking import check, make_project


def composed(*texts: str, **others: str) -> Composition:
    files = {f"c/{number}.yml": text for number, text in enumerate(texts)}
    files |= {name.replace("__", "/").replace("_", "."): text for name, text in others.items()}
    return compose([f"c/{number}.yml" for number in range(len(texts))], files.get)


def mounts(composition: Composition, service: str = "app") -> list[tuple[str | None, str, str]]:
    found = composition.service(service)
    assert found is not None
    return [
        (mount.type, mount.source.text if mount.source else "", mount.place or "")
        for mount in found.mounts
    ]


# The expectations follow compose-go: override/merge.go and loader/extends.go.
BASE = """
services:
  app:
    image: debian:13
    user: "1000"
    environment: { A: "1", B: two }
    volumes:
      - cache:/cache
      - ./data:/data:ro
      - /anonymous
"""
OVER = """
services:
  app:
    user: root
    environment:
      - B=three
      - C
    volumes:
      - type: volume
        source: other
        target: /cache
        volume: { nocopy: true }
      - more:/more
"""


def test_two_files() -> None:
    both = composed(BASE, OVER)
    assert mounts(both) == [
        ("bind", "./data", "/data"),
        ("volume", "", "/anonymous"),
        ("volume", "other", "/cache"),
        ("volume", "more", "/more"),
    ]
    service = both.service("app")
    assert service is not None
    assert service.literal("user") == "root"
    assert service.literal("image") == "debian:13"
    said = {name: entry.text for name, entry in service.environment.items()}
    assert said == {"A": "1", "B": "three", "C": None}
    assert [mount.nocopy for mount in service.mounts] == [False, False, True, False]
    assert service.path == "c/1.yml"


def test_included_files_stand_by_themselves() -> None:
    made = composed(
        "include: [parts/db.yml]\nservices: { app: { image: x, volumes: [v:/v] } }",
        **{"c/parts/db.yml": "services: { db: { image: y, volumes: [./d:/d] } }"},
    )
    assert made.unread == ()
    assert mounts(made, "db") == [("bind", "./d", "/d")]
    service = made.service("db")
    assert service is not None
    assert service.folders[service.path] == "c/parts"


def test_extends_comes_first_and_paths_start_at_their_file() -> None:
    found = composed(
        "services:\n  app:\n    extends: { file: ../base/b.yml, service: base }\n    user: me\n",
        base__b_yml=(
            "services:\n  base:\n    user: you\n    build: ./docker\n    volumes: [vol:/v]\n"
        ),
    )
    service = found.service("app")
    assert service is not None
    assert service.literal("user") == "me"
    assert mounts(found) == [("volume", "vol", "/v")]
    assert service.build is not None
    assert (service.build.context, service.build.dockerfile) == (
        "base/docker",
        "base/docker/Dockerfile",
    )


def test_all_paths_start_at_the_first_file() -> None:
    files = {
        "compose.yml": "services: { app: { image: x } }",
        ".devcontainer/dev.yml": (
            "services:\n  app:\n    build: { context: ., dockerfile: .devcontainer/Dockerfile }\n"
        ),
    }
    service = compose(list(files), files.get).service("app")
    assert service is not None
    assert service.build is not None
    assert service.build.dockerfile == ".devcontainer/Dockerfile"


def test_reset_and_override() -> None:
    more = "services:\n  app:\n    user: !reset null\n    volumes: !override [only:/only]\n"
    both = composed(BASE, more)
    assert mounts(both) == [("volume", "only", "/only")]
    service = both.service("app")
    assert service is not None
    assert service.literal("user") is None


def test_anchors_and_merge_keys() -> None:
    text = """
x-one: &one { image: "a:1", user: one }
x-two: &two { user: two, working_dir: /two }
services:
  app:
    <<: [*one, *two]
    image: b:2
"""
    service = composed(text).service("app")
    assert service is not None
    said = [service.literal(name) for name in ("image", "user", "working_dir")]
    assert said == ["b:2", "one", "/two"]


def test_variables_are_nobodys_business() -> None:
    text = (
        "services:\n  app:\n    user: ${U:-me}\n    volumes: ['${V}:/v', 'x:${T}/t', 'a$$b:/c']\n"
    )
    found = composed(text)
    service = found.service("app")
    assert service is not None
    assert service.literal("user") is None
    assert [(mount.volume, mount.place) for mount in service.mounts][:2] == [
        (None, "/v"),
        ("x", None),
    ]


DEVCONTAINER = '{ "dockerComposeFile": "compose.yml", "service": "app", "workspaceFolder": "/w" }'
BAD = {
    "tabs": "services:\n\tapp:\n\t\timage: x\n",
    "half typed": "services:\n  app:\n    volumes: [a:/b,\n",
    "two documents": "services: { app: { image: x } }\n---\nvolumes: { a: {} }\n",
    "double keys": "services: { app: { image: x, image: y }, app: { image: z } }\n",
    "wrong types": "services: [1, {app: 2}]\nvolumes: 7\n",
    "wrong types inside": "services: { app: { volumes: {a: b}, environment: 3, build: [1], user: [] } }",
    "itself": "services: &s\n  app: *s\n",
    "extends itself": "services: { app: { extends: app, volumes: [a:/b] } }\n",
    "outside": "services: { app: { extends: { file: ../../etc/x.yml, service: y } } }\n",
    "includes itself": "include: [compose.yml]\nservices: { app: { image: x, volumes: [a:/b] } }\n",
    "includes nothing": "include: [7, {}, {path: {}}, [x], ../../up.yml]\nservices: { app: {} }\n",
    "includes a word": "include: x.yml\nservices: { app: {} }\n",
    "nothing": "",
    "no text": "\0",
    "a list": "- a\n- b\n",
    "deep": "[" * 20_000,
    "many": "services:\n" + "  a: {image: x}\n" * 200_000,
    "aliases": "a: &a [x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)},' * 9}]\n" for n in range(20)),
}


REFUSED = ("tabs", "half typed", "double keys")
"""What Compose refuses is told, once."""


@pytest.mark.parametrize(("name", "text"), BAD.items(), ids=BAD)
def test_bad_input_costs_nothing(name: str, text: str) -> None:
    before = time.process_time()
    files = {".devcontainer/devcontainer.json": DEVCONTAINER, ".devcontainer/compose.yml": text}
    errors = [item.code for item in check(files) if item.severity.value == "error"]
    assert errors == ["CK002"] * (name in REFUSED)
    project = make_project(files)
    document = project.documents[".devcontainer/devcontainer.json"]
    assert isinstance(document, Devcontainer)
    assert container_of(document, project).mounts is not None
    assert time.process_time() - before < 5


def test_nothing_outside_is_read() -> None:
    asked: list[str] = []

    def read(path: str) -> str | None:
        asked.append(path)
        return None

    text = (
        "include: [../secret.yml, { path: /etc/secret.yml, project_directory: / }]\n"
        "services: { app: { extends: { file: ../../secret.yml, service: y }, build: ../.. } }"
    )
    found = compose(["c.yml"], lambda path: text if path == "c.yml" else read(path))
    service = found.service("app")
    assert service is not None
    assert service.unread
    assert service.build is not None
    assert service.build.dockerfile is None
    assert asked == []


@pytest.mark.parametrize(
    ("text", "value", "where"),
    [
        ("a: plain text", "plain text", "plain text"),
        ('a: "in quotes"', "in quotes", "in quotes"),
        ("a: 'it''s'", "it's", "'it''s'"),
        ("a: |\n  line\n", "line\n", "line\n"),
    ],
)
def test_spans(text: str, value: str, where: str) -> None:
    source = Source(text)
    found = parse(source)[0].string("a")
    assert found is not None
    assert found.text == value
    assert where in source.slice(Span(found.offset(0) - 1, found.end)) or where == value
