"""Prices of this library beside those of QuantLib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.errors import MissingExtraError
from bank_python.integrations import QuantLibPricing

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage


@scene("QUANTLIB PRICING COMPARISON")
def quantlib(stage: Stage) -> SceneResult:
    """Price options, a bond and a credit default swap, and compare with QuantLib if it is installed."""
    try:
        pricing = QuantLibPricing(stage.desk.clock.date)
    except MissingExtraError as error:
        return SceneResult({"quantlib": None, "hint": error.message}, [error.message])
    compared = pricing.compare()
    facts = {
        "quantlib": pricing.version,
        "largest_difference": {item.contract: item.largest_difference for item in compared},
        "figures": {item.contract: {figure.name: figure.ours for figure in item.figures} for item in compared},
    }
    return SceneResult(facts, list(compared))
