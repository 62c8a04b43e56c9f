"""What the VS Code extension carries of others, as a CycloneDX 1.6 document.

The wheel carries nothing: what it depends on is chosen where it is installed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, distributions
from pathlib import Path
from typing import Any

_SPDX = {"MIT License": "MIT", "Apache 2.0": "Apache-2.0"}
PINS = ("requirements.txt", "requirements-compiled.txt")


def sbom(client: Path, version: str) -> str:
    """Return the SBOM of the extension built in ``client``; the same text for the same contents."""
    components = [*_python(client), *_javascript(client)]
    ours = {
        "type": "application",
        "bom-ref": f"cachekey@{version}",
        "name": "cachekey",
        "version": version,
        "licenses": [{"license": {"id": "MIT"}}],
    }
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": sorted(components, key=lambda item: str(item["bom-ref"])),
    }
    return json.dumps(document, indent=2) + "\n"


def _python(client: Path) -> Iterator[dict[str, Any]]:
    """Yield the libraries in the extension, by pip's metadata and with the hashes of their wheels."""
    pins = "\n".join((client / "python" / name).read_text(encoding="utf-8") for name in PINS)
    hashes = dict(re.findall(r"^([\w.-]+)==\S+ \\\n +--hash=sha256:(\w+)", pins, re.MULTILINE))
    for found in distributions(path=[str(client / "bundled" / "libs")]):
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        yield _component(
            f"pkg:pypi/{name}@{found.version}",
            name,
            found.version,
            _licence(_said(found.metadata)),
            ("SHA-256", hashes[name]),
        )


def _javascript(client: Path) -> Iterator[dict[str, Any]]:
    """Yield the packages that went into the bundle, as the build has listed them."""
    notices = (client / "out" / "third-party-notices.txt").read_text(encoding="utf-8")
    heads = re.findall(r"(?:\A|\n----\n\n)(\S+) (\d\S*)\n\n", notices)
    locked = json.loads((client / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, version in heads:
        entry = next(
            item
            for path, item in locked.items()
            if path.endswith(f"node_modules/{name}") and item["version"] == version
        )
        licence = _licence(entry.get("license"))
        purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        yield _component(purl, name, version, licence, None)


def _said(metadata: PackageMetadata) -> str | None:
    """Return what a package says of its licence, in the new way, the old one, or by its classifier."""
    for key in ("License-Expression", "License"):
        if text := metadata.get(key):
            return text
    classifiers = metadata.get_all("Classifier") or []
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License ::")]
    return named[0] if named else None


def _licence(text: str | None) -> list[dict[str, Any]]:
    """Return a licence as CycloneDX has it: by its SPDX identifier where it looks like one."""
    if not text:
        return []
    line = text.strip().splitlines()[0]
    line = _SPDX.get(line, line)
    # Of BSD there are several, and the word alone is no identifier.
    identifier = re.fullmatch(r"[A-Za-z0-9.+-]+", line) and line != "BSD"
    return [{"license": {"id" if identifier else "name": line}}]


def _component(
    purl: str,
    name: str,
    version: str,
    licences: list[dict[str, Any]],
    digest: tuple[str, str] | None,
) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version}
    if digest is not None:
        found["hashes"] = [{"alg": digest[0], "content": digest[1]}]
    if licences:
        found["licenses"] = licences
    return {**found, "purl": purl}
