"""Calls that do not fit, answered with the right word: names of other libraries, arguments missing or too many.

``@guessable`` lets a function, or the constructor of a class, explain a call that does not fit its signature: what the
unknown argument is called here, and which arguments there are. A call that fits costs nothing more. A signature too
long for ``help`` is shown without annotations, which the docstring has as well.

Examples
--------
>>> @guessable
... def simulate(spot: float, *, n_paths: int = 100) -> float:
...     return spot
>>> simulate(100.0, n_sims=5)
Traceback (most recent call last):
    ...
bank_python.errors.CallError: simulate() has no argument n_sims; did you mean n_paths? It takes spot, n_paths
>>> simulate()
Traceback (most recent call last):
    ...
bank_python.errors.CallError: simulate() missing 1 required positional argument: 'spot'; it takes spot, n_paths=
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bank_python.errors import CallError
from bank_python.wording import near_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

__all__ = [
    "LONGEST_SIGNATURE",
    "OTHER_WORDS",
    "explain_calls",
    "guessable",
    "made_by",
    "misfit",
    "short_signature",
    "what_was_meant",
]

_Function = TypeVar("_Function", bound="Callable[..., Any]")

LONGEST_SIGNATURE = 400
"""Length in characters beyond which a signature is shown without annotations."""

# The arguments of this library, best first, and what users of other libraries call them.
_WORDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("spot_source", "spot", "S0"), "spot S S0 s0 price underlying underlying_price stock_price spot_price"),
    (("vol_source", "vol", "vols", "sigma"), "vol sigma volatility iv implied_vol implied_volatility"),
    (("rate_source", "rate", "risk_free_rate"), "r rate rf risk_free risk_free_rate riskfree interest_rate ytm"),
    (("dividend_source", "dividend"), "q dividend div div_yield dividend_yield dividend_rate"),
    (("strike", "strikes"), "K k strike_price exercise_price"),
    (
        ("expiry", "maturity", "T", "years"),
        "T t tau ttm maturity expiry expiration expiry_date maturity_date time_to_maturity time_to_expiry tenor years",
    ),
    (("is_call",), "option_type type right call_put cp flag is_put call put kind"),
    (("coupon_rate", "coupon"), "coupon cpn"),
    (("face", "notional"), "notional face face_value face_amount par principal nominal"),
    (("frequency", "fixed_frequency", "periods_per_year"), "freq payment_frequency coupons_per_year"),
    (("fixed_rate",), "fixed swap_rate"),
    (("pay_fixed",), "payer pay is_payer"),
    (("quantity",), "qty size amount units shares lots"),
    (("cost", "price"), "cost_basis avg_price average_price entry_price"),
    (
        ("n_paths", "n"),
        "n_sims nsims num_sims n_simulations num_simulations simulations num_paths paths n_scenarios scenarios trials",
    ),
    (("seed", "random_seed"), "random_state rng_seed rng random_seed seed"),
    (("expected_returns",), "mu expected_return exp_returns means mean_returns"),
    (("covariance", "data"), "cov cov_matrix covariance_matrix S Sigma covmat"),
    (("tickers", "names"), "names symbols assets columns symbol"),
    (("confidence",), "alpha level conf confidence_level quantile"),
    (("db", "path"), "store database barbara file filename db_path path"),
    (("bounds", "constraints", "max_weight"), "weight_bounds bounds upper_bound upper max_weights"),
    (("periods_per_year",), "frequency annualization annualization_factor periods"),
    (("horizon_days", "horizon", "years"), "horizon days n_days holding_period"),
    (("rate_source", "discount_source", "curve"), "discount_curve curve yield_curve"),
    (("recovery",), "recovery_rate R"),
    (("decay", "half_life"), "lambda_ lam halflife"),
    (("feed", "market_data"), "source provider market"),
    (("positions",), "holdings legs"),
    (("instrument",), "contract asset security ticker symbol"),
    (("schema",), "columns dtypes"),
    (("newest_first",), "reverse reversed descending"),
    (("estimator",), "method shrinkage cov_method cov_estimator"),
    (("permanent_impact",), "gamma"),
    (("temporary_impact",), "eta"),
    (("half_spread",), "epsilon eps spread"),
    (("risk_aversion",), "gamma delta lambda_ lam"),
    (("shares",), "quantity qty size amount X"),
    (("slippage_bps",), "slippage"),
    (("spread_bps",), "spread"),
    (("commission_pct",), "commission commissions fee_pct"),
    (("participation_cap", "participation"), "max_participation participation_rate pov cap"),
    (("cov_data",), "expected_returns mu data"),
    (("bounds",), "max_weight min_weight long_only allow_short"),
    (("upper", "maximum"), "max maximum cap"),
    (("lower", "minimum"), "min minimum floor"),
    (("groups",), "group_limits group_constraints sectors sector_limits"),
    (("turnover",), "max_turnover turnover_limit"),
    (("current", "portfolios"), "current_weights initial_weights previous_weights w0 current holdings portfolio"),
    (("retries",), "max_retries attempts retry"),
    (("backoff",), "retry_delay delay retry_wait"),
    (("policy",), "throttle every"),
    (("band",), "threshold tolerance drift"),
    (("correlation",), "corr corr_matrix correlations rho"),
    (("sigma",), "xi vol_of_vol volvol"),
    (("jump_intensity",), "lam lambda_ intensity"),
    (("jump_mean",), "mu_j mu_jump"),
    (("jump_vol",), "sigma_j sigma_jump"),
    (("currency",), "base base_currency ccy"),
    (("universe",), "tickers symbols"),
    (("interval",), "every seconds period"),
    (("callable",), "func function fn target"),
    (("zero_rates",), "rates zeros zero curve"),
    (("n", "window"), "length timeperiod period lookback rolling n_days"),
    (("variances",), "rv realized_variance realised_variance rvs"),
    (("close",), "prices price closes"),
    (("target_return",), "ret"),
    (("target_volatility",), "vol risk"),
    (("kind",), "method objective"),
)


def _by_word() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for ours, others in _WORDS:
        for word in others.split():
            found[word] = (*found.get(word, ()), *ours)
    return found


OTHER_WORDS: Mapping[str, tuple[str, ...]] = _by_word()
"""Arguments of this library, best first, by what users of other libraries write."""


def what_was_meant(word: str, known: Collection[str]) -> str | None:
    """Return the argument that is probably meant by a word, if there is one.

    Parameters
    ----------
    word : str
        Name that was written.
    known : collection of str
        Names of the arguments.
    """
    for name in OTHER_WORDS.get(word, ()):
        if name in known:
            return name
    near = near_names(word, known, most=1)
    return near[0] if near else None


def misfit(title: str, known: Collection[str], given: Iterable[str]) -> str:
    """Return the message about arguments that there are not: which they are, and what they are called.

    Parameters
    ----------
    title : str
        Name of the function or object that was called, such as ``"Option 'C'"``.
    known : collection of str
        Names of the arguments, in order.
    given : iterable of str
        Names that were written.
    """
    unknown = [word for word in given if word not in known]
    meant = dict.fromkeys(name for word in unknown if (name := what_was_meant(word, known)) is not None)
    hint = f"did you mean {', '.join(meant)}?" if meant else "leave it out."
    return f"{title} has no argument {', '.join(unknown)}; {hint} It takes {', '.join(known)}"


def guessable(function: _Function) -> _Function:
    """Let a function, or the constructor of a class, explain a call that does not fit its signature.

    Raises
    ------
    CallError
        By the function, when it is called so: it is a :class:`TypeError` too.
    """
    if not isinstance(function, type):
        return explain_calls(function, function.__qualname__.removesuffix(".__init__"))
    kind: Any = function
    kind.__init__ = explain_calls(kind.__init__, kind.__name__)
    return function


def made_by(how: str) -> Callable[[_Function], _Function]:
    """Let the constructor of a class, when it is called in a way that does not fit, say how the class is made.

    Parameters
    ----------
    how : str
        The right call, as it is typed.
    """

    def decorate(kind: _Function) -> _Function:
        made: Any = kind
        made.__init__ = explain_calls(made.__init__, made.__name__, f"it is made by {how}")
        return kind

    return decorate


def explain_calls(function: _Function, title: str, instead: str = "") -> _Function:
    """Return a function that explains a call which does not fit its signature; see :func:`guessable`.

    Parameters
    ----------
    function : callable
        Function to call.
    title : str
        Name of the function in messages.
    instead : str, optional
        End of the message instead of the arguments.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            refused = _refusal(function, title, args, kwargs, error)
            if refused is None:
                raise
            if instead:
                refused = CallError(f"{title}: {instead}", name=title, argument=None)
        raise refused from None

    call.__dict__["__signature__"] = short_signature(inspect.signature(function))
    return cast("_Function", call)


def short_signature(signature: inspect.Signature) -> inspect.Signature:
    """Return a signature as ``help`` shows it: without annotations if it is longer than 400 characters with them."""
    if len(str(signature)) <= LONGEST_SIGNATURE:
        return signature
    bare = [item.replace(annotation=inspect.Parameter.empty) for item in signature.parameters.values()]
    return signature.replace(parameters=bare, return_annotation=inspect.Signature.empty)


def _refusal(
    function: Callable[..., Any], title: str, args: tuple[Any, ...], kwargs: dict[str, Any], error: TypeError
) -> CallError | None:
    """Return what is said of a call that raised `error` if it does not fit the signature; None if it fits."""
    if isinstance(error, CallError):
        return None
    signature = inspect.signature(function)
    kwargs = {getattr(function, "other_names", {}).get(key, key): value for key, value in kwargs.items()}
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        pass
    else:
        return None
    known = [
        key for key, item in signature.parameters.items() if key not in {"self", "cls"} and item.kind not in _LOOSE
    ]
    unknown = [key for key in kwargs if key not in known]
    takes_any = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in signature.parameters.values())
    if unknown and not takes_any:
        return CallError(misfit(f"{title}()", known, unknown), name=title, argument=unknown[0])
    said = str(error).replace(f"{function.__qualname__}()", f"{title}()")
    return CallError(f"{said}; it takes {_listed(signature, known)}", name=title, argument=None)


_LOOSE = frozenset({inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})


def _listed(signature: inspect.Signature, known: Iterable[str]) -> str:
    by_name = inspect.Parameter.KEYWORD_ONLY
    return ", ".join(f"{key}=" if signature.parameters[key].kind is by_name else key for key in known)
