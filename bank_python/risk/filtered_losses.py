"""Losses rescaled from the volatility of their own time to the present one: filtered historical simulation.

References
----------
G. Barone-Adesi, K. Giannopoulos and L. Vosper, "VaR without correlations for portfolios of derivative securities",
Journal of Futures Markets 19 (1999), 583-602.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError
from bank_python.risk_models.ewma import ewma_variance
from bank_python.risk_models.garch import fit_garch
from bank_python.risk_models.garch_fit import GarchFit, GarchModel
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["filtered_losses"]

_CONSTANT = 1e-12  # standard deviation relative to the largest loss, up to which a sample is constant
_EWMA = "ewma"


def filtered_losses(losses: FloatArray, decay: float, vol_model: str | GarchFit) -> FloatArray:
    """Return losses with the volatility that is forecast for the next one.

    Parameters
    ----------
    losses : ndarray, shape (n_obs,)
        Losses in order of time, positive for a loss.
    decay : float
        Decay factor of the EWMA variance, in (0, 1).
    vol_model : {"ewma", "garch", "gjr", "egarch"} or GarchFit
        Volatility model: EWMA, one that is fitted to the P&L (minus the losses), or one fitted to it before.

    Raises
    ------
    ModelError
        The losses are constant, the model is unknown, has not converged, or was fitted to another P&L.
    """
    if vol_model == _EWMA:
        return _by_ewma(losses, decay)
    fit = vol_model if isinstance(vol_model, GarchFit) else _fitted(-losses, vol_model)
    if fit.observations != len(losses) or not np.allclose(fit.returns, -losses):
        raise ModelError(
            f"the model was fitted to {fit.observations:,} returns that are not this P&L of {len(losses):,}; fit it to "
            "the same P&L, in the same unit",
            value=fit.observations,
        )
    if not fit.converged:
        notes = "; ".join(fit.notes)
        raise ModelError(f'the {fit.title} of the P&L is not usable ({notes}); use vol_model="ewma"', value=fit.model)
    following = np.sqrt(fit.forecast(1)[0])
    return -np.asarray(fit.params.get("mu", 0.0) + fit.standardised_residuals * following)


def _fitted(pnl: FloatArray, model: str) -> GarchFit:
    known = [_EWMA, *(kind.value for kind in GarchModel)]
    if model not in known:
        advice = did_you_mean(model, known, f"choose one of {', '.join(known)}, or give a fit")
        raise ModelError(f"no volatility model {model!r}; {advice}", name="vol_model", value=model)
    return fit_garch(pnl, model)


def _by_ewma(losses: FloatArray, decay: float) -> FloatArray:
    before = float(losses.var())
    if not before > (_CONSTANT * float(np.abs(losses).max())) ** 2:
        raise ModelError("the P&L is constant and has no volatility to filter by; use another method", value=0.0)
    vol = np.sqrt(ewma_variance(losses, decay, start=before))
    return np.asarray(losses / vol[:-1] * vol[-1])
