"""Names of the numerics that changed: the old ones work for one version, with a warning."""

import pytest

from bank_python import numerics
from bank_python.numerics import Extrapolation, Linear, PenaltySolution, find_edge, solve_penalties


@pytest.mark.parametrize(
    ("old", "new"),
    [("Beyond", Extrapolation), ("HingeSolution", PenaltySolution), ("solve_hinges", solve_penalties)],
)
def test_old_names_of_the_package_are_the_new_objects(old, new):
    with pytest.warns(DeprecationWarning, match=rf"numerics\.{old} is now called"):
        assert getattr(numerics, old) is new


def test_penalty_weights_are_taken_as_price_too():
    rows = {"E": [[1.0]], "f": [0.0]}
    with pytest.warns(DeprecationWarning, match="penalty="):
        old = solve_penalties([[1.0]], [-2.0], **rows, price=[0.5])
    assert old.x == solve_penalties([[1.0]], [-2.0], **rows, penalty=[0.5]).x == pytest.approx(1.5)


def test_extrapolation_is_taken_and_read_as_beyond_too():
    with pytest.warns(DeprecationWarning, match="extrapolation="):
        line = Linear([0.0, 1.0], [0.0, 2.0], beyond="line")
    assert line(2.0) == 4.0
    with pytest.warns(DeprecationWarning, match=r"Linear\.beyond is now called extrapolation"):
        assert line.beyond is Extrapolation.LINE


def test_edges_are_found_with_the_old_names_of_the_arguments():
    with pytest.warns(DeprecationWarning, match="find_edge") as warned:
        old = find_edge(holds=lambda x: x > 1.0, without=0.0, within=2.0)
    assert len(warned) == 3
    assert old == find_edge(lambda x: x > 1.0, fails_at=0.0, holds_at=2.0)
