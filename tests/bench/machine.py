"""What a figure means depends on this: machine, versions, load. No name and no path of the machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from tests.bench.corpus import fingerprint

ROOT = Path(__file__).parents[2]
LIBRARIES = ("pygls", "lsprotocol", "dockerfile-parse")


def describe() -> dict[str, str]:
    """Return what to say of this machine and this Cachekey."""
    return {
        "machine": f"{os.cpu_count()} cores, {_processor()}, {platform.system()}",
        "Python": platform.python_version(),
        "Node.js": _said("node", "--version").lstrip("v") or "none",
        "cachekey": version("cachekey"),
        "commit": commit(),
        "files": fingerprint()[:8],
        **{name: version(name) for name in LIBRARIES},
    }


def commit() -> str:
    """Return the last commit that changed what is measured, and whether files differ from it."""
    name = _said("git", "-C", str(ROOT), "log", "-1", "--format=%h", "--", "server")
    changed = _said("git", "-C", str(ROOT), "status", "--porcelain", "--", "server")
    return (name or "unknown") + (" with changes" if changed else "")


def load() -> float:
    """Return how many processes wanted a core, on average over the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _said(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
