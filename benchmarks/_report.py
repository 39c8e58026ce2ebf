"""How the benchmarks report: cases as they come, ratios with their targets at the end."""

from __future__ import annotations

import sys

__all__ = ["Report"]


class Report:
    """Prints cases as they come and keeps the ratios for the end."""

    def __init__(self) -> None:
        self._ratios: list[str] = []

    def case(self, title: str, medians: dict[str, float], note: str = "") -> None:
        """Print one case."""
        print(f"\n{title}")
        for name, micros in medians.items():
            figure = f"{micros:,.2f}" if micros >= 1.0 else f"{micros:.3f}"
            print(f"  {name:<44} {figure:>12} µs")
        if note:
            print(f"  {note}")
        sys.stdout.flush()

    def ratio(self, text: str, value: float, target: str) -> None:
        """Keep one ratio."""
        self._ratios.append(f"{text:<72} {value:>8.2f}   target {target}")

    def close(self) -> None:
        """Print the ratios."""
        print("\nratios")
        for line in self._ratios:
            print(f"  {line}")
