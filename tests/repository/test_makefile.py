"""The Makefile's promises: help names every target, the first run installs, the second does not."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

TARGETS = frozenset(
    {"help", "showcase", "desk", "test", "test-all", "lint", "format", "bench", "nautilus", "install", "clean"}
)


@pytest.fixture(scope="module")
def make(root):
    # A make that runs the tests hands its own flags down, and they would change what this one prints.
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }

    def run(*arguments):
        done = subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run


@pytest.fixture
def installed(tmp_path):
    """Return a folder that looks, by its stamps, like an environment with everything installed."""
    for stamp in (".stamp-python", ".stamp-core", ".stamp-test", ".stamp"):
        (tmp_path / stamp).touch()
    return tmp_path


def test_help_is_the_default_and_names_every_target(make):
    assert make() == make("help")
    assert set(re.findall(r"^  make ([a-z-]+) +\S", make("help"), re.MULTILINE)) == TARGETS


def test_every_target_is_phony(root):
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(phony.split()) == TARGETS


@pytest.mark.parametrize(
    ("target", "extra"), [("showcase", "--editable ."), ("desk", "--editable ."), ("test", '--editable ".[test]"')]
)
def test_first_run_makes_the_environment_and_installs_under_constraints(make, tmp_path, target, extra):
    commands = make("-n", target, f"VENV={tmp_path / 'fresh'}")
    assert f".ci/make_venv {tmp_path / 'fresh'}" in commands
    assert f"--constraint constraints.txt {extra};" in commands


def test_showcase_installs_the_core_alone(make, tmp_path):
    assert "[test]" not in make("-n", "showcase", f"VENV={tmp_path / 'fresh'}")


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("showcase", "python showcase.py --plain"),
        ("desk", "python prop_desk.py --plain"),
        ("test", "python -m pytest --plain"),
        ("test-all", 'python -m pytest -m "slow or not slow" --plain'),
    ],
)
def test_second_run_only_runs_the_program(make, installed, target, command):
    assert make("-n", target, f"VENV={installed}", "ARGS=--plain") == f"{installed}/bin/{command}\n"


def test_lint_runs_all_four_checks(make, installed):
    lines = make("-n", "lint", f"VENV={installed}").splitlines()
    assert [line.removeprefix(f"{installed}/bin/") for line in lines] == [
        "ruff check .",
        "ruff format --check .",
        "mypy",
        "lint-imports",
    ]


def test_bench_runs_every_script_outside_the_test_environment(make, installed, root):
    commands = make("-n", "bench", f"BENCH_VENV={installed}")
    scripts = [path.name for path in (root / "benchmarks").glob("*.py") if not path.name.startswith("_")]
    assert [name for name in scripts if f"benchmarks/{name}" not in commands] == []
    assert ".venv/" not in commands


def test_environment_is_made_once(root, tmp_path):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch(mode=0o755)
    done = subprocess.run(["sh", root / ".ci" / "make_venv", tmp_path], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr, list(tmp_path.iterdir())) == ("", "", [python.parent])


def test_environment_without_a_python_says_what_to_install(root, tmp_path):
    done = subprocess.run(
        ["/bin/sh", root / ".ci" / "make_venv", tmp_path / "fresh"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no Python 3.11 or later" in done.stderr
    assert not (tmp_path / "fresh").exists()


def test_the_one_check_is_an_executable_script_that_parses(root):
    script = root / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    order = re.findall(r"^make (\S+)", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert order == ["lint", "showcase", "test-all"]
