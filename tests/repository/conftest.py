from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "bank_python"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def library_files() -> tuple[Path, ...]:
    return tuple(sorted(PACKAGE.rglob("*.py")))


@pytest.fixture(scope="session")
def subpackages() -> tuple[Path, ...]:
    return tuple(sorted(init.parent for init in PACKAGE.glob("*/__init__.py")))


@pytest.fixture(scope="session")
def tracked_files() -> tuple[Path, ...]:
    """Every file under version control; in a tree without git, every file outside hidden folders."""
    if not (ROOT / ".git").exists():
        found = [Path(folder) / name for folder, _, names in os.walk(ROOT) for name in names]
        return tuple(p for p in found if not any(part.startswith(".") for part in p.relative_to(ROOT).parts[:-1]))
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(p for name in listing.stdout.split("\0") if name and (p := ROOT / name).is_file())


@pytest.fixture
def offline_home(tmp_path, monkeypatch) -> Path:
    """An empty home for the store, an empty working directory, and the simulated market."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BANK_PYTHON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BANK_PYTHON_FEED", "simulated")
    return tmp_path
