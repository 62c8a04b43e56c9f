"""Path templates, how paths lie to each other, and command patterns."""

from __future__ import annotations

import pytest
from cachekey.knowledge import Knowledge
from cachekey.knowledge.paths import UnknownValueError, expand_template, nearly, relation
from cachekey.knowledge.patterns import any_fits, fits, pattern, read_line
from cachekey.knowledge.records import Command
from hypothesis import given
from hypothesis import strategies as st

KNOWN = Knowledge()


@pytest.mark.parametrize(
    ("template", "values", "result"),
    [
        ("${XDG_CACHE_HOME:-$HOME/.cache}/uv", {"HOME": "/h"}, "/h/.cache/uv"),
        ("${XDG_CACHE_HOME:-$HOME/.cache}/uv", {"HOME": "/h", "XDG_CACHE_HOME": "/x"}, "/x/uv"),
        ("${XDG_CACHE_HOME:-$HOME/.cache}/uv", {"XDG_CACHE_HOME": "/x"}, "/x/uv"),
        ("${A:-${B:-$HOME/.c}/R}/k", {"HOME": "/h"}, "/h/.c/R/k"),
        ("${A:-${B:-$HOME/.c}/R}/k", {"B": "/b"}, "/b/R/k"),
        ("${A:-/x}", {"A": ""}, "/x"),
        ("/var/cache/apt", {}, "/var/cache/apt"),
        ("target", {}, "target"),
        ("$A$B", {"A": "1", "B": "2"}, "12"),
    ],
)
def test_templates(template, values, result):
    assert expand_template(template, values.get) == result


@pytest.mark.parametrize(
    ("template", "name"),
    [("$HOME/.x", "HOME"), ("${A:-$HOME}/x", "HOME"), ("${A:-${B:-$C}}", "C"), ("$A/x", "A")],
)
def test_a_missing_variable_is_named(template, name):
    with pytest.raises(UnknownValueError, match=name):
        expand_template(template, lambda _: None)


def test_an_unknown_value_in_a_default_that_is_not_needed_does_no_harm():
    def look(name):
        if name == "HOME":
            raise UnknownValueError(name)
        return "/x" if name == "A" else None

    assert expand_template("${A:-$HOME}/y", look) == "/x/y"
    with pytest.raises(UnknownValueError):
        expand_template("${B:-$HOME}/y", look)


@given(st.text(alphabet="${}:-/AB", max_size=20))
def test_no_template_breaks_the_expander(template):
    assert isinstance(expand_template(template, lambda _: "v"), str)


@pytest.mark.parametrize(
    ("target", "path", "result"),
    [
        ("/root/.npm", "/root/.npm", "exact"),
        ("/root/.npm/", "/root/.npm", "exact"),
        ("/root//.npm/./", "/root/.npm", "exact"),
        ("/root/.cache", "/root/.cache/uv", "parent"),
        ("/", "/root/.cache/uv", "parent"),
        ("/root/.npm/_cacache", "/root/.npm", "part"),
        ("/root/.cache/u", "/root/.cache/uv", "none"),
        ("/root/.cache/uv2", "/root/.cache/uv", "none"),
    ],
)
def test_relations(target, path, result):
    assert relation(target, path) == result


@pytest.mark.parametrize(
    ("target", "path", "result"),
    [
        ("/root/.cache/pypotery", "/root/.cache/pypoetry", True),
        ("/root/.cahce/uv", "/root/.cache/uv", True),
        ("/root/.cache/pip", "/root/.cache/uv", False),
        ("/root/.cache/pip", "/home/app/.cache/pip", False),
        ("/root/.cache/pip", "/root/.cache/pip", False),
        ("/var/cache/apt", "/var/cache/apk", False),
        ("/root/.cache/uv-dev", "/root/.cache/uv", True),
        ("/root/.cache/dev.uv", "/root/.cache/uv", True),
        ("/root/.cache/uvx", "/root/.cache/uv", False),
        ("/root/.m2_old/repository", "/root/.m2/repository", True),
        ("/deno-dir-prod", "/deno-dir", True),
        ("/cache", "/data", False),
    ],
)
def test_slips_of_the_pen(target, path, result):
    assert nearly(target, path) is result


def line(program, text):
    tool, command = KNOWN.commands_for(program)[0]
    return read_line(tool, command, [None if word == "?" else word for word in text.split()])


@pytest.mark.parametrize(
    ("program", "text", "item", "result"),
    [
        ("uv", "pip install x", "pip install", True),
        ("uv", "pip list", "pip install", False),
        ("uv", "--cache-dir /x pip install y", "pip install", True),
        ("uv", "--cache-dir=/x sync", "sync", True),
        ("apt-get", "-y -o A=b install curl", "install", True),
        ("apt-get", "-qq update", "install", False),
        ("apt-get", "? install", "install", None),
        ("go", "clean -modcache", "clean -modcache", True),
        ("go", "clean -testcache", "clean -modcache", False),
        ("go", "-C sub build ./...", "build", True),
        ("uv", "cache prune --ci", "cache prune !--ci", False),
        ("uv", "cache prune", "cache prune !--ci", True),
        ("conda", "clean -afy", "clean -a", True),
        ("conda", "clean --index-cache -y", "clean -a", False),
        ("pacman", "-Syu --noconfirm", "-S[uywdpgn]*", True),
        ("pacman", "-Scc", "-S[uywdpgn]*", False),
        ("yarn", "", "", True),
        ("yarn", "--frozen-lockfile", "", True),
        ("yarn", "build", "", False),
        ("cargo", "+nightly build", "+* build", True),
        ("mvn", "-B package", "*", True),
        ("mvn", "-o package", "-o", True),
        ("npm", "cache clean --force", "cache clean --force", True),
        ("npm", "cache clean", "cache clean --force", False),
    ],
)
def test_patterns(program, text, item, result):
    assert fits(pattern(item), line(program, text)) is result


def test_words_behind_a_run_subcommand_are_another_program_s():
    words = line("uv", "run --no-sync pytest --no-cache install")
    assert words.words == ("run",)
    assert [text for _, text in words.options] == ["--no-sync"]
    assert line("npm", "ci -- --cache /x").options == ()


def test_one_unknown_word_does_not_hide_a_match():
    command = Command(("x",), (), (), (), (), (), False, "")
    words = read_line(KNOWN.tool("npm"), command, ["install", None])
    assert any_fits((pattern("ci"), pattern("install")), words) is True
