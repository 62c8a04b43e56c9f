"""Insertions into compose files: the rest stands as it stood, in whatever form it is written."""

from __future__ import annotations

import pytest
import yaml
from cachekey.devcontainer.compose import read_compose
from cachekey.edits.compose import add, declare
from cachekey.text import Source, apply_edits

DECLARED = {
    "services: {a: {image: x}}\n": "services: {a: {image: x}}\nvolumes:\n  npm:\n",
    "services:\n  a:\n    image: x": "services:\n  a:\n    image: x\nvolumes:\n  npm:\n",
    "{services: {a: {}}}": "{volumes: {npm: {}}, services: {a: {}}}",
    "volumes: # c\n": "volumes:\n  npm: # c\n",
    "volumes: {} # c\n": "volumes:\n  npm: # c\n",
    "volumes: ~\nx: 1\n": "volumes:\n  npm:\nx: 1\n",
    "{volumes: {}, services: {}}": "{volumes: {npm: {}}, services: {}}",
    "{volumes: , services: {}}": "{volumes: {npm: {}} , services: {}}",
    "volumes: &x\n  a:\n": "volumes: &x\n  npm:\n  a:\n",
    '{"volumes": {"a": null}}': '{"volumes": {npm: {}, "a": null}}',
    "  services: {}\n...\n": "  volumes:\n    npm:\n  services: {}\n...\n",
    "services: {}\r\nvolumes:\r\n": "services: {}\r\nvolumes:\r\n  npm:\r\n",
}
NO_PLACE = ("x: &x {}\nvolumes: *x\n", "{services: {}, volumes}", "? services\n: {}\n", "- a\n", "")


@pytest.mark.parametrize("text", DECLARED)
def test_a_volume_is_declared_in_the_form_of_the_file(text: str) -> None:
    file = read_compose("compose.yaml", Source(text))
    after = apply_edits(text, list(declare(file, "npm")))
    assert after == DECLARED[text]
    assert "npm" in yaml.safe_load(after)["volumes"]


@pytest.mark.parametrize("text", NO_PLACE)
def test_where_there_is_no_place_nothing_is_written(text: str) -> None:
    assert list(declare(read_compose("compose.yaml", Source(text)), "npm")) == []


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("type: cache\ntarget: /x\n", "type: cache\nsource: v\ntarget: /x\n"),
        ("  'type': 'cache'\n  target: /x\n", "  'type': 'cache'\n  source: v\n  target: /x\n"),
        ('{"type": "cache", target: /x}', '{"type": "cache", source: v, target: /x}'),
        ("{\n  type: cache\n}\n", "{\n  type: cache, source: v\n}\n"),
        ("type: |\n  cache\ntarget: /x\n", "source: v\ntype: |\n  cache\ntarget: /x\n"),
    ],
)
def test_a_member_is_written_behind_another_one(text: str, after: str) -> None:
    (root,) = read_compose("compose.yaml", Source(text)).documents
    assert apply_edits(text, list(add(root, "source", "v", behind="type"))) == after
    assert yaml.safe_load(after)["source"] == "v"
