"""Terminal views of extreme values: intervals, fits of maxima, return levels, clusters, thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.sheet import Sheet, names, numbers

if TYPE_CHECKING:
    from bank_python.taleb.declustering import Clusters
    from bank_python.taleb.parameter_intervals import Intervals
    from bank_python.taleb.return_levels import ReturnLevels
    from bank_python.taleb.thresholds import MeanExcess, ThresholdStability

__all__ = ["clusters_view", "intervals_view", "mean_excess_view", "return_levels_view", "stability_view"]

_MOST_ROWS = 12

_METHODS = {"profile": "profile likelihood", "wald": "standard errors", "bootstrap": "bootstrap percentiles"}


def intervals_view(table: Intervals) -> Sheet:
    """Show estimates with their intervals, and why an end is missing."""
    columns = [names("Quantity"), numbers("Estimate", 4), numbers("From", 4), numbers("To", 4)]
    shown = Sheet(f"{_share(table.confidence)} intervals by {_METHODS[table.method.value]}", columns)
    figures = np.stack([table.estimates, table.low, table.high], axis=1).tolist()
    for name, row in zip(table.names, figures, strict=True):
        shown.add(name, *row)
    for reason in dict.fromkeys(reason for reason in table.reasons if reason):
        which = [name for name, said in zip(table.names, table.reasons, strict=True) if said == reason]
        shown.note(f"{', '.join(which)}: {reason}")
    return shown


def return_levels_view(levels: ReturnLevels) -> Sheet:
    """Show return levels with their intervals, and why an end is missing."""
    columns = [numbers("Period", 0), numbers("Level", 4), numbers("From", 4), numbers("To", 4)]
    shown = Sheet(f"Return levels, {_share(levels.confidence)} intervals by {_METHODS[levels.method.value]}", columns)
    for row in zip(levels.periods, levels.levels, levels.low, levels.high, strict=True):
        shown.add(*(float(figure) for figure in row))
    for reason in dict.fromkeys(reason for reason in levels.reasons if reason):
        shown.note(reason)
    return shown


def clusters_view(clusters: Clusters) -> Sheet:
    """Show the largest clusters and the extremal index."""
    shown = Sheet("Clusters of exceedances", [numbers("Position", 0), numbers("Peak", 4), numbers("Size", 0)])
    for i in np.argsort(-clusters.peaks, kind="stable")[:_MOST_ROWS].tolist():
        shown.add(float(clusters.positions[i]), float(clusters.peaks[i]), float(clusters.sizes[i]))
    count, exceedances = len(clusters.peaks), int(clusters.sizes.sum())
    if count > _MOST_ROWS:
        shown.note(f"the {_MOST_ROWS} highest of {count:,}")
    shown.note(
        f"{exceedances:,} of {clusters.n_observations:,} values exceed {clusters.threshold:.6g}, in {count:,} clusters "
        f"by runs of {clusters.run}: extremal index {clusters.theta:.3f}"
    )
    return shown


def mean_excess_view(curve: MeanExcess) -> Sheet:
    """Show the mean excess at a dozen thresholds."""
    columns = [numbers("Threshold", 4), numbers("Excesses", 0), numbers("Mean excess", 4)]
    shown = Sheet("Mean excess", [*columns, numbers("From", 4), numbers("To", 4)])
    for i in _spread(len(curve.thresholds)):
        figures = (curve.thresholds, curve.excesses, curve.mean_excess, curve.low, curve.high)
        shown.add(*(float(column[i]) for column in figures))
    shown.note(f"{_share(curve.confidence)} intervals; a straight rise is a power law, level is exponential")
    return shown


def stability_view(stability: ThresholdStability) -> Sheet:
    """Show the fits at a dozen thresholds, and from where on the shape is level."""
    columns = [numbers("Threshold", 4), numbers("Excesses", 0), numbers("ξ", 3), numbers("s.e.", 3)]
    shown = Sheet("Fits over thresholds", [*columns, numbers("β − ξu", 4), numbers("s.e.", 4)])
    for i in _spread(len(stability.thresholds)):
        figures = (stability.thresholds, stability.excesses, stability.xi, stability.xi_error)
        more = (stability.modified_scale, stability.modified_scale_error)
        shown.add(*(float(column[i]) for column in (*figures, *more)))
    shown.note(stability.note)
    return shown


def _share(confidence: float) -> str:
    return f"{100.0 * confidence:.4g} %"


def _spread(count: int) -> list[int]:
    """Return a dozen rows out of `count`, evenly spaced."""
    return sorted(set(np.linspace(0, count - 1, min(count, _MOST_ROWS)).round().astype(int).tolist()))
