"""The tearsheet as one HTML page: charts as inline SVG, tables, and each metric with its convention.

The page holds all it needs, and its content security policy forbids requests and scripts. It is light or dark as the
reader's system is.
"""

from __future__ import annotations

import datetime as dt
import html
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from bank_python.backtester.figure_words import said_figure
from bank_python.backtester.metric_list import METRICS
from bank_python.backtester.sheet_tables import MONTHS, fall_spells, rolling_figures
from bank_python.backtester.svg_charts import Line, amount, histogram, line_chart, percent
from bank_python.numerics import drawdowns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bank_python.backtester.metric_list import Metric
    from bank_python.backtester.sheet_figures import Figure, SheetInput
    from bank_python.mntable import Table

__all__ = ["SheetPage", "sheet_page"]

_MOST_FALLS = 10
_FEWEST = 2
_STRONGEST = 0.75  # opacity of the heat map's largest month
_HEAD = ("total_return", "annualized_return", "annualized_vol", "sharpe_ratio", "sortino_ratio", "max_drawdown")
_STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5c6670;--rule:#d8dee4;--c0:#0969da;--c1:#9a6700;
--gain:26,127,55;--loss:207,34,46}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9198a1;--rule:#30363d;
--c0:#58a6ff;--c1:#d29922;--gain:63,185,80;--loss:248,81,73}}
*{box-sizing:border-box}body{margin:0 auto;padding:24px 16px;max-width:860px;background:var(--bg);color:var(--fg);
font:14px/1.45 system-ui,sans-serif}h1{font-size:22px;margin:0}h2{font-size:16px;margin:28px 0 8px}
p{margin:4px 0;color:var(--dim)}
.head{display:grid;grid-template-columns:repeat(auto-fit,minmax(120px,1fr));gap:8px;margin:16px 0}
.head div{border:1px solid var(--rule);border-radius:6px;padding:8px 10px}.head b{display:block;font-size:18px}
.head span{color:var(--dim);font-size:12px}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;
font-variant-numeric:tabular-nums}th,td{padding:3px 6px;border-bottom:1px solid var(--rule);text-align:right}
th:first-child,td:first-child,td.how,th.how{text-align:left}td.how{color:var(--dim)}th{font-weight:600;color:var(--dim)}
.heat td{font-size:12px}figure{margin:16px 0}figcaption{font-weight:600}.key span{margin-right:16px;color:var(--dim)}
.key span::before{content:"";display:inline-block;width:16px;height:3px;margin-right:6px;vertical-align:middle}
.k0::before{background:var(--c0)}.k1::before{background:var(--c1)}svg{display:block;width:100%;height:auto}
svg text{fill:var(--dim);font-size:11px}.grid{stroke:var(--rule);stroke-width:.6}.zero{stroke:var(--dim);stroke-width:1}
.line{fill:none;stroke-width:1.5;stroke-linejoin:round}.l0{stroke:var(--c0)}.l1{stroke:var(--c1);stroke-dasharray:5 3}
.area{fill:var(--c0);opacity:.18;stroke:none}.gain{fill:rgb(var(--gain))}.loss{fill:rgb(var(--loss))}
@media print{body{max-width:none}h2{break-after:avoid}figure{break-inside:avoid}}
"""


@dataclass(frozen=True, slots=True, eq=False)
class SheetPage:
    """What the page shows.

    Parameters
    ----------
    title : str
        Title of the sheet.
    source : SheetInput
        Equity curve, benchmark and settings.
    figures : mapping of str to number or date
        Metrics by name.
    conventions, reasons : mapping of str to str
        Definition of each metric, and the reason for each that is missing.
    notes : sequence of str
        Remarks on the data.
    months, years : Table
        Returns of calendar months and years.
    """

    title: str
    source: SheetInput
    figures: Mapping[str, Figure]
    conventions: Mapping[str, str]
    reasons: Mapping[str, str]
    notes: Sequence[str]
    months: Table
    years: Table


def sheet_page(page: SheetPage) -> str:
    """Return the HTML of a tearsheet.

    Parameters
    ----------
    page : SheetPage
        Title, figures and tables to show.
    """
    title = html.escape(page.title or "Tearsheet")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    body = "".join(
        (_top(page, title), _charts(page), _months(page.months), _years(page.years), _falls(page), _metrics(page))
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _top(page: SheetPage, title: str) -> str:
    series = page.source.series
    span = ""
    if series.levels.size:
        first, last = series.moment(0), series.moment(len(series.levels) - 1)
        span = f"{max(first, 0) if isinstance(first, int) else first} to {last}; "
    rate = percent(page.source.risk_free_rate)
    said = f"{span}{series.n_values:,} values; {page.source.periods.basis}; risk-free rate {rate}"
    by_name = {metric.name: metric for metric in METRICS}
    tiles = "".join(
        f"<div><b>{_figure(by_name[name], page)}</b><span>{by_name[name].label}</span></div>" for name in _HEAD
    )
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in page.notes)
    return f'<h1>{title}</h1><p>{html.escape(said)}</p>{notes}<div class="head">{tiles}</div>'


def _charts(page: SheetPage) -> str:
    source, series = page.source, page.source.series
    n = len(series.levels)
    if n < _FEWEST:
        return f"<p>There are {series.n_values} values: no chart is drawn.</p>"
    at = _at(series.dates, n, series.is_led)
    lines = [Line("equity", at, series.levels / series.levels[0])]
    both = source.comparison
    if both is not None and len(both.levels) >= _FEWEST:
        growth = both.benchmark / both.benchmark[0] * float(both.levels[0] / series.levels[0])
        lines.append(Line("benchmark, from the first common date", _at(both.dates, len(growth), False), growth))
    falls = Line("drawdown", at, -drawdowns(series.levels))
    charts = [
        line_chart("Growth of 1", lines, amount),
        line_chart("Drawdown", [falls], percent, filled=True),
    ]
    rolling = rolling_figures(
        series, both, None, risk_free_rate=source.risk_free_rate, periods_per_year=source.periods.value
    )
    if rolling is not None:
        over = f", {rolling.window} {source.periods.period}s"
        charts.append(line_chart(f"Rolling Sharpe ratio{over}", [Line("sharpe", rolling.at, rolling.sharpe)], amount))
        charts.append(line_chart(f"Rolling volatility a year{over}", [Line("vol", rolling.at, rolling.vol)], percent))
        charts.append(line_chart(f"Rolling beta{over}", [Line("beta", rolling.at, rolling.beta)], amount))
    charts.append(histogram(f"Returns of one {source.periods.period}", series.returns, percent))
    return "".join(charts)


def _at(dates: Sequence[dt.date] | None, n: int, is_led: bool) -> Sequence[dt.date | int]:
    return range(-int(is_led), n - int(is_led)) if dates is None else dates


def _months(table: Table) -> str:
    """Return the monthly returns as a heat map with its figures."""
    rows = list(table)
    if not rows:
        return ""
    widest = max((abs(row[name]) for row in rows for name in MONTHS if row[name] is not None), default=0.0)
    lines = []
    for row in rows:
        cells = "".join(_heat(row[name], widest) for name in MONTHS)
        lines.append(f"<tr><td>{row['year']}</td>{cells}<td><b>{_share(row['total'])}</b></td></tr>")
    head = "".join(f"<th>{name}</th>" for name in ("", *MONTHS, "Year"))
    return (
        f'<h2>Monthly returns</h2><div class="wide"><table class="heat"><tr>{head}</tr>{"".join(lines)}</table></div>'
    )


def _heat(value: float | None, widest: float) -> str:
    if value is None:
        return "<td></td>"
    kind, strength = "gain" if value > 0.0 else "loss", _STRONGEST * abs(value) / widest if widest else 0.0
    return f'<td style="background:rgba(var(--{kind}),{strength:.2f})">{_share(value)}</td>'


def _years(table: Table) -> str:
    rows = [
        (
            str(row["year"]),
            *(_share(row[name]) for name in ("return", "benchmark", "vol")),
            _ratio(row["sharpe"]),
            _share(row["max_drawdown"]),
        )
        for row in table
    ]
    return _table("Years", ("Year", "Return", "Benchmark", "Volatility", "Sharpe", "Max. drawdown"), rows)


def _falls(page: SheetPage) -> str:
    spells = sorted(fall_spells(page.source.series), key=lambda spell: spell.depth)[:_MOST_FALLS]
    rows = [
        (
            _share(one.depth),
            str(one.peak),
            str(one.trough),
            "—" if one.recovery is None else str(one.recovery),
            f"{one.days:,.4g}",
        )
        for one in spells
    ]
    unit = "Days" if page.source.series.dates is not None else "Periods"
    return _table("Largest drawdowns", ("Depth", "Peak", "Trough", "Recovery", unit), rows)


def _metrics(page: SheetPage) -> str:
    parts = []
    for group, metrics in groupby(METRICS, key=lambda metric: metric.group):
        lines = []
        for metric in metrics:
            how = html.escape(page.conventions[metric.name])
            if metric.name in page.reasons:
                how = f"{how}<br><i>{html.escape(page.reasons[metric.name])}</i>"
            figure = _figure(metric, page)
            lines.append(f'<tr><td>{metric.label}</td><td>{figure}</td><td class="how">{how}</td></tr>')
        parts.append(f"<h2>{group}</h2><table>{''.join(lines)}</table>")
    return "".join(parts)


def _table(title: str, head: Iterable[str], rows: Sequence[Iterable[str]]) -> str:
    if not rows:
        return ""
    titles = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    lines = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<h2>{title}</h2><div class="wide"><table><tr>{titles}</tr>{lines}</table></div>'


def _figure(metric: Metric, page: SheetPage) -> str:
    value = page.figures[metric.name]
    said = said_figure(metric.unit, value)
    return said if isinstance(value, dt.date) else said.replace("-", "−")


def _share(value: float | None) -> str:
    return "—" if value is None else f"{round(100.0 * value, 1) + 0.0:.1f}%".replace("-", "−")


def _ratio(value: float | None) -> str:
    return "—" if value is None else f"{value + 0.0:.2f}".replace("-", "−")
