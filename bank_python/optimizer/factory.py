"""Creation of optimisers by name: :func:`create_optimizer`."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from bank_python.errors import ModelError
from bank_python.guessing import guessable, what_was_meant
from bank_python.optimizer.barbell import BarbellOptimizer
from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.hrp import HierarchicalRiskParityOptimizer
from bank_python.optimizer.mean_variance import MeanVarianceOptimizer, MinVarianceOptimizer
from bank_python.optimizer.min_cvar import MinCvarOptimizer
from bank_python.optimizer.ratios import MaxDiversificationOptimizer, MaxSharpeOptimizer
from bank_python.optimizer.risk_parity import RiskParityOptimizer
from bank_python.optimizer.tracking import TrackingOptimizer
from bank_python.optimizer.views import BlackLittermanOptimizer
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.optimizer.optimizer import Optimizer

__all__ = ["OPTIMIZERS", "SHORT_NAMES", "create_optimizer", "kind_named"]

OPTIMIZERS: Mapping[str, type[Optimizer]] = {
    cls.kind: cls
    for cls in (
        MeanVarianceOptimizer,
        MinVarianceOptimizer,
        MaxSharpeOptimizer,
        RiskParityOptimizer,
        MaxDiversificationOptimizer,
        HierarchicalRiskParityOptimizer,
        BlackLittermanOptimizer,
        MinCvarOptimizer,
        BarbellOptimizer,
        TrackingOptimizer,
    )
}
"""Optimiser classes by kind; to add an optimiser, add its class here."""

SHORT_NAMES: Mapping[str, str] = {
    "mv": "mean_variance",
    "min_volatility": "min_variance",
    "rp": "risk_parity",
    "bl": "black_litterman",
    "cvar": "min_cvar",
    "taleb_barbell": "barbell",
}
"""Kinds by their alternative names; case, hyphens and spaces are ignored."""

_CONSTRAINTS = tuple(field.name for field in fields(Constraints))


@guessable
def create_optimizer(kind: str, cov_data: CovarianceData, **params: Any) -> Optimizer:
    """Return an optimiser; call its ``optimize()`` for the portfolio.

    Parameters
    ----------
    kind : str
        ``mean_variance``, ``min_variance``, ``max_sharpe``, ``risk_parity``, ``max_diversification``, ``hrp``,
        ``black_litterman``, ``min_cvar``, ``barbell`` or ``tracking``; or an alternative name: ``mv``, ``rp``, ``bl``,
        ``cvar``, ``min_volatility``, ``taleb_barbell``. Case is ignored; hyphens and spaces count as underscores.
    cov_data : CovarianceData
        Covariance and expected returns of the assets.
    **params
        Constraints by name (``bounds``, ``groups``, ``invested``, ``turnover``, ``leverage``, ``transaction_cost``,
        ``current``, ``rules``) or as one object (``constraints``), and parameters of the optimiser, such as
        ``risk_free_rate``, ``risk_aversion`` or ``target_return``.

    Raises
    ------
    ModelError
        If the kind or a parameter is unknown, a required parameter is missing, the arguments are swapped, or
        constraints are given by name and as an object; the message lists the alternatives. Also for any input that the
        optimiser rejects.

    Examples
    --------
    >>> from bank_python.optimizer.covariance_data import CovarianceData
    >>> data = CovarianceData(
    ...     tickers=["BND", "SPY"], covariance=[[0.0025, 0.001], [0.001, 0.04]], expected_returns=[0.03, 0.08]
    ... )
    >>> best = create_optimizer("max_sharpe", data, bounds=(0.02, 0.9), risk_free_rate=0.02).optimize()
    >>> {name: round(weight, 3) for name, weight in best.by_ticker().items()}, best.certificate.kkt_residual < 1e-12
    ({'BND': 0.708, 'SPY': 0.292}, True)
    """
    named = kind_named(kind)
    cls = OPTIMIZERS[named]
    CovarianceData.checked(cov_data, named)
    own = _parameters(cls)
    limits = {name: params[name] for name in params if name in _CONSTRAINTS}
    rest = {name: params[name] for name in params if name not in _CONSTRAINTS}
    unknown = next((name for name in rest if name not in own), None)
    if unknown is not None:
        offered = ", ".join([*(name for name in own if name != "cov_data"), *_CONSTRAINTS])
        meant = what_was_meant(unknown, [*own, *_CONSTRAINTS])
        hint = "" if meant is None else f"did you mean {meant}? "
        raise ModelError(f"{named} takes no {unknown!r}; {hint}it takes {offered}", name=unknown)
    required = [name for name, param in own.items() if param.default is inspect.Parameter.empty and name != "cov_data"]
    missing = next((name for name in required if name not in rest), None)
    if missing is not None:
        raise ModelError(f"{named} needs {missing}=", name=missing)
    if limits:
        if rest.get("constraints") is not None:
            raise ModelError(f"constraints= and {', '.join(limits)} were both given; give one or the other")
        rest["constraints"] = Constraints(**limits)
    return cls(cov_data, **rest)


def kind_named(name: str) -> str:
    """Return the kind of optimiser for a name in any spelling.

    Parameters
    ----------
    name : str
        Kind of optimiser or one of its alternative names.

    Raises
    ------
    ModelError
        If the name is unknown; the message suggests the most similar name and lists all kinds.

    Examples
    --------
    >>> kind_named("Risk-Parity"), kind_named("mv")
    ('risk_parity', 'mean_variance')
    """
    given: object = name
    if not isinstance(given, str):
        raise ModelError(
            f"the kind of optimiser is a {type(given).__name__}; give the kind first, then the data, as "
            "create_optimizer('max_sharpe', data)",
            value=given,
        )
    if given in OPTIMIZERS:
        return given
    spelled = "_".join(re.split(r"[\s_-]+", given.strip().lower()))
    kind = SHORT_NAMES.get(spelled, spelled)
    if kind in OPTIMIZERS:
        return kind
    hint = did_you_mean(spelled, [*OPTIMIZERS, *SHORT_NAMES], "choose one of them", most=1)
    raise ModelError(f"no optimiser {given!r}; there are {', '.join(OPTIMIZERS)}; {hint}", name=given)


@cache
def _parameters(cls: type[Optimizer]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(cls).parameters
