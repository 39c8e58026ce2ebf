"""`import bank_python` loads numpy and itself; no public name brings a screen or an optional package."""

from __future__ import annotations

import json
import os
import subprocess
import sys

# What only a screen, a feed's own client, an extra or a test may load.
LOADED_ON_FIRST_USE = frozenset(
    {
        "rich",
        "typer",
        "click",
        "yfinance",
        "ccxt",
        "curl_cffi",
        "requests",
        "aiohttp",
        "pandas",
        "pyarrow",
        "skfolio",
        "arch",
        "matplotlib",
        "nicegui",
        "fastapi",
        "uvicorn",
        "starlette",
        "pypfopt",
        "riskfolio",
        "QuantLib",
        "dask",
        "distributed",
        "scipy",
        "cvxpy",
        "duckdb",
        "hypothesis",
        "pytest",
    }
)
# Of these, the packages that every installation has.
CORE = frozenset({"rich", "typer", "click"})

NEWLY_LOADED = """
import json, sys
import numpy
before = set(sys.modules)
{statements}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def modules_loaded_by(statements, root):
    program = NEWLY_LOADED.format(statements=statements)
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_import_loads_only_itself_over_numpy(root):
    assert modules_loaded_by("import bank_python", root) == {"__future__", "bank_python"}


def test_import_does_load_numpy(root):
    program = "import bank_python, sys; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_an_engine_does_not_load_the_others(root):
    loaded = modules_loaded_by("from bank_python import Table", root)
    ours = {module.split(".")[1] for module in loaded if module.startswith("bank_python.")}
    assert ours == {"completion", "display", "errors", "guessing", "jsonable", "mntable", "wording"}


def test_no_public_name_loads_a_screen_or_an_optional_package(root):
    loaded = modules_loaded_by("import bank_python\nfor n in bank_python.__all__: getattr(bank_python, n)", root)
    assert "bank_python.instruments" in loaded
    assert {module.split(".")[0] for module in loaded} & LOADED_ON_FIRST_USE == set()


def test_the_showcase_runs_with_the_core_packages_alone(root, tmp_path):
    program = f"""
import runpy, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(LOADED_ON_FIRST_USE - CORE)!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())
sys.argv = ["showcase.py", "--plain"]
runpy.run_path("showcase.py", run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=root,
        env={**os.environ, "BANK_PYTHON_HOME": str(tmp_path), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Elena" in done.stdout
