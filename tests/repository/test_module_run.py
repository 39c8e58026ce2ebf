"""``python -m bank_python`` is the installed command."""

from __future__ import annotations

import subprocess
import sys


def run(*arguments):
    command = [sys.executable, "-m", "bank_python", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_without_a_command_the_commands_are_listed():
    shown = run()
    assert "showcase" in shown.stdout + shown.stderr
    assert "desk" in shown.stdout + shown.stderr
    assert run("--help").returncode == 0


def test_a_command_is_run_and_an_unknown_one_refused():
    listed = run("showcase", "--list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout
    wrong = run("nonsense")
    assert wrong.returncode == 2
    assert "nonsense" in wrong.stderr
    assert "Traceback" not in wrong.stderr
