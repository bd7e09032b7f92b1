"""Environment of a run: code version, device and packages."""

import subprocess
import sys
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import torch


def code_version() -> dict[str, str]:
    """Tags with the git commit of the code, and whether it has uncommitted changes."""

    def git(*arguments: str) -> str:
        here = ["git", "-C", str(Path(__file__).parent), *arguments]
        result = subprocess.run(here, capture_output=True, text=True, check=False)
        return result.stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
    except FileNotFoundError:  # git is not installed
        return {}
    if not commit:
        return {}
    changed = "yes" if git("status", "--porcelain") else "no"
    return {"mlflow.source.git.commit": commit, "git.uncommitted_changes": changed}


@cache
def environment() -> str:
    """Text with Python, the device and all packages with their versions."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    metadata = (package.metadata for package in distributions())  # reads a file at every access
    packages = sorted({f"{of['Name']}=={of['Version']}" for of in metadata})
    return "\n".join([f"# Python {sys.version}", f"# {device}", *packages, ""])
