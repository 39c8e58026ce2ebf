"""What help and completion show: short signatures, public names, nothing of the engine and nothing imported."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import types

import pytest

import bank_python
from bank_python import BarbaraDB, DependencyGraph, Equity, MarketData, Option, Table
from bank_python.dagger import Node

LONGEST = 400
PACKAGES = sorted(module.name for module in pkgutil.iter_modules(bank_python.__path__) if module.ispkg)
PACKAGES_OF_THE_DESK = ["desk.commands", "desk.live", "desk.showcase"]


def package(name):
    return importlib.import_module(f"bank_python.{name}")


def callables(name):
    """Yield the public functions, classes and methods of a package."""
    for key in package(name).__all__:
        thing = getattr(package(name), key)
        if callable(thing):
            yield key, thing
        if isinstance(thing, type):
            for method, _ in inspect.getmembers(thing, callable):
                if not method.startswith("_"):
                    yield f"{key}.{method}", getattr(thing, method)


def signature_of(thing):
    try:
        return str(inspect.signature(thing))
    except (TypeError, ValueError):  # written in C
        return ""


@pytest.mark.parametrize("name", PACKAGES)
def test_signatures_are_short(name):
    assert [(key, len(text)) for key, thing in callables(name) if len(text := signature_of(thing)) > LONGEST] == []


@pytest.mark.parametrize("name", ["", *PACKAGES, *PACKAGES_OF_THE_DESK])
def test_a_package_completes_to_its_public_names(name):
    module = package(name) if name else bank_python
    shown = [key for key in dir(module) if not key.startswith("__")]
    assert set(shown) >= set(module.__all__)
    others = set(shown) - set(module.__all__)
    assert not name or others == set()
    assert all(isinstance(getattr(module, key), types.ModuleType) for key in others)
    assert others <= {*PACKAGES, "errors"}


@pytest.mark.parametrize(
    "thing",
    [
        Option("C", spot_source=1.0, vol_source=0.2, rate_source=0.0, strike=1.0, expiry=1.0),
        Equity("E", spot_source=1.0),
        MarketData("M", 1.0),
        DependencyGraph(),
        BarbaraDB.open(path=":memory:"),
        Table([("a", float)]),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_an_object_completes_to_public_names(thing):
    shown = [key for key in dir(thing) if not key.startswith("__")]
    assert [key for key in shown if key.endswith("_") and key[0] != "_"] == []
    assert shown


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_class_hides_the_engine(name):
    plain = [
        key
        for key, thing in vars(package(name)).items()
        if isinstance(thing, type)
        and key in package(name).__all__
        and thing.__dir__ is object.__dir__
        and any(part.endswith("_") and not part.startswith("_") for part in dir(thing))
    ]
    assert plain == []


def test_every_node_hides_the_engine():
    def below(kind):
        return {kind, *(deeper for child in kind.__subclasses__() for deeper in below(child))}

    assert {kind for kind in below(Node) if kind.__dir__ is not Node.__dir__} == set()
