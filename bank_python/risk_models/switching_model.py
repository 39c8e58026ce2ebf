r"""The Markov-switching autoregression of Hamilton (1989): its parameters, its densities, its score.

With regime :math:`S_t`, a chain of k regimes with transition matrix P in its stationary distribution,

.. math:: x_t - \mu_{S_t} = \sum_{i=1}^r \phi_i\,(x_{t-i} - \mu_{S_{t-i}}) + \varepsilon_t , \qquad
          \varepsilon_t \sim N(0, \sigma^2_{S_t}) ,

given the first r observations. The residual of a state s = (S_t, …, S_{t−r}) is linear in
:math:`v_t = (1, x_t, x_{t-1}, \dots, x_{t-r})`, so that all that estimation needs of a series is, for each state,
the sum of :math:`v_t v_t^\top` weighted by the smoothed probability of the state, beside the expected number of
transitions. The derivative of the log-likelihood is the expected derivative of the log-likelihood of series and
regimes together (Fisher's identity), which is a function of the same sums.

Everything is done for many parameters at once, the first axis of all arrays: the *starts* of a search.

References
----------
J. D. Hamilton, *Time Series Analysis* (1994), chapter 22.

A. P. Dempster, N. M. Laird and D. B. Rubin, "Maximum likelihood from incomplete data via the EM algorithm", JRSS B 39
(1977), 1-38.
"""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bank_python.risk_models.regime_scan import RegimeChains, Smoothed, TimeBlocks, smooth_blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["LEAST_LOGIT", "Expectation", "SwitchingModel", "SwitchingParameters", "SwitchingSeries"]

LEAST_LOGIT = -27.0
"""Smallest logarithm of a transition probability over that of its reference: a probability of 2e-12 counts as 0."""


@dataclass(frozen=True, slots=True)
class SwitchingModel:
    """What is estimated: the numbers of regimes and of lags, and whether the variance switches.

    Parameters
    ----------
    regimes : int
        Number of regimes k, at least 2.
    order : int
        Number of autoregressive lags r, at least 0.
    switching_variance : bool
        Whether each regime has its own variance.
    references : tuple of int, length k, optional
        Next regime to which the probabilities of the others are compared, for each regime; by default itself.
    """

    regimes: int
    order: int
    switching_variance: bool
    references: tuple[int, ...] = ()

    @property
    def states(self) -> int:
        """Number of states K of the present and the last r regimes."""
        return int(self.regimes ** (self.order + 1))

    @property
    def variances(self) -> int:
        """Number of variances."""
        return self.regimes if self.switching_variance else 1

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.regimes + self.order + self.variances + self.regimes * (self.regimes - 1)

    @property
    def logits(self) -> slice:
        """Places of the transition logits in a vector of parameters."""
        return slice(self.size - self.regimes * (self.regimes - 1), self.size)

    @property
    def log_variances(self) -> slice:
        """Places of the logarithms of variances in a vector of parameters."""
        return slice(self.regimes + self.order, self.regimes + self.order + self.variances)

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Transitions whose probability is a parameter, all but one in each row; shape (k, k)."""
        mask = np.ones((self.regimes, self.regimes), dtype=bool)
        mask[range(self.regimes), self.references or range(self.regimes)] = False
        return mask

    def regimes_of_states(self) -> NDArray[np.int64]:
        """Return the regimes of each state, the present one first; shape (K, order + 1)."""
        return np.stack(np.unravel_index(np.arange(self.states), (self.regimes,) * (self.order + 1)), axis=1)


@dataclass(frozen=True, slots=True)
class SwitchingParameters:
    """Parameters of a model, for several starts.

    Parameters
    ----------
    means : ndarray, shape (starts, k)
        Mean of each regime.
    ar : ndarray, shape (starts, r)
        Autoregressive coefficients.
    variances : ndarray, shape (starts, k)
        Variance of each regime; all the same where it does not switch.
    transition : ndarray, shape (starts, k, k)
        Transition matrices, the present regime in rows.
    """

    means: FloatArray
    ar: FloatArray
    variances: FloatArray
    transition: FloatArray

    def take(self, starts: NDArray[np.int64] | NDArray[np.bool_]) -> SwitchingParameters:
        """Return the parameters of some starts."""
        return SwitchingParameters(self.means[starts], self.ar[starts], self.variances[starts], self.transition[starts])

    def ordered(self, places: NDArray[np.int64]) -> SwitchingParameters:
        """Return the parameters with the regimes in another order, given for each start; shape (starts, k)."""
        turned = np.take_along_axis(self.transition, places[:, :, None], axis=1)
        return SwitchingParameters(
            np.take_along_axis(self.means, places, axis=1),
            self.ar,
            np.take_along_axis(self.variances, places, axis=1),
            np.take_along_axis(turned, places[:, None, :], axis=2),
        )

    def vectors(self, model: SwitchingModel) -> FloatArray:
        """Return the parameters as vectors without bounds, shape (starts, model.size).

        They are means, autoregressive coefficients, logarithms of variances, and row by row the logarithm of each
        transition probability over that of the reference.
        """
        probabilities = np.maximum(self.transition, math.exp(LEAST_LOGIT))
        references = probabilities[:, ~model.compared][:, :, None]
        logits = np.log(probabilities / references)[:, model.compared]
        logs = np.log(self.variances[:, : model.variances])
        return np.concatenate([self.means, self.ar, logs, np.maximum(logits, LEAST_LOGIT)], axis=1)

    @classmethod
    def of_vectors(cls, vectors: FloatArray, model: SwitchingModel) -> SwitchingParameters:
        """Return the parameters of vectors, the inverse of :meth:`vectors`."""
        k = model.regimes
        variances = np.exp(vectors[:, model.log_variances])
        logits = np.zeros((len(vectors), k, k))
        logits[:, model.compared] = vectors[:, model.logits]
        odds = np.exp(logits - logits.max(axis=2, keepdims=True))
        return cls(
            vectors[:, :k],
            vectors[:, k : k + model.order],
            np.repeat(variances, k // model.variances, axis=1),
            odds / odds.sum(axis=2, keepdims=True),
        )


class SwitchingSeries:
    """A series, cut into blocks, of which the likelihood of parameters is asked.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Observations, oldest first.
    model : SwitchingModel
        Model of the series.
    """

    def __init__(self, values: FloatArray, model: SwitchingModel) -> None:
        order = model.order
        self.model = model
        self.size = len(values) - order
        self.blocks = TimeBlocks.of(self.size, model.states)
        lagged = [values[order - i : len(values) - i] for i in range(order + 1)]
        self._regimes = model.regimes_of_states()
        columns = np.stack([np.ones(self.size), *lagged], axis=1)
        self.moments = np.einsum("ti,tj->ij", columns, columns)
        self._columns = self.blocks.cut(columns)
        products = columns[:, :, None] * columns[:, None, :]
        self._products = self.blocks.cut(products.reshape(self.size, -1))

    def under(self, model: SwitchingModel) -> SwitchingSeries:
        """Return the same series for a model that differs in its references alone."""
        same = copy(self)
        same.model = model
        return same

    def expect(self, parameters: SwitchingParameters) -> Expectation:
        """Return the log-likelihoods of parameters, and the expected sums over regimes given the series."""
        chains = RegimeChains(parameters.transition, self.model.order)
        densities, largest = self._densities(parameters)
        smoothed = smooth_blocks(chains, densities)
        logs = np.log(smoothed.scales).sum(axis=(0, 2)) + largest.sum(axis=(0, 2))
        return Expectation(
            parameters,
            self.model,
            logs - 0.5 * self.size * math.log(2.0 * math.pi),
            self._sums(smoothed.smoothed),
            *self._transitions(chains, smoothed),
        )

    def probabilities(self, parameters: SwitchingParameters) -> tuple[FloatArray, FloatArray]:
        """Return the filtered and the smoothed probabilities of the regimes under the first parameters; (n − r, k)."""
        one = parameters.take(np.array([0]))
        smoothed = smooth_blocks(RegimeChains(one.transition, self.model.order), self._densities(one)[0])
        k = self.model.regimes
        both = []
        for states in (smoothed.filtered, smoothed.smoothed):
            of_regimes = states[:, 0].reshape(len(states), k, -1, states.shape[3]).sum(axis=2)
            joined = self.blocks.joined(of_regimes)
            both.append(joined / joined.sum(axis=1, keepdims=True))
        return both[0], both[1]

    def _densities(self, parameters: SwitchingParameters) -> tuple[FloatArray, FloatArray]:
        """Return the densities in each state over the largest one of the time, and the logarithm of that one."""
        residuals = self._columns[:, None, None, :, 1] - _constants(parameters, self._regimes)[:, :, None]
        for i in range(self.model.order):
            residuals -= parameters.ar[:, i, None, None] * self._columns[:, None, None, :, 2 + i]
        deviations = np.sqrt(parameters.variances)[:, self._regimes[:, 0], None]
        residuals /= deviations
        np.square(residuals, out=residuals)
        residuals *= -0.5
        residuals -= np.log(deviations)
        largest = residuals.max(axis=2, keepdims=True)
        residuals -= largest
        np.exp(residuals, out=residuals)
        residuals[self.blocks.beyond :, :, :, -1] = 1.0
        largest[self.blocks.beyond :, :, :, -1] = 0.0
        return residuals, largest[:, :, 0]

    def _sums(self, smoothed: FloatArray) -> FloatArray:
        """Return for each state the weighted sum of products of lags; shape (starts, K, r + 2, r + 2)."""
        length, starts, states, count = smoothed.shape
        wide = self.model.order + 2
        summed = np.matmul(smoothed.reshape(length, starts * states, count), self._products).sum(axis=0)
        return np.asarray(summed.reshape(starts, states, wide, wide))

    def _transitions(self, chains: RegimeChains, smoothed: Smoothed) -> tuple[FloatArray, FloatArray]:
        """Return the expected numbers of transitions, (starts, k, k), and the distribution of the first regime.

        The chain is begun where its stationary distribution is asked for: at the earliest regime of the first state,
        or one time before the first observation. All transitions after that count.
        """
        k, order = self.model.regimes, self.model.order
        if order == 0:
            into = smoothed.following_before
            into[self.blocks.beyond :, :, :, -1] = 0.0
            pairs = np.matmul(smoothed.before[:-1], into.transpose(0, 1, 3, 2)).sum(axis=0)
            behind = (chains.transition @ into[0, :, :, :1])[:, :, 0]
            return chains.transition * pairs, smoothed.before[0, :, :, 0] * behind
        states = smoothed.smoothed
        starts = states.shape[1]
        summed = states.sum(axis=(0, 3)) - states[self.blocks.beyond :, :, :, -1].sum(axis=0)
        counts = summed.reshape(starts, k, k, -1).sum(axis=3)
        first = states[0, :, :, 0].reshape(starts, *(k,) * (order + 1))
        for lag in range(1, order):
            others = tuple(1 + i for i in range(order + 1) if i not in {lag, lag + 1})
            counts = counts + first.sum(axis=others)
        return counts.transpose(0, 2, 1), first.reshape(starts, -1, k).sum(axis=1)


def _constants(parameters: SwitchingParameters, regimes: NDArray[np.int64]) -> FloatArray:
    """Return the constant of each state, its mean less those of the lags times their coefficients; (starts, K)."""
    means = parameters.means[:, regimes]
    return np.asarray(means[:, :, 0] - np.einsum("bki,bi->bk", means[:, :, 1:], parameters.ar))


@dataclass(frozen=True)
class Expectation:
    """Log-likelihoods of some parameters, and the sums from which the score and new parameters are computed.

    Parameters
    ----------
    parameters : SwitchingParameters
        Parameters under which the regimes were inferred.
    model : SwitchingModel
        Model that the parameters belong to.
    loglikelihood : ndarray, shape (starts,)
        Log-likelihood of each start.
    sums : ndarray, shape (starts, K, r + 2, r + 2)
        Sum over time of products of 1, the observation and its lags, weighted by the probability of each state.
    transitions : ndarray, shape (starts, k, k)
        Expected number of transitions, the earlier regime in rows.
    first : ndarray, shape (starts, k)
        Smoothed distribution of the first regime of the chain.
    """

    parameters: SwitchingParameters
    model: SwitchingModel
    loglikelihood: FloatArray
    sums: FloatArray
    transitions: FloatArray
    first: FloatArray

    @cached_property
    def weights(self) -> FloatArray:
        """Expected number of observations of each regime, shape (starts, k)."""
        return self._by_regime(self.sums[:, :, 0, 0])

    def take(self, starts: NDArray[np.bool_]) -> Expectation:
        """Return the expectation of some starts."""
        return Expectation(
            self.parameters.take(starts),
            self.model,
            self.loglikelihood[starts],
            self.sums[starts],
            self.transitions[starts],
            self.first[starts],
        )

    def score(self) -> FloatArray:
        """Return the derivative of the log-likelihoods by the vectors of parameters, shape (starts, size)."""
        p, r = self.parameters, self.model.order
        precision = 1.0 / p.variances[:, self._present]
        central, firsts = self._central_moments(p.means)
        residual = np.concatenate([np.ones((len(p.means), 1)), -p.ar], axis=1)
        by_mean = np.einsum("bki,bi,bk,bkj->bj", firsts, residual, precision, self._loadings(p.ar))
        products = np.einsum("bkij,bj->bki", central, residual)
        by_ar = np.einsum("bki,bk->bi", products[:, :, 1:], precision)
        squares = np.einsum("bki,bi->bk", products, residual)
        by_variance = self._by_regime(0.5 * (squares * precision - self.sums[:, :, 0, 0]))
        if not self.model.switching_variance:
            by_variance = by_variance.sum(axis=1, keepdims=True)
        return np.concatenate([by_mean, by_ar[:, :r], by_variance, self._transition_score()], axis=1)

    def information(self) -> FloatArray:
        """Return the diagonal of the information that series and regimes together would have; (starts, size)."""
        p, r = self.parameters, self.model.order
        precision = 1.0 / p.variances[:, self._present]
        central, _ = self._central_moments(p.means)
        by_mean = np.einsum("bk,bkj->bj", self.sums[:, :, 0, 0] * precision, self._loadings(p.ar) ** 2)
        by_ar = np.einsum("bkii,bk->bi", central, precision)[:, 1 : r + 1]
        by_variance = 0.5 * self.weights
        if not self.model.switching_variance:
            by_variance = by_variance.sum(axis=1, keepdims=True)
        rows = self.transitions.sum(axis=2, keepdims=True)
        by_logit = (rows * p.transition * (1.0 - p.transition))[:, self.model.compared]
        return np.concatenate([by_mean, by_ar, by_variance, by_logit], axis=1)

    def improved(self) -> SwitchingParameters:
        """Return the parameters after a step of the EM algorithm.

        With lags, means, coefficients and variances are maximised one after the other (ECM), which raises the
        likelihood as well. The stationary distribution of the first regime is taken as given.
        """
        old, model = self.parameters, self.model
        precision = 1.0 / old.variances[:, self._present]
        counts = self.sums[:, :, 0, 0]
        means, ar = old.means, old.ar
        if model.order:
            loadings = self._loadings(ar)
            residual = np.concatenate([np.ones((len(ar), 1)), -ar], axis=1)
            right = np.einsum("bki,bi,bk,bkj->bj", self.sums[:, :, 0, 1:], residual, precision, loadings)
            means = _solved(np.einsum("bk,bki,bkj->bij", counts * precision, loadings, loadings), right)
            central, _ = self._central_moments(means)
            weighted = np.einsum("bkij,bk->bij", central, precision)
            ar = _solved(weighted[:, 1:, 1:], weighted[:, 1:, 0])
        else:
            means = self.sums[:, :, 0, 1] / counts
        central, _ = self._central_moments(means)
        residual = np.concatenate([np.ones((len(ar), 1)), -ar], axis=1)
        squares = self._by_regime(np.einsum("bkij,bi,bj->bk", central, residual, residual))
        variances = squares / self.weights
        if not model.switching_variance:
            pooled = squares.sum(axis=1, keepdims=True) / self.weights.sum(axis=1, keepdims=True)
            variances = np.repeat(pooled, model.regimes, axis=1)
        moved = np.maximum(self.transitions, math.exp(LEAST_LOGIT) * self.transitions.sum(axis=2, keepdims=True))
        return SwitchingParameters(means, ar, variances, moved / moved.sum(axis=2, keepdims=True))

    @cached_property
    def _regimes(self) -> NDArray[np.int64]:
        return self.model.regimes_of_states()

    @property
    def _present(self) -> NDArray[np.int64]:
        return self._regimes[:, 0]

    def _by_regime(self, of_states: FloatArray) -> FloatArray:
        return np.asarray(of_states.reshape(len(of_states), self.model.regimes, -1).sum(axis=2))

    def _loadings(self, ar: FloatArray) -> FloatArray:
        """Return by how much the constant of a state changes with each mean, shape (starts, K, k)."""
        is_regime = np.eye(self.model.regimes)[self._regimes]
        return np.asarray(is_regime[:, 0] - np.einsum("kij,bi->bkj", is_regime[:, 1:], ar))

    def _central_moments(self, means: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return sums of products, and sums, of the observation and its lags less the means of their regimes."""
        of_lags = means[:, self._regimes]
        counts, firsts = self.sums[:, :, 0, 0, None], self.sums[:, :, 0, 1:]
        centred = firsts - counts * of_lags
        products = self.sums[:, :, 1:, 1:] - of_lags[:, :, :, None] * firsts[:, :, None, :]
        return products - centred[:, :, :, None] * of_lags[:, :, None, :], centred

    def _transition_score(self) -> FloatArray:
        """Return the score of the logits: expected transitions, and the stationary distribution of the first regime."""
        transition = self.parameters.transition
        k = self.model.regimes
        stationary = RegimeChains(transition, 0).stationary
        system = np.eye(k) - transition + stationary[:, None, :]
        ratio = (self.first / stationary)[:, :, None]
        effect = stationary[:, :, None] * np.linalg.solve(system, ratio).transpose(0, 2, 1)
        slope = self.transitions + transition * effect
        return np.asarray((slope - transition * slope.sum(axis=2, keepdims=True))[:, self.model.compared])


def _solved(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return the solutions of normal equations, the smallest where a regime has no observations."""
    size = matrices.shape[1]
    ridge = 1e-13 * np.trace(matrices, axis1=1, axis2=2)[:, None, None] * np.eye(size)
    return np.asarray(np.linalg.solve(matrices + ridge, vectors[:, :, None])[:, :, 0])
