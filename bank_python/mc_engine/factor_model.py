r"""Factor model of the market: volatilities, correlations, and parameters of stochastic variance and jumps.

A factor model is built from given figures (:meth:`FactorModel.given`) or calibrated from history
(:mod:`bank_python.mc_engine.calibration`). Factors are identified by name; a simulation selects those that the holdings
depend on, in the order of the valuation plan.

Examples
--------
>>> factor_model = FactorModel.given({"AAPL_SPOT": 0.27, "SOFR": 0.006}, [[1.0, -0.2], [-0.2, 1.0]], absolute={"SOFR"})
>>> factor_model.names, factor_model.relative
(('AAPL_SPOT', 'SOFR'), (True, False))
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import storable
from bank_python.display import Displayed, Record
from bank_python.errors import SimulationError
from bank_python.guessing import guessable
from bank_python.numerics import nearest_correlation
from bank_python.numerics.tolerances import ROUNDED_EIGENVALUE, UNIT_DIAGONAL

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Self

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["FactorModel", "JumpTerms", "VarianceTerms"]

_MOST_NAMED = 8  # as many names as fit on one line of a message


@storable("mc.VarianceTerms", version=1)
@admits(SimulationError)
@dataclass(frozen=True, slots=True)
class VarianceTerms(Record):
    """Parameters of the variances in Heston's model, common to all prices except for the long-run level.

    Parameters
    ----------
    kappa : float, default 3.0
        Speed of mean reversion of the variance per year, above 0.
    vol_of_vol : float, default 1.5
        Annual volatility of the variance as a multiple of the square root of its long-run level, at least 0.
    rho : float, default -0.6
        Correlation of a price with its own variance, in [-1, 1].
    long_run : mapping of str to float, optional
        Long-run annual volatility by factor name, as a decimal; by default a factor's current volatility.
    tenor : float, default 0.25
        Tenor of implied volatilities in years, above 0: they move with the variance expected over it.

    Notes
    -----
    The defaults are assumptions about equities, not estimates. The relative `vol_of_vol` is scaled by each price's own
    variance: sigma = vol_of_vol · sqrt(theta).
    """

    kappa: float = 3.0
    vol_of_vol: float = 1.5
    rho: float = -0.6
    long_run: Mapping[str, float] = field(default_factory=dict)
    tenor: float = 0.25

    def __post_init__(self) -> None:
        sizes = (self.kappa, self.tenor, *self.long_run.values())
        if not all(0.0 < size < np.inf for size in sizes if size != 0.0) or not (
            self.kappa > 0.0 and 0.0 <= self.vol_of_vol < np.inf and -1.0 <= self.rho <= 1.0 and self.tenor > 0.0
        ):
            raise SimulationError(
                f"kappa={self.kappa!r}, vol_of_vol={self.vol_of_vol!r}, rho={self.rho!r}, tenor={self.tenor!r}: kappa "
                "and tenor must be above 0, vol_of_vol and long-run vols at least 0, rho a correlation, all finite"
            )


@storable("mc.JumpTerms", version=1)
@admits(SimulationError)
@dataclass(frozen=True, slots=True)
class JumpTerms(Record):
    """Parameters of the jumps in Merton's model, with sizes in units of each factor's own annual volatility.

    Parameters
    ----------
    common_intensity : float, default 1.0
        Expected number per year of jumps common to all factors, at least 0; each factor jumps by its loading on the
        market.
    common_mean, common_deviation : float, default -0.3, 0.2
        Mean and standard deviation of the logarithmic size of a common jump, which is one draw for all factors.
    own_intensity : float, default 2.0
        Expected number per year of each factor's idiosyncratic jumps, at least 0.
    own_deviation : float, default 0.2
        Standard deviation of the logarithmic size of an idiosyncratic jump, whose mean is 0.

    Notes
    -----
    The variance of the jumps is subtracted from that of the diffusion, so that a factor's total volatility is that of
    the factor model. The defaults are assumptions, not estimates.
    """

    common_intensity: float = 1.0
    common_mean: float = -0.3
    common_deviation: float = 0.2
    own_intensity: float = 2.0
    own_deviation: float = 0.2

    def __post_init__(self) -> None:
        rates = (self.common_intensity, self.own_intensity, self.common_deviation, self.own_deviation)
        if not all(0.0 <= rate < np.inf for rate in rates) or not np.isfinite(self.common_mean):
            raise SimulationError(f"{self}: intensities and deviations must be finite and at least 0")
        if self.share >= 1.0:
            raise SimulationError(
                f"the jumps have {self.share:.3g} times the factor's variance; make them rarer or smaller",
                value=self.share,
            )

    @property
    def share(self) -> float:
        """Share of jumps in the variance of a factor whose loading on the market is 1."""
        common = self.common_intensity * (self.common_mean**2 + self.common_deviation**2)
        return common + self.own_intensity * self.own_deviation**2


@guessable
@storable("mc.FactorLaw", version=1)
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FactorModel(Displayed):
    """Joint model of the moves of risk factors.

    Parameters
    ----------
    names : tuple of str
        Factor names, without duplicates.
    relative : tuple of bool
        Whether each factor moves in proportion to its level (its volatility is that of the logarithm) or by shifts (its
        volatility is in its own units).
    vols : ndarray, shape (factors,)
        Annual volatilities, finite and at least 0.
    correlation : ndarray, shape (factors, factors)
        Correlation matrix of the logarithmic moves, or shifts; positive semidefinite.
    residuals : ndarray, shape (observations, factors), optional
        Past daily moves divided by their volatility at the time, from which the bootstrap draws.
    degrees : float, default 5.0
        Degrees of freedom of Student's t, above 2.
    variance : VarianceTerms
        Parameters of the variances in Heston's model.
    jumps : JumpTerms
        Parameters of the jumps in Merton's model.
    source : str, default "given"
        Origin of the model in words, such as ``"499 days, ewma 0.97"``.
    repaired : float, default 0.0
        Distance, in the Frobenius norm, from the estimated or given correlations to the correlation matrix in use; 0 if
        no repair was needed.
    """

    names: tuple[str, ...]
    relative: tuple[bool, ...]
    vols: FloatArray
    correlation: FloatArray
    residuals: FloatArray | None = None
    degrees: float = 5.0
    variance: VarianceTerms = field(default_factory=VarianceTerms)
    jumps: JumpTerms = field(default_factory=JumpTerms)
    source: str = "given"
    repaired: float = 0.0

    def __post_init__(self) -> None:
        n = len(self.names)
        if len(set(self.names)) != n or len(self.relative) != n or self.vols.shape != (n,):
            raise SimulationError(
                f"a factor model with {n} names ({len(set(self.names))} different), {len(self.relative)} flags in "
                f"relative and volatilities of shape {self.vols.shape}; give one of each for every factor"
            )
        _check_vols(self.names, self.vols)
        _check_correlation(self.correlation, n)
        if self.residuals is not None and (
            self.residuals.shape[1:] != (n,) or not len(self.residuals) or not np.isfinite(self.residuals).all()
        ):
            raise SimulationError(
                f"residuals of shape {self.residuals.shape} for {n} factors; they must be finite, one column per factor"
            )
        if not 2.0 < self.degrees < np.inf:  # noqa: PLR2004 - below, Student's t has no variance
            raise SimulationError(f"degrees={self.degrees!r}: a finite variance needs more than 2", value=self.degrees)

    @classmethod
    @admits(SimulationError)
    def given(
        cls,
        vols: Mapping[str, float],
        correlation: ArrayLike | None = None,
        *,
        absolute: Collection[str] = (),
        repair: bool = False,
        variance: VarianceTerms | None = None,
        jumps: JumpTerms | None = None,
        degrees: float = 5.0,
    ) -> Self:
        """Build a factor model from given volatilities and correlations.

        Parameters
        ----------
        vols : mapping of str to float
            Annual volatility by factor name, at least 0.
        correlation : array_like, shape (factors, factors), optional
            Correlation matrix in the order of `vols`; by default the identity.
        absolute : collection of str
            Names of the factors that move by shifts, such as rates and dividend yields.
        repair : bool, default False
            Whether correlations that are not positive semidefinite are replaced by the nearest correlation matrix; the
            distance is then in :attr:`repaired`.
        variance, jumps, degrees
            Parameters of Heston's, Merton's and Student's models; see :class:`FactorModel`.

        Raises
        ------
        SimulationError
            A figure is out of range, or the correlations are not positive semidefinite.
        """
        names = tuple(vols)
        unknown = sorted(set(absolute) - set(names))
        if unknown:
            raise SimulationError(
                f"absolute= names {unknown[0]!r}, which has no volatility; there are {', '.join(names)}"
            )
        given = np.eye(len(names)) if correlation is None else np.array(correlation, dtype=np.float64)
        matrix, moved = given, 0.0
        if repair and given.shape == (len(names), len(names)) and np.isfinite(given).all():
            matrix = nearest_correlation(given) if np.linalg.eigvalsh(given)[0] < -ROUNDED_EIGENVALUE else given
            moved = float(np.linalg.norm(matrix - given))
        return cls(
            names,
            tuple(name not in absolute for name in names),
            np.array(list(vols.values()), dtype=np.float64),
            matrix,
            degrees=degrees,
            variance=variance or VarianceTerms(),
            jumps=jumps or JumpTerms(),
            repaired=moved,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FactorModel):
            return NotImplemented
        return all(_equal(getattr(self, name), getattr(other, name)) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # arrays are not hashable

    @admits(SimulationError)
    def covariance(self, factors: Sequence[str], horizon: float) -> FloatArray:
        """Return the covariance of moves of `factors` over `horizon` years, shape (factors, factors).

        Raises
        ------
        SimulationError
            The model lacks one of the factors, or the horizon is negative or not finite.
        """
        if not 0.0 <= horizon < math.inf:
            raise SimulationError(f"horizon={horizon!r} is not a finite number of years of at least 0", value=horizon)
        chosen = self.places(factors)
        deviations = self.vols[chosen] * np.sqrt(horizon)
        return np.asarray(self.correlation[np.ix_(chosen, chosen)] * np.outer(deviations, deviations))

    @admits(SimulationError)
    def places(self, factors: Sequence[str]) -> list[int]:
        """Return the indices of `factors` in `names`.

        Raises
        ------
        SimulationError
            The model lacks one of the factors.
        """
        at = {name: i for i, name in enumerate(self.names)}
        unknown = [name for name in factors if name not in at]
        if unknown:
            some = ", ".join(unknown[:_MOST_NAMED]) + (" …" if len(unknown) > _MOST_NAMED else "")
            raise SimulationError(
                f"no factor model for {some}: give a FactorModel that has them, or calibrate one from their history",
                name=unknown[0],
            )
        return [at[name] for name in factors]

    def __rich__(self) -> object:
        from bank_python.render_objects import factor_model_view

        return factor_model_view(self)


def _equal(mine: object, other: object) -> bool:
    if isinstance(mine, np.ndarray) and isinstance(other, np.ndarray):
        return bool(np.array_equal(mine, other))
    return mine == other


def _check_vols(names: Sequence[str], vols: FloatArray) -> None:
    for name, vol in zip(names, vols.tolist(), strict=True):
        if not 0.0 <= vol < np.inf:
            raise SimulationError(f"{name}: volatility {vol!r} is not a finite number of at least 0", name=name)


def _check_correlation(correlation: FloatArray, n: int) -> None:
    if correlation.shape != (n, n):
        raise SimulationError(f"correlations of shape {correlation.shape} for {n} factors", value=correlation.shape)
    if not np.isfinite(correlation).all() or np.abs(np.diag(correlation) - 1.0).max(initial=0.0) > UNIT_DIAGONAL:
        raise SimulationError("a correlation is not finite, or the diagonal is not 1; correct the matrix")
    if np.abs(correlation - correlation.T).max(initial=0.0) > UNIT_DIAGONAL:
        raise SimulationError("the correlation matrix is not symmetric; correct it")
    least = float(np.linalg.eigvalsh(correlation)[0]) if n else 0.0
    if least < -ROUNDED_EIGENVALUE * max(n, 1):
        raise SimulationError(
            f"the correlation matrix is not positive semidefinite: least eigenvalue {least:.3g}; pass repair=True to "
            "take the nearest correlation matrix",
            value=least,
        )
