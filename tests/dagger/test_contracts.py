"""Contract classes: binding by name when a class is defined, and the errors raised then."""

# ruff: noqa: ARG005 - the signatures are tested
from __future__ import annotations

import functools

import numpy as np
import pytest

from bank_python.dagger import ArrayNode, DependencyGraph, Flag, Leaf, Source, Term
from bank_python.errors import GraphError


class Forward(ArrayNode):
    """A source less a term."""

    spot = Source("price of the underlying")
    strike = Term("delivery price", positive=True)

    def __init__(self, name, spot, strike):
        super().__init__(name, {"spot": spot}, {"strike": strike})

    @staticmethod
    def price(spot, strike):
        return spot - strike


def defined(price, base=Forward, **declared):
    """Return a class with that price, or raise the error of its definition."""
    return type("Made", (base,), {"price": price, **declared})


class Callable:
    def __call__(self, strike, spot):
        return spot - strike


def swapped(strike, spot):
    return spot - strike


def with_more(strike, factor, spot):
    return factor * (spot - strike)


# --- binding --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "price",
    [
        staticmethod(swapped),
        swapped,
        lambda strike, spot: spot - strike,
        classmethod(lambda cls, strike, spot: spot - strike),
        functools.partial(with_more, factor=1.0),
        staticmethod(functools.partial(with_more, factor=1.0)),
        Callable(),
        lambda *, strike, spot: spot - strike,
        lambda spot, *, strike: spot - strike,
        lambda strike, spot, /: spot - strike,
        lambda strike, spot, power=1: (spot - strike) ** power,
        lambda strike, power=1, spot=None: (spot - strike) ** power,
        lambda strike=3.0, spot=4.0: spot - strike,
    ],
)
def test_arguments_are_bound_by_name(price):
    kind = defined(price)
    alone, graph = kind("N", 120.0, 100.0), DependencyGraph()
    assert alone.value == 20.0  # by position it would be −20
    leaf = graph.register(Leaf("L", 120.0))
    node = graph.register(kind("N", leaf, 100.0))
    assert node.value == 20.0
    leaf.set(130.0)
    assert node.value == 30.0
    assert graph.ladder(node, leaf, [-40.0, 10.0]).values.tolist() == [-10.0, 40.0]
    assert kind.call_price(np.array([[1.0, 2.0], [3.0, 5.0]])).tolist() == [-2.0, -3.0]


def test_rows_stand_in_the_order_of_declaration_bases_first():
    class More(Forward):
        size = Term("units")
        rate = Source("a rate")

        @staticmethod
        def price(size, rate, strike, spot):
            return size * (spot - strike) + rate

    assert More.argument_names == ("spot", "rate", "strike", "size")
    assert More.call_price(np.array([[10.0], [0.5], [4.0], [2.0]])).tolist() == [12.5]


def test_what_the_price_does_not_need_is_said():
    class Sold(Forward):
        margin = Source("cash beside the value", priced=False)
        cost = Term("what was paid", priced=False)

    assert Sold.argument_names == ("spot", "margin", "strike", "cost")
    assert Sold.call_price(np.array([[10.0], [np.nan], [4.0], [np.nan]])).tolist() == [6.0]


def test_a_class_may_have_no_price_yet():
    class Sketch(ArrayNode):
        spot = Source("a price")

    node = Sketch("S", {"spot": 1.0}, {})
    with pytest.raises(GraphError, match="Sketch has no price function, and so no value; define price in a subclass"):
        _ = node.value


def test_one_value_for_all_is_spread_out():
    kind = defined(lambda spot, strike: 7)
    assert kind.call_price(np.zeros((2, 3))).tolist() == [7.0, 7.0, 7.0]
    assert kind.call_price(np.zeros((2, 3))).dtype == np.float64
    single = defined(lambda spot, strike: spot - strike)
    assert single.call_price(np.zeros((2, 3), dtype=np.float32)).dtype == np.float32


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "message"),
    [
        (
            lambda spot, strik: spot,
            (
                r"Made.price\(spot, strik\) does not match the class, which declares the sources spot and the terms "
                r"strike: strik is not declared; strike is not taken\. Name the arguments as declared"
            ),
        ),
        (lambda spot: spot, "strike is not taken"),
        (lambda spot, strike, extra: spot, "extra is not declared"),
        (lambda self, spot, strike: spot, "self is not declared; make it a static method"),
        (
            lambda *arguments: arguments[0],
            r"takes \*arguments, which cannot be bound by name; name its arguments: spot",
        ),
        (lambda spot, **rest: spot, r"takes \*\*rest, which cannot be bound by name"),
        (lambda spot, power=1, /, strike=0, *, extra: spot, "extra is not declared"),
        (lambda power=1, spot=0, /, strike=0: spot, "Made.price: spot is positional-only; put it before power"),
        (np.subtract, "has no readable signature|does not match the class"),
        (3.0, r"Made.price is 3.0, not a function of sources and terms"),
    ],
)
def test_a_price_that_does_not_match_is_refused_when_the_class_is_defined(price, message):
    with pytest.raises(GraphError, match=message):
        defined(price)


def test_an_inherited_price_has_to_match_too():
    with pytest.raises(
        GraphError, match=r"Made.price\(spot, strike\) does not match .* terms strike, size: size is not taken"
    ):
        type("Made", (Forward,), {"size": Term("units")})


def test_closed_forms_are_bound_as_well():
    with pytest.raises(GraphError, match=r"Made.price_and_greeks\(spot, strik\) does not match"):
        defined(swapped, price_and_greeks=staticmethod(lambda spot, strik: None))
    kind = defined(swapped, price_and_greeks=staticmethod(lambda strike, spot: ("spot", spot, "strike", strike)))
    assert kind.bindings["price_and_greeks"](np.array([[1.0], [2.0]])) == ("spot", 1.0, "strike", 2.0)
    derived = type("Derived", (kind,), {"price": staticmethod(lambda spot, strike: 2.0 * spot - strike)})
    assert "price_and_greeks" not in derived.bindings  # they belong to another price


@pytest.mark.parametrize(
    "name", ["value", "graph", "error", "amend", "terms", "dependents", "underliers", "name", "layout"]
)
def test_a_name_that_a_node_has_is_refused(name):
    for item in (Term("x"), Source("x")):
        with pytest.raises(GraphError, match=rf"Made declares {name} as (source|term), but {name} is attribute of"):
            type("Made", (ArrayNode,), {name: item})
    for hidden in ("_state", "price"):
        with pytest.raises(GraphError, match=f"Made cannot declare {hidden}: choose another name"):
            type("Made", (ArrayNode,), {hidden: Term("x")})


def test_a_name_means_one_thing():
    with pytest.raises(GraphError, match="Made declares strike as source, but strike is term of Forward"):
        type("Made", (Forward,), {"strike": Source("x")})
    with pytest.raises(GraphError, match=r"Made.strike hides the term strike of Forward; choose another name"):
        type("Made", (Forward,), {"strike": lambda self: 1.0})
    with pytest.raises(GraphError, match="Twice declares strike twice: as term, then as source; rename one"):

        class Twice(ArrayNode):
            strike = Term("x")
            strike = Source("x")  # noqa: PIE794 - the error under test

    with pytest.raises(GraphError, match="Method declares strike twice: as term, then as attribute; rename one"):

        class Method(ArrayNode):
            strike = Term("x")

            def strike(self):  # noqa: F811 - as above
                return 1.0


def test_a_term_may_be_declared_anew_in_its_place():
    class Named(Forward):
        strike = Term("agreed price", positive=True, default=1.0)

    assert Named.argument_names == ("spot", "strike")
    assert Named.strike.__doc__ == "agreed price"


def test_a_class_may_be_defined_again():
    made = [defined(lambda strike, spot: spot - strike) for _ in range(2)]
    assert [kind("N", 3.0, 1.0).value for kind in made] == [2.0, 2.0]


# --- a price assigned later -----------------------------------------------------------------------


def test_a_price_that_is_put_in_later_is_bound_and_so_are_classes_below():
    kind = defined(lambda spot, strike: spot - strike)
    below = type("Below", (kind,), {})
    kind.price = staticmethod(lambda strike, spot: 10.0 * (spot - strike))
    assert [item("N", 3.0, 1.0).value for item in (kind, below)] == [20.0, 20.0]
    with pytest.raises(GraphError, match="strik is not declared"):
        kind.price = lambda spot, strik: spot
    assert [item("N", 3.0, 1.0).value for item in (kind, below)] == [20.0, 20.0]


# --- domains of terms -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "good", "bad", "message"),
    [
        (Term("x", positive=True), [1e-300, 5, np.float64(2)], [0.0, -1.0], "must be above zero"),
        (Term("x", at_least=0.0), [0.0, 3], [-5e-324, -1], "is not a finite number of at least 0"),
        (Term("x", at_least=0.0, below=1.0), [0.0, 0.999], [1.0, 2], "of at least 0 and below 1"),
        (Term("x", above=1.0), [1.0000001], [1.0], "is not a finite number above 1"),
        (Term("x", among=(1, 2, 4)), [1, 2.0, np.int64(4)], [3, 0, 2.5], "is not one of 1, 2, 4"),
        (Term("x", whole=True, at_least=3, at_most=9), [3, 9.0], [2, 10, 3.5], "is not a whole number"),
        (Flag("x"), [True, False, np.bool_(True), 0, 1.0], [2, 0.5, -1], "is neither true nor false"),
        (Term("x", positive=True, says="is no price"), [1.0], [0.0], "N: strike=0.0 is no price"),
    ],
)
def test_terms_keep_to_their_domain(term, good, bad, message):
    kind = type("Made", (ArrayNode,), {"strike": term, "price": staticmethod(lambda strike: strike)})
    node = kind("N", {}, {"strike": 1.0})
    for value in good:
        assert term.take("N", value, {}) == float(value)
        node.amend(strike=value)
        assert node.value == float(value)
        assert type(node.strike) is float
    kept = node.strike
    for value in [*bad, float("nan"), float("inf"), "x", None]:
        with pytest.raises(GraphError):
            term.take("N", value, {})
        with pytest.raises(GraphError):
            node.amend(strike=value)
    with pytest.raises(GraphError, match=message):
        node.amend(strike=bad[0])
    assert node.strike == kept
