"""The recipes that ``make`` runs, where the Makefile tells them for sure."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.commands.test_scripts import read, runs

HEAD = """\
GO ?= go
BIN := bin/app
ENV = CGO_ENABLED=0
GO_BUILD = $(ENV) $(GO) build -ldflags="-X v=$(VERSION)"
VERSION := $(shell git describe --tags $(dir x))
Q = @
export GOFLAGS = -mod=mod
ifeq ($(OS),Windows_NT)
EXE = .exe
endif
.PHONY: all build test lint deps vendor web wipe none circle
$(info building $(BIN))
"""
BODY = """\
all: build test
build: deps $(BIN)  ## builds it
\t$(Q)echo done
$(BIN): go.mod
\t@$(ENV) $(GO) build -ldflags "-X v=$(VERSION)" -o $@ ./cmd
deps:
\t-$(GO) mod download && \\
\t  $(GO) mod verify
test: | deps
\t# all of them
\t@for p in a b; do $(GO) test $$p; done
lint: $(SOURCES)
\tgolangci-lint run
vendor: ; $(GO) mod vendor
web:
\t$(MAKE) -C web build
wipe:
\tcd $(CURDIR)/x && rm -rf $(DIST)
\t$(CLEAN)
none:
circle:
\t$(MAKE) circle
fast:
\t$(GO_BUILD) $(TAGS)
one two:
\tpip install $@
other: GOFLAGS = -x
other:
\tgo build
guarded:
ifdef DEBUG
\tgo build -race
endif
proto: api.pb.go
\tgo generate
%.pb.go: %.proto
\tprotoc $<
"""
FILES = {
    "/app/Makefile": HEAD + BODY,
    "/app/web/Makefile": ".PHONY: build\nbuild:\n\tnpm ci\n",
    "/app/x.mk": "SHELL := /bin/bash\nfirst:\n\trm -rf /c/{a,b}\n",
}
FLAGS = "GOFLAGS=None"
DEPS = [f"go mod download [{FLAGS}]", f"go mod verify [{FLAGS}]"]
BUILD = [
    *DEPS,
    f"go build -ldflags ? -o bin/app ./cmd [CGO_ENABLED=0, {FLAGS}, conditional]",
    f"echo done [{FLAGS}]",
]
TEST = f"go test ? [{FLAGS}, conditional]"
GIVEN = f"GO=go1.22, {FLAGS}, MAKEOVERRIDES=GO"
WEB = f"make -C web build [{FLAGS}]"


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("make deps", ["make deps", *DEPS]),
        ("make -s -j 4 deps deps", ["make -s -j 4 deps deps", *DEPS]),
        ("make", ["make", *BUILD, TEST]),
        ("make build", ["make build", *BUILD]),
        ("make -B bin/app", ["make -B bin/app", BUILD[2].replace(", conditional", "")]),
        ("make test", ["make test", *DEPS, TEST]),
        ("cd web && make", ["cd web", "make [in /app/web]", "npm ci [in /app/web]"]),
        ("make -C web build", ["make -C web build", "npm ci [in /app/web]"]),
        ("make web", ["make web", WEB, f"npm ci [{FLAGS}, in /app/web]"]),
        ("make -f x.mk", ["make -f x.mk", "rm -rf /c/a /c/b [conditional]"]),
        ("make two", ["make two", f"pip install two [{FLAGS}, conditional]"]),
        ("make other", ["make other", f"go build [{FLAGS}, conditional]"]),
        ("make none", ["make none"]),
        # What is not known of a variable hides no more than itself.
        ("make fast", ["make fast", f"go build ? ? [CGO_ENABLED=0, {FLAGS}, conditional]"]),
        (
            "make -j4 GO=go1.22 deps",
            [
                "make -j4 GO=go1.22 deps",
                f"go1.22 mod download [{GIVEN}]",
                f"go1.22 mod verify [{GIVEN}]",
            ],
        ),
        # Of some nobody can tell all: what is sure is told, and the call is opaque.
        ("make lint", ["make lint [opaque]", f"golangci-lint run [{FLAGS}]"]),
        (
            "make wipe",
            [
                "make wipe",
                f"cd /app/x [{FLAGS}]",
                f"rm -rf ? [{FLAGS}, in /app/x]",
                f"? [{FLAGS}, opaque]",
            ],
        ),
        ("make circle", ["make circle", f"make circle [{FLAGS}, opaque]"]),
        ("make proto", ["make proto [opaque]", f"go generate [{FLAGS}, conditional]"]),
        # What nobody can tell stays opaque.
        ("make $X", ["make ? [opaque]"]),
        ("make unknown", ["make unknown [opaque]"]),
        ("make guarded", ["make guarded [opaque]"]),
        ("make vendor", ["make vendor [opaque]"]),
        ("make -n deps", ["make -n deps [opaque]"]),
        ("make --eval=x deps", ["make --eval=x deps [opaque]"]),
        ("make -C none", ["make -C none [opaque]"]),
        ("MAKEFLAGS=-n make none", ["make none [MAKEFLAGS=-n, opaque]"]),
        ("./configure && make none", ["configure [opaque]", "make none [opaque]"]),
        (
            "sed -i s/a/b/ Makefile && make none",
            ["sed -i s/a/b/ Makefile", "make none [opaque]"],
        ),
        ("make -f /c/Makefile", ["make -f /c/Makefile [opaque]"]),
    ],
)
def test_recipes(run: str, expected: list[str]) -> None:
    assert runs(run, FILES) == expected


@pytest.mark.parametrize(
    "text",
    [
        "include other.mk\nall:\n\techo\n",
        "-include .env\nall:\n\techo\n",
        ".ONESHELL:\nall:\n\techo\n",
        ".RECIPEPREFIX = >\nall:\n>echo\n\techo\n",
        "$(eval $(call make,all))\nall:\n\techo\n",
        "$(foreach x,a b,$(eval $(x): ; echo))\nall:\n\techo\n",
        "SHELL = python3\nall:\n\techo\n",
        "MAKEFLAGS += -n\nall:\n\techo\n",
        "unexport X\nall:\n\techo\n",
        "all:\n\techo\nall: b\n\techo\nb:\n",
        "$(X): b\n\techo\nall:\n\techo\n",
        ".DEFAULT_GOAL := $(X)\nall:\n\techo\n",
        "ifdef X\nall:\n\techo\nendif\n",
        "all: ; echo\n",
        "all b &: c\n\techo\n",
        "all: %.o: %.c\n\techo\n",
        "all:\n\techo\nX = 1\n\techo\n",
        "override X = 1\nall:\n\techo\n",
        "all:\n\techo\0\n",
        "#!/usr/bin/make -f\nall:\n\techo\n",
        "\techo\n",
        "",
    ],
)
def test_a_makefile_that_may_say_anything_leaves_the_call_opaque(text: str) -> None:
    assert runs("make X=2", {"/app/Makefile": text})[0].endswith("opaque]")


def test_a_makefile_that_configure_writes_is_none_of_the_context() -> None:
    files = {"/app/Makefile": "all:\n\techo\n", "/app/configure": "echo"}
    assert runs("make", files) == ["make [opaque]"]


def test_the_place_of_a_recipe_is_its_line() -> None:
    item = read("make deps", FILES).items[-1]
    assert item.script is not None
    text = FILES["/app/Makefile"]
    assert item.script.path == "/app/Makefile"
    assert text.splitlines()[item.script.line].startswith("\t-$(GO) mod download")
    assert text[item.script.span.start : item.script.span.end].startswith("$(GO) mod download")


@pytest.mark.parametrize(
    "text",
    [
        "X = " + "$(X)" * 20_000 + "\nall:\n\techo $(X)\n",
        "A = " + "a" * 900 + "\nall:\n\techo " + "$(A)" * 20_000 + "\n",
        "all:\n\techo " + "$(" * 40_000 + "\n",
        "".join(f"a{n}: a{n + 1}\n\techo\n" for n in range(5000)),
        "all: " + "b " * 40_000 + "\n\techo\nb: all\n",
        "all:\n" + "\t$(MAKE) all b\n" * 3000 + "b: all\n",
        "define x\n" * 9000,
        "all: ;" + "; " * 40_000,
    ],
)
def test_a_hostile_makefile_ends(text: str) -> None:
    assert len(runs("make", {"/app/Makefile": text})) < 300


def test_a_rule_of_many_targets_has_one_list_of_what_they_need() -> None:
    """As many targets as needs."""
    many = range(6_000)
    line = f"{' '.join(f'a{i}' for i in many)}: {' '.join(f'b{i}' for i in many)}"
    files = {"/app/Makefile": f".PHONY: t\nt:\n\tgo build\n{line}\n\tgo vet\n"}
    tracemalloc.start()
    try:
        found, (_, peak) = runs("make t", files), tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert any("go build" in item for item in found)
    # A copy for each target took half a gigabyte.
    assert peak < 100_000_000
