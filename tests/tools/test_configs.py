"""Configuration files of tools: one value, read in linear time from whatever stands there."""

from __future__ import annotations

import time

import pytest
from cachekey.tools.configs import config_value

LONG = 80_000
HOSTILE = {
    "blanks behind a key": (".yarnrc.yml", "cacheFolder:" + " " * LONG + "x\n", "cacheFolder"),
    "blanks in front of a comment": (
        ".yarnrc.yml",
        "cacheFolder: x" + " " * LONG + "#\n",
        "cacheFolder",
    ),
    "blanks in front of a colon": (".yarnrc.yml", "a" + " " * LONG + "b: x\n", "cacheFolder"),
    "lines of blanks": (".npmrc", (" " * 400 + "\n") * 200, "cache"),
    "blanks around a sign": (".npmrc", "cache" + " " * LONG + "= x\n", "cache"),
    "a section that nobody closed": ("pip.conf", "[" * LONG + "\n", "global.cache-dir"),
    "words without a sign": ("pip.conf", "cache-dir " * (LONG // 10), "global.cache-dir"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_blanks_cost_in_proportion_to_their_number(name: str) -> None:
    file, text, key = HOSTILE[name]
    start = time.process_time()
    config_value(file, text, key)
    assert time.process_time() - start < 1, "a square of them takes minutes"


def test_a_key_with_a_colon_stands_as_it_is() -> None:
    text = "# core.cache:storage_path=/a\ntools.build:jobs = 4\ncore.cache:storage_path = /b\n"
    assert config_value("global.conf", text, "core.cache:storage_path") == "/b"
    assert config_value("global.conf", text, "core.cache:other") is None
