"""The data about features: complete, found by reference, the special before the family."""

from __future__ import annotations

import pytest
from cachekey.knowledge import Knowledge
from cachekey.knowledge.features import all_features, feature


def test_every_record_says_where_it_is_from() -> None:
    tools = set(Knowledge().tool_ids)
    for item in all_features():
        assert item.source.startswith("https://")
        assert item.date
        assert item.match
        assert set(item.tools) <= tools, item.id
        assert all(path.startswith("/") for path in (*item.own, *item.lacks))


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("ghcr.io/devcontainers/features/go:1", "go"),
        ("ghcr.io/devcontainers/features/go:1.3.2", "go"),
        ("GHCR.IO/devcontainers/features/rust", "rust"),
        ("ghcr.io/devcontainers/features/node@sha256:00", "node"),
        ("ghcr.io/devcontainers/features/terraform:1", "programs"),
        ("ghcr.io/devcontainers/features/oryx:1", "oryx"),
        ("ghcr.io/devcontainers/features/powershell:1", "devcontainers"),
        ("ghcr.io/va-h/devcontainers-features/uv:1", "uv"),
        ("ghcr.io/jsburckhardt/devcontainer-features/uv:1", "jsburckhardt-uv"),
        ("ghcr.io/jsburckhardt/devcontainer-features/codex:1", "jsburckhardt"),
        ("ghcr.io/jsburckhardt/devcontainer-features/skillspector:1", None),
        ("./local", None),
        ("https://example.com/feature.tgz", None),
        ("ghcr.io/somebody/features/go:1", None),
        ("", None),
    ],
)
def test_lookup(reference: str, name: str | None) -> None:
    found = feature(reference)
    assert (found.id if found else None) == name
