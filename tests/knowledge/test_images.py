"""Which image a reference names, and what its tag changes."""

from __future__ import annotations

import pytest
from cachekey.knowledge import Knowledge, lookup_image
from cachekey.knowledge.images import read_reference

MIRRORS = {"mirror.gcr.io": "docker.io", "public.ecr.aws/docker": "docker.io"}


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("python", "docker.io/library/python", "latest"),
        ("python:3.12", "docker.io/library/python", "3.12"),
        ("docker.io/python:3", "docker.io/python", "3"),
        ("oven/bun:1", "docker.io/oven/bun", "1"),
        ("ghcr.io/astral-sh/uv:debian", "ghcr.io/astral-sh/uv", "debian"),
        ("node:20@sha256:abc", "docker.io/library/node", "20"),
        ("node@sha256:abc", "docker.io/library/node", "latest"),
        ("localhost:5000/a/b", "localhost:5000/a/b", "latest"),
        ("localhost/a:1", "localhost/a", "1"),
        ("public.ecr.aws/docker/library/python:3", "docker.io/library/python", "3"),
        ("mirror.gcr.io/python:3", "docker.io/library/python", "3"),
        ("mirror.gcr.io/library/python:3", "docker.io/library/python", "3"),
        ("python:${V}-slim", "docker.io/library/python", "\0-slim"),
        ("python:${V:-3}", "docker.io/library/python", "\0"),
    ],
)
def test_references(text, repository, tag):
    assert read_reference(text, MIRRORS) == (repository, tag)


@pytest.mark.parametrize("text", ["", "$BASE", "${REGISTRY}/python", "a b", "${A:?x}y:1", ":tag"])
def test_what_names_no_repository(text):
    assert read_reference(text, MIRRORS) is None


@pytest.mark.parametrize(
    ("reference", "identity", "user", "home", "family"),
    [
        ("debian:12", "debian", "root", "/root", "debian"),
        ("ubuntu:24.04", "ubuntu", "root", "/root", "ubuntu"),
        ("alpine", "alpine", "root", "/root", "alpine"),
        ("python:3.12-slim", "python", "root", "/root", "debian"),
        ("python:3.12-alpine3.20", "python", "root", "/root", "alpine"),
        ("docker.io/library/python:3", "python", "root", "/root", "debian"),
        ("docker.io/python:3", "python", "root", "/root", "debian"),
        ("public.ecr.aws/docker/library/python:3", "python", "root", "/root", "debian"),
        ("index.docker.io/library/node:22", "node", "root", "/root", "debian"),
        ("node:22-alpine", "node", "root", "/root", "alpine"),
        ("golang:1.25", "golang", "root", "/root", "debian"),
        ("dart:3.9", "dart", "root", "/root", "debian"),
        (
            "hexpm/elixir:1.17.3-erlang-27.1.2-debian-bookworm-20241202-slim",
            "hexpm",
            "root",
            "/root",
            "debian",
        ),
        ("hexpm/elixir:1.17.3-erlang-27.1.2-alpine-3.20.3", "hexpm", "root", "/root", "alpine"),
        ("hexpm/erlang:27.1.2-ubuntu-noble-20241015", "hexpm", "root", "/root", "ubuntu"),
        ("rust:1-alpine", "rust", "root", "/root", "alpine"),
        ("lukemathwalker/cargo-chef:latest-rust-1", "rust", "root", "/root", "debian"),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "uv", "root", "/root", "debian"),
        ("quay.io/jupyter/base-notebook", "jupyter", "1000", "/home/jovyan", "ubuntu"),
        (
            "ghcr.io/mamba-org/micromamba:2.0.5",
            "micromamba",
            "mambauser",
            "/home/mambauser",
            "debian",
        ),
        ("mambaorg/micromamba:2", "micromamba", "mambauser", "/home/mambauser", "debian"),
        ("bitnami/node:20", "bitnami", "1001", "/", "debian"),
        ("gcr.io/distroless/base:nonroot", "distroless", "65532", "/home/nonroot", None),
        ("gcr.io/distroless/base", "distroless", "root", "/root", None),
        (
            "cgr.dev/chainguard/python:latest-dev",
            "chainguard-nonroot",
            "65532",
            "/home/nonroot",
            "wolfi",
        ),
        ("cgr.dev/chainguard/node:latest-dev", "chainguard-node", "65532", "/home/node", "wolfi"),
        ("cgr.dev/chainguard/go", "chainguard-root", "root", "/root", "wolfi"),
        ("cgr.dev/chainguard/redis", "chainguard", "65532", None, "wolfi"),
        ("mcr.microsoft.com/dotnet/sdk:9.0", "dotnet", "root", "/root", "debian"),
        ("mcr.microsoft.com/dotnet/aspnet:9.0-noble-chiseled", "dotnet", "app", "/home/app", None),
        (
            "registry.access.redhat.com/ubi9/python-312",
            "ubi-language",
            "1001",
            "/opt/app-root/src",
            "rhel",
        ),
        ("registry.access.redhat.com/ubi9/ubi-minimal", "ubi-minimal", "root", "/root", "rhel"),
        ("nvidia/cuda:12.4.1-devel-ubuntu22.04", "cuda", "root", "/root", "ubuntu"),
        ("nvidia/cuda:12.4.1-devel-rockylinux9", "cuda", "root", "/root", "rhel"),
        ("ros:humble", "ros", "root", "/root", "ubuntu"),
        ("ros:${ROS_DISTRO}", "ros", "root", "/root", "ubuntu"),
        ("osrf/ros:noetic-desktop-full-buster", "ros", "root", "/root", "debian"),
        ("maven:3-eclipse-temurin-21-noble", "maven", "root", "/root", "ubuntu"),
        (
            "mcr.microsoft.com/devcontainers/typescript-node:22",
            "devcontainers-node",
            "root",
            "/root",
            "debian",
        ),
        (
            "mcr.microsoft.com/devcontainers/base:ubuntu",
            "devcontainers-base",
            "root",
            "/root",
            None,
        ),
        ("postgres:17", "postgres", "root", "/root", "debian"),
        ("postgres:17-alpine3.22", "postgres", "root", "/root", "alpine"),
        ("redis:8-bookworm", "redis", "root", "/root", "debian"),
        ("mariadb:11", "mariadb", "root", "/root", "ubuntu"),
        ("mariadb:11-ubi", "mariadb", "root", "/root", "rhel"),
        ("python:windowsservercore", "python", None, None, "windows"),
    ],
)
def test_lookup(reference, identity, user, home, family):
    image = lookup_image(reference)
    assert image is not None
    assert (image.id, image.user, image.home, image.family) == (identity, user, home, family)


@pytest.mark.parametrize(
    "reference", ["example/python", "registry.corp/python:3", "scratch", "pythonx"]
)
def test_unknown_images(reference):
    assert lookup_image(reference) is None


@pytest.mark.parametrize(
    ("reference", "name", "uid", "home"),
    [
        ("node:22", "node", 1000, "/home/node"),
        ("node:22-alpine", "node", 1000, "/home/node"),
        ("ubuntu:24.04", "ubuntu", 1000, "/home/ubuntu"),
        ("ubuntu", "ubuntu", 1000, "/home/ubuntu"),
        ("ubuntu:22.04", "ubuntu", None, None),
        ("php:8", "www-data", 33, "/var/www"),
        ("php:8-alpine", "www-data", 82, "/home/www-data"),
        ("gradle:8", "gradle", 1000, "/home/gradle"),
        ("mcr.microsoft.com/dotnet/sdk:8.0", "app", 1654, "/home/app"),
        ("mcr.microsoft.com/dotnet/sdk:6.0", "app", None, None),
        ("python:3", "root", 0, "/root"),
        ("python:3", "0", 0, "/root"),
        ("node:22", "1000", 1000, "/home/node"),
    ],
)
def test_users(reference, name, uid, home):
    user = lookup_image(reference).user_named(name)
    assert (user.uid, user.home) if user else (uid, home) == (None, None)
    if uid is not None:
        assert user is not None


def test_variables_that_matter_to_caches():
    assert lookup_image("golang:1").env["GOPATH"] == "/go"
    assert lookup_image("rust").env["CARGO_HOME"] == "/usr/local/cargo"
    assert lookup_image("composer:2").env["COMPOSER_HOME"] == "/tmp"
    assert lookup_image("ros:jazzy-ros-base").env["ROS_DISTRO"] == "jazzy"
    assert lookup_image("denoland/deno").env["DENO_DIR"] == "/deno-dir/"
    assert lookup_image("quay.io/jupyter/base-notebook").env["HOME"] == "/home/jovyan"


def test_an_unknown_tag_leaves_what_all_variants_share():
    image = lookup_image("ubuntu:${RELEASE}")
    assert (image.user, image.family) == ("root", "ubuntu")
    assert image.user_named("ubuntu") is None
    assert lookup_image("php:${V}").users == ()
    assert lookup_image("node:${V}").user_named("node").uid == 1000
    assert lookup_image("node:${V}").family is None


def test_a_word_in_the_tag_leaves_only_the_version_open():
    assert lookup_image("python:${V}-slim").family == "debian"
    assert lookup_image("python:${V}-alpine").family == "alpine"
    assert lookup_image("fedora:${V}").facts == {}


def test_dnf_generations_follow_the_image():
    assert lookup_image("fedora:39").facts["dnf"] == "4"
    assert lookup_image("fedora:42").facts["dnf"] == "5"
    assert lookup_image("fedora").facts["dnf"] == "5"
    assert lookup_image("almalinux:9").facts["dnf"] == "4"


def test_what_an_image_ships():
    assert "/usr/local/cargo/bin" in {item.path for item in lookup_image("rust").ships}
    broad = {item.path for item in Knowledge().broad()}
    assert {"/", "/usr", "/usr/local", "/root"} <= broad
    assert "/root/.cache" not in broad
