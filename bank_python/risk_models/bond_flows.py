"""The flows of a bond and their times, from which price, yield and sensitivities are computed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics.columns import all_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["BondFlows", "Moments", "flow_times"]

# A flow due within this share of a coupon period counts as due now, and so as paid: times are differences of floats,
# and a paid coupon must not be valued again because 0.3 − 0.1 is not 0.2.
_PAID = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sums of a bond's present values pv, weighted by powers of time t in coupon periods: Σ pv, Σ t pv, Σ t² pv."""

    value: FloatArray
    first: FloatArray
    second: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class BondFlows:
    """The future flows of fixed-coupon bullet bonds, one bond per row; every array has the shape (n_rows,).

    Attributes
    ----------
    face, coupon : ndarray
        Face amount repaid at maturity and coupon paid each period, in currency units.
    count : ndarray
        Number of future flows; 0 or less from maturity on.
    first, last : ndarray
        Time to the first and to the last flow, in coupon periods.
    frequency : ndarray
        Number of coupons per year.
    valid : ndarray of bool
        Mask of the rows with valid terms.
    """

    face: FloatArray
    coupon: FloatArray
    count: FloatArray
    first: FloatArray
    last: FloatArray
    frequency: FloatArray
    valid: NDArray[np.bool_]

    @classmethod
    def of(
        cls, face: FloatArray, coupon_rate: FloatArray, maturity: FloatArray, elapsed: FloatArray, frequency: FloatArray
    ) -> BondFlows:
        """Return the flows of bonds with these terms; the caller suppresses numpy's warnings."""
        valid = all_finite([face, coupon_rate, maturity, elapsed, frequency]) & (maturity >= 0.0) & (frequency > 0.0)
        ahead = (maturity - elapsed) * frequency
        count = np.minimum(np.ceil(ahead - _PAID), np.ceil(maturity * frequency - _PAID))
        return cls(face, coupon_rate / frequency * face, count, ahead - (count - 1.0), ahead, frequency, valid)

    def moments(self, discount: FloatArray) -> Moments:
        """Return the moments under a discount factor of exp(−discount) per period, summed flow by flow.

        Notes
        -----
        The closed forms of the higher moments cancel at low yields; the sum does not, and adds 0 to rows without
        further flows.
        """
        value, first, second = (np.zeros_like(self.coupon) for _ in range(3))
        count = np.where(self.valid, self.count, 0.0)
        for k in range(int(count.max(initial=0.0))):
            time = self.first + k
            amount = np.where(k < count, self.coupon + np.where(k == count - 1.0, self.face, 0.0), 0.0)
            present = amount * np.exp(-(discount * time))
            value += present
            first += present * time
            second += present * time * time
        return Moments(value, first, second)


def flow_times(maturity: float, elapsed: float, frequency: float) -> FloatArray:
    """Return the years to each future flow of one bond, in ascending order; empty from maturity on.

    Raises
    ------
    ModelError
        A value is not finite, the maturity is negative, or the frequency is not above 0.
    """
    if not (0.0 <= maturity < math.inf and math.isfinite(elapsed) and 0.0 < frequency < math.inf):
        raise ModelError(
            f"maturity={maturity!r}, elapsed={elapsed!r}, frequency={frequency!r}: all must be finite, maturity at "
            "least 0 and frequency above 0"
        )
    arrays = [np.array([value]) for value in (1.0, 0.0, maturity, elapsed, frequency)]
    flows = BondFlows.of(*arrays)
    count = int(max(flows.count[0], 0.0)) if flows.valid[0] else 0
    return np.asarray((flows.first[0] + np.arange(count)) / frequency)
