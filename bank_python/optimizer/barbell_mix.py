"""A share in a risky basket and the rest in a safe asset over a horizon: its return, its loss, and the largest share.

Examples
--------
>>> mix = BarbellMix(share=1.0, safe_return=0.05, mean=0.08, deviation=0.2)
>>> round(mix.loss(2.0), 6), round(mix.largest_share(0.10, 2.0), 6)
(0.32, 0.405405)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bank_python.errors import InfeasibleError

__all__ = ["BarbellMix"]


@dataclass(frozen=True, slots=True)
class BarbellMix:
    """A share in a risky basket and the rest in the safe asset, over the horizon.

    Parameters
    ----------
    share : float
        Share in the basket, in [0, 1].
    safe_return : float
        Return of the safe asset over the horizon, as a decimal.
    mean, deviation : float
        Mean and standard deviation of the basket's return over the horizon, as decimals.
    """

    share: float
    safe_return: float
    mean: float
    deviation: float

    @property
    def centre(self) -> float:
        """Mean return of the combined portfolio."""
        return (1.0 - self.share) * self.safe_return + self.share * self.mean

    def loss(self, kappa: float) -> float:
        """Return the loss of the combined portfolio at `kappa` standard deviations below its mean."""
        return self.share * kappa * self.deviation - self.centre

    def at(self, share: float) -> BarbellMix:
        """Return the combination with another share."""
        return replace(self, share=share)

    def largest_share(self, limit: float, kappa: float) -> float:
        """Return the largest share whose loss, linear between those of shares 0 and 1, is within the limit.

        Parameters
        ----------
        limit : float
            Largest acceptable loss, as a decimal.
        kappa : float
            Risk measure of the basket's standardised distribution, in standard deviations.

        Raises
        ------
        InfeasibleError
            No share stays within the limit; the message gives the loss with everything and with nothing that is safe.
        """
        safe, risky = self.at(0.0).loss(kappa), self.at(1.0).loss(kappa)
        if risky <= limit:
            return 1.0
        if safe > limit:
            raise InfeasibleError(
                f"the loss is {safe:.6g} with everything in SAFE, which returns {self.safe_return:g} over the horizon, "
                f"and {risky:.6g} with nothing in it: no share stays within max_loss_pct={limit:g}; raise the limit to "
                f"{min(safe, risky):.6g} or more",
                value=min(safe, risky),
            )
        return (limit - safe) / (risky - safe)
