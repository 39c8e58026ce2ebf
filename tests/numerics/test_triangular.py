"""Systems solved by their Cholesky factor, against numpy's general solver."""

import numpy as np
import pytest

from bank_python.numerics.triangular import cholesky_solve


@pytest.mark.parametrize("n", [1, 63, 64, 65, 200])
@pytest.mark.parametrize("columns", [1, 3])
def test_it_solves_what_a_general_solver_solves(n, columns):
    rng = np.random.default_rng(n)
    rows = rng.standard_normal((n, 2 * n))
    matrix, right = rows @ rows.T / n, rng.standard_normal((n, columns))
    kept = right.copy()
    solved = cholesky_solve(np.linalg.cholesky(matrix), right)
    assert solved == pytest.approx(np.linalg.solve(matrix, right), rel=1e-10, abs=1e-12)
    assert right.tolist() == kept.tolist()


def test_nothing_is_solved_by_nothing():
    assert cholesky_solve(np.zeros((0, 0)), np.zeros((0, 2))).shape == (0, 2)
