"""pyproject.toml, constraints.txt and the peers' list say the same thing."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import bank_python

# Never a dependency: peers whose licence forbids it, or that only the benchmarks run beside us.
BENCH_PEERS = frozenset(
    {
        *("csp", "reaktiv", "calyxos", "loman", "financepy", "piqp", "cvxcla", "vectorbt", "vectorbt-rust"),
        *("py_lets_be_rational", "numba", "quadprog", "vollib", "backtrader", "backtesting"),
        *(
            "quantstats",
            "empyrical-reloaded",
            "powerlaw",
            "igraph",
            "tailestim",
            "pyextremes",
            "openturns",
            "lmoments3",
        ),
    }
)
# Oracles of the tests, and extras; the benchmarks run beside them too.
ORACLES = frozenset(
    {
        *("QuantLib", "PyPortfolioOpt", "riskfolio-lib", "skfolio", "cvxpy", "clarabel", "highspy", "scipy"),
        *("statsmodels", "arch"),
    }
)
RUN_BESIDE_ONLY = frozenset(
    {
        *("financepy", "backtesting", "backtrader", "vectorbt", "vectorbt-rust", "quadprog", "igraph"),
        *("openturns", "lmoments3"),
    }
)


@pytest.fixture(scope="module")
def pyproject(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def extras(pyproject):
    return {
        name: [Requirement(line) for line in lines]
        for name, lines in pyproject["project"]["optional-dependencies"].items()
    }


@pytest.fixture(scope="module")
def requirements(pyproject, extras):
    core = [Requirement(line) for line in pyproject["project"]["dependencies"]]
    return core + [need for needs in extras.values() for need in needs if need.name != "bank-python"]


@pytest.fixture(scope="module")
def pins(root):
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def version_of(pin):
    (specifier,) = pin.specifier
    return specifier.version


def test_core_needs_three_packages(pyproject):
    assert {Requirement(line).name for line in pyproject["project"]["dependencies"]} == {"numpy", "rich", "typer"}


def test_dependency_group_is_the_test_extra(pyproject):
    assert pyproject["dependency-groups"] == {"dev": ["bank-python[test]"]}


def test_all_covers_every_extra_of_use(extras):
    (everything,) = extras["all"]
    assert everything.name == "bank-python"
    assert everything.extras == set(extras) - {"all", "test", "riskfolio"}  # which brings a Commons Clause


def test_test_extra_brings_the_runner_and_the_oracles(extras):
    assert {need.name for need in extras["test"]} >= {
        *("pytest", "pytest-xdist", "hypothesis", "scipy", "cvxpy", "duckdb", "QuantLib")
    }


def test_version_is_one(pyproject):
    assert pyproject["project"]["version"] == bank_python.__version__


def test_every_requirement_has_a_pin_that_satisfies_it(requirements, pins):
    versions = {canonicalize_name(pin.name): version_of(pin) for pin in pins}
    unmet = [
        str(need)
        for need in requirements
        if not need.specifier.contains(versions.get(canonicalize_name(need.name), "0"))
    ]
    assert unmet == []


def test_constraints_are_bare_names_and_versions(root):
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    bare = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; python_full_version (<|>=) '[0-9.]+')?")
    assert [line for line in lines if not line.startswith("#") and not bare.fullmatch(line)] == []


def test_two_pins_of_one_name_have_markers(pins):
    names = [pin.name for pin in pins]
    assert [pin.name for pin in pins if names.count(pin.name) > 1 and pin.marker is None] == []
    assert [pin.name for pin in pins if names.count(pin.name) == 1 and pin.marker is not None] == []


def test_peers_are_no_requirement_of_ours(requirements):
    assert {canonicalize_name(need.name) for need in requirements} & BENCH_PEERS == set()


def test_peers_are_pinned_and_the_restricted_ones_stand_apart(root):
    text = (root / "benchmarks" / "requirements.txt").read_text(encoding="utf-8")
    permissive, beside = text.split("# Run beside only:")
    found = [{line.split("==")[0] for line in part.splitlines() if "==" in line} for part in (permissive, beside)]
    assert found == [set(BENCH_PEERS - RUN_BESIDE_ONLY | ORACLES), set(RUN_BESIDE_ONLY)]


def test_library_and_tests_import_no_restricted_peer(tracked_files, root):
    importing = re.compile(rf"^\s*(?:import|from)\s+(?:{'|'.join(sorted(RUN_BESIDE_ONLY))})\b", re.MULTILINE)
    sources = [path for path in tracked_files if path.suffix == ".py" and (root / "benchmarks") not in path.parents]
    assert [str(path) for path in sources if importing.search(path.read_text(encoding="utf-8"))] == []
