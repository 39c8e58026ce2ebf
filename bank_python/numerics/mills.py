r"""Mills' ratio of the normal distribution: the tail probability over the density.

.. math:: M(z) = \frac{\Phi(-z)}{\varphi(z)} = \sqrt{\pi/2}\,\operatorname{erfcx}(z/\sqrt2)

It decreases from √(π/2) at 0 like 1/z and never underflows. Prices and implied volatilities far from the money are
computed from it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.numerics.error_function import erfcx_right

if TYPE_CHECKING:
    from bank_python.numerics.columns import FloatArray

__all__ = ["mills_column"]

_SQRT_HALF = math.sqrt(0.5)
_SQRT_HALF_PI = math.sqrt(0.5 * math.pi)


def mills_column(z: FloatArray) -> FloatArray:
    """Return M(z) of a column of z >= 0, shape (n_rows,); infinity gives 0.

    Examples
    --------
    >>> import numpy as np
    >>> mills_column(np.array([0.0, 1.0, 100.0]))
    array([1.25331414, 0.65567954, 0.009999  ])
    """
    return _SQRT_HALF_PI * erfcx_right(z * _SQRT_HALF)
