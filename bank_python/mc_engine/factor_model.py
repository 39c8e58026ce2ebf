r"""The joint factor model: volatilities, correlations, and what the richer models need beside them.

A factor model is *given* (:meth:`FactorModel.given`) or *calibrated* from history (:mod:`bank_python.mc_engine.calibration`). It
speaks of factors by name; a simulation takes of it what the holdings depend on, in their order.

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
from bank_python.errors import SimulationError
from bank_python.numerics import nearest_correlation
from bank_python.numerics.tolerances import ROUNDED_EIGENVALUE, UNIT_DIAGONAL

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Self

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["FactorModel", "JumpTerms", "VarianceTerms"]


@storable("mc.VarianceTerms", version=1)
@admits(SimulationError)
@dataclass(frozen=True, slots=True)
class VarianceTerms:
    """How variances move in Heston's model, for every price alike but for its own level.

    Parameters
    ----------
    kappa : float, default 3.0
        Speed of reversion a year.
    vol_of_vol : float, default 1.5
        Volatility of the variance, as a multiple of the square root of its long-run level a year.
    rho : float, default -0.6
        Correlation of a price with its own variance.
    long_run : mapping of str to float, optional
        Long-run volatility by factor; by default the present one.
    tenor : float, default 0.25
        Years over which an implied volatility averages: it moves with what is expected for them.

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
class JumpTerms:
    """How prices jump in Merton's model, in units of each factor's own annual volatility.

    Parameters
    ----------
    common_intensity : float, default 1.0
        Jumps a year that hit all factors at once, each by its loading on the market.
    common_mean, common_deviation : float, default -0.3, 0.2
        Of the common jump's logarithm; one draw for all.
    own_intensity : float, default 2.0
        Jumps a year of each factor by itself.
    own_deviation : float, default 0.2
        Of their logarithm, whose mean is 0.

    Notes
    -----
    The variance that the jumps bring is taken from the diffusion, so that a factor's volatility is what the factor model says.
    The defaults are assumptions, not estimates.
    """

    common_intensity: float = 1.0
    common_mean: float = -0.3
    common_deviation: float = 0.2
    own_intensity: float = 2.0
    own_deviation: float = 0.2

    def __post_init__(self) -> None:
        rates = (self.common_intensity, self.own_intensity, self.common_deviation, self.own_deviation)
        if not all(0.0 <= rate < np.inf for rate in rates) or not np.isfinite(self.common_mean):
            raise SimulationError(f"{self}: intensities and deviations are finite and at least 0")
        if self.share >= 1.0:
            raise SimulationError(
                f"the jumps bring {self.share:.3g} times the variance that there is; make them rarer or smaller",
                value=self.share,
            )

    @property
    def share(self) -> float:
        """Of a factor's variance that is jumps, where its loading on the market is 1."""
        common = self.common_intensity * (self.common_mean**2 + self.common_deviation**2)
        return common + self.own_intensity * self.own_deviation**2


@storable("mc.FactorLaw", version=1)
@dataclass(frozen=True, slots=True, eq=False)
class FactorModel:
    """How risk factors move together.

    Parameters
    ----------
    names : tuple of str
        The factors.
    relative : tuple of bool
        Whether each moves in proportion to its level (its volatility is of the logarithm) or by shifts (its volatility
        is in its own units), per year.
    vols : ndarray, shape (factors,)
        Annual volatilities.
    correlation : ndarray, shape (factors, factors)
        Of the logarithms, or shifts.
    residuals : ndarray, shape (observations, factors), optional
        Past moves divided by the volatility of their time, for the bootstrap.
    degrees : float, default 5.0
        Of freedom of Student's t, above 2.
    variance : VarianceTerms
        For Heston's model.
    jumps : JumpTerms
        For Merton's.
    source : str, default "given"
        Where it comes from.
    repaired : float, default 0.0
        How far, in the Frobenius norm, the correlations were moved to be a correlation matrix.
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
            raise SimulationError(f"{n} names, {len(self.relative)} kinds, volatilities of shape {self.vols.shape}")
        _check_vols(self.names, self.vols)
        _check_correlation(self.correlation, n)
        if self.residuals is not None and (
            self.residuals.shape[1:] != (n,) or not len(self.residuals) or not np.isfinite(self.residuals).all()
        ):
            raise SimulationError(
                f"residuals of shape {self.residuals.shape} for {n} factors; wants finite days of each"
            )
        if not 2.0 < self.degrees < np.inf:  # noqa: PLR2004 - below, Student's t has no variance
            raise SimulationError(f"degrees={self.degrees!r}: a variance needs more than 2", value=self.degrees)

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
        """Make a factor model of given figures.

        Parameters
        ----------
        vols : mapping of str to float
            Annual volatility by factor, at least 0.
        correlation : array_like, shape (factors, factors), optional
            In the order of `vols`; none by default.
        absolute : collection of str
            The factors that move by shifts: rates, dividend yields.
        repair : bool, default False
            Whether correlations that are not positive semidefinite are moved to the nearest that do; the factor model says by how much.
        variance, jumps, degrees
            See :class:`FactorModel`.

        Raises
        ------
        SimulationError
            A figure is out of range, or the correlations are not positive semidefinite.
        """
        names = tuple(vols)
        unknown = sorted(set(absolute) - set(names))
        if unknown:
            raise SimulationError(
                f"absolute names {unknown[0]!r}, which has no volatility; there are {', '.join(names)}"
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
        return all(_alike(getattr(self, name), getattr(other, name)) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]  # arrays have none

    @admits(SimulationError)
    def covariance(self, factors: Sequence[str], horizon: float) -> FloatArray:
        """Return the covariance of moves of `factors` over `horizon` years, shape (factors, factors).

        Raises
        ------
        SimulationError
            The factor model knows nothing of one of them, or the horizon is negative or not finite.
        """
        if not 0.0 <= horizon < math.inf:
            raise SimulationError(f"horizon={horizon!r} is no number of years of at least 0", value=horizon)
        chosen = self.places(factors)
        deviations = self.vols[chosen] * np.sqrt(horizon)
        return np.asarray(self.correlation[np.ix_(chosen, chosen)] * np.outer(deviations, deviations))

    @admits(SimulationError)
    def places(self, factors: Sequence[str]) -> list[int]:
        """Return where `factors` stand.

        Raises
        ------
        SimulationError
            The factor model knows nothing of one of them.
        """
        at = {name: i for i, name in enumerate(self.names)}
        unknown = [name for name in factors if name not in at]
        if unknown:
            raise SimulationError(
                f"no factor model for {', '.join(unknown[:8])}{' …' if len(unknown) > 8 else ''}: give a FactorModel that has "  # noqa: PLR2004 - how many fit a line
                "them, or calibrate one from a history of them",
                name=unknown[0],
            )
        return [at[name] for name in factors]


def _alike(mine: object, others: object) -> bool:
    if isinstance(mine, np.ndarray) and isinstance(others, np.ndarray):
        return bool(np.array_equal(mine, others))
    return mine == others


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
            f"the correlations belong to no joint factor_model: least eigenvalue {least:.3g}; pass repair=True to take the "
            "nearest that do",
            value=least,
        )
