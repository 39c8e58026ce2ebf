"""The verdict on tails in plain words, and what it does not say.

A tail index α means that moments of order below α exist. An estimate of it has an error, so a moment is called finite
if its order is below the whole interval of the index, and infinite if it is above it; in between it is undecided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.taleb.moments import MomentEvidence
    from bank_python.taleb.tail_index import TailIndex

__all__ = ["limits_of_evidence", "verdict_of"]

_MOMENTS = {1: "mean", 2: "variance", 3: "skewness", 4: "kurtosis"}
_SINGLE_LARGE = 0.05  # a share of one square in the sum of squares that deserves a word


class DescribedSide(Protocol):
    """What a verdict needs to know of one tail."""

    @property
    def index(self) -> TailIndex | None:
        """Tail index, or None."""
        ...

    @property
    def reason(self) -> str:
        """Reason for what is missing."""
        ...


class DescribedTails(Protocol):
    """What a verdict needs to know of a sample."""

    @property
    def left(self) -> DescribedSide:
        """Tail of the losses."""
        ...

    @property
    def right(self) -> DescribedSide:
        """Tail of the gains."""
        ...

    @property
    def moments(self) -> Sequence[MomentEvidence]:
        """Evidence on the moments."""
        ...

    @property
    def max_to_sum(self) -> float:
        """Share of the largest square in the sum of squares."""
        ...

    @property
    def n_observations(self) -> int:
        """Number of observations."""
        ...


def verdict_of(tails: DescribedTails) -> str:
    """Return the finding on both tails and on the moments, in sentences."""
    sentences = [f"Left tail: {_tail_words(tails.left)}; right tail: {_tail_words(tails.right)}."]
    sentences.append(_moment_words(tails.moments))
    if tails.max_to_sum >= _SINGLE_LARGE:
        sentences.append(f"One observation makes up {tails.max_to_sum:.0%} of the sum of squares.")
    return " ".join(part for part in sentences if part)


def _tail_words(side: DescribedSide) -> str:
    if side.index is None:
        return side.reason
    index = side.index
    thin = ", but it may be lighter than any power law" if index.may_be_thin else ""
    interval = f"95 % {index.low:.2f} to {index.high:.2f}"
    return f"index {index.alpha:.2f} ({interval}, from the largest {index.k:,} of {index.n_tail:,}){thin}"


def _moment_words(moments: Sequence[MomentEvidence]) -> str:
    """Return a sentence that sorts the named moments by what the sample says of them."""
    words = {True: "finite", False: "infinite", None: "undecided"}
    groups: list[str] = []
    for verdict in (True, None, False):
        named = [_MOMENTS[int(item.p)] for item in moments if item.verdict is verdict and item.p in _MOMENTS]
        if named:
            groups.append(f"{words[verdict]}: {', '.join(named)}")
    return f"On this evidence {'; '.join(groups)}." if groups else ""


def limits_of_evidence(tails: DescribedTails) -> tuple[str, ...]:
    """Return sentences on what the diagnostics do not say."""
    said = [
        "A finite sample proves no moment finite or infinite: the largest value so far is not the largest possible.",
        "The index describes the values beyond its threshold, and not the middle of the distribution.",
        "The errors assume independent returns; volatility that clusters makes them larger.",
    ]
    rarest = 1.0 / max(tails.n_observations, 1)
    said.append(f"Probabilities below 1 in {tails.n_observations:,} ({rarest:.2g}) are extrapolated.")
    return tuple(said)
