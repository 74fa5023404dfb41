"""Line charts as SVG, with logarithmic axes, readable on light and on dark pages.

Written by hand: so few lines need no library, the file is the same each time, and its colours
follow the reader's (``prefers-color-scheme``), which a rendered picture's do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 440, 320
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 34, 46
ROW = 20

STYLE = """
text{font:12px system-ui,sans-serif;fill:var(--ink)} .title{font-weight:600;font-size:13px}
.middle{text-anchor:middle} .end{text-anchor:end}
.frame{fill:none;stroke:var(--line)} .grid{stroke:var(--line);stroke-width:.6}
.page{fill:var(--page)} .curve{fill:none;stroke-width:2}
svg{--page:#fff;--ink:#1f2328;--line:#d0d7de;--c0:#0860ca;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df}
@media (prefers-color-scheme:dark){
svg{--page:#0d1117;--ink:#e6edf3;--line:#3d444d;--c0:#58a6ff;--c1:#f0883e;--c2:#3fb950;--c3:#bc8cff}}
"""

DASHES = ("", "7 4", "2 3", "9 3 2 3")


@dataclass(frozen=True)
class Curve:
    """A line.

    Attributes
    ----------
    label
        As the key names it.
    points
        (x, y), both above 0; others are left out.
    colour, dash
        Which of the four colours and of the four patterns.
    """

    label: str
    points: Sequence[tuple[float, float]]
    colour: int
    dash: int

    def drawable(self) -> list[tuple[float, float]]:
        """Return the points that a logarithmic axis can show."""
        return [(x, y) for x, y in self.points if x > 0 and y > 0]


@dataclass(frozen=True)
class Chart:
    """Some lines between two logarithmic axes."""

    title: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]


@dataclass(frozen=True)
class Axis:
    """From values to places.

    Attributes
    ----------
    low, high
        The values at its ends.
    begin, end
        The places of its ends.
    """

    low: float
    high: float
    begin: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], begin: float, end: float) -> Axis:
        """Return an axis with a little room beside the values."""
        low, high = min(values), max(values)
        room = max(1.08, (high / low) ** 0.04)
        return cls(low / room, high * room, begin, end)

    def place(self, value: float) -> float:
        """Return where a value stands."""
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + part * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """Return round values: powers of ten, and where there are few of them 2 and 5 as well."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), tuple(map(float, range(1, 10)))):
            powers = range(first, last + 1)
            found = [step * 10.0**power for power in powers for step in steps]
            inside = [value for value in found if self.low <= value <= self.high]
            if len(inside) >= 3:
                return inside
        return inside


def draw(charts: Sequence[Chart]) -> str:
    """Return an SVG file with the charts side by side, and one key below for all of them."""
    labels: dict[str, Curve] = {}
    for chart in charts:
        for curve in chart.curves:
            labels.setdefault(curve.label, curve)
    width = WIDTH * len(charts)
    columns = max(1, width // 290)
    height = HEIGHT + ROW * -(-len(labels) // columns) + 12
    names = "; ".join(chart.title for chart in charts)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img"',
        f'viewBox="0 0 {width} {height}" aria-label="{escape(names)}">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]
    for number, chart in enumerate(charts):
        parts += [f'<g transform="translate({number * WIDTH} 0)">', *_chart(chart), "</g>"]
    for number, curve in enumerate(labels.values()):
        x = 20 + (number % columns) * (width - 20) / columns
        y = HEIGHT + ROW * (number // columns) + 4
        parts.append(_line([(x, y), (x + 30, y)], curve))
        parts.append(f'<text x="{x + 38:.0f}" y="{y + 4:.0f}">{escape(curve.label)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _chart(chart: Chart) -> list[str]:
    points = [point for curve in chart.curves for point in curve.drawable()]
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        f'<text class="title" x="{LEFT}" y="20">{escape(chart.title)}</text>',
        f'<path class="frame" d="M{LEFT} {TOP}H{right}V{bottom}H{LEFT}Z"/>',
        _middle(f'x="{(LEFT + right) / 2:.0f}" y="{HEIGHT - 10}"', chart.x_label),
        _middle(f'transform="translate(13 {(TOP + bottom) / 2:.0f}) rotate(-90)"', chart.y_label),
    ]
    if not points:
        return parts
    across = Axis.around([x for x, _ in points], LEFT, right)
    up = Axis.around([y for _, y in points], bottom, TOP)
    for value in across.ticks():
        x = across.place(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>')
        parts.append(_middle(f'x="{x:.1f}" y="{bottom + 16}"', short(value)))
    for value in up.ticks():
        y = up.place(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text class="end" x="{LEFT - 6}" y="{y + 4:.1f}">{short(value)}</text>')
    for curve in chart.curves:
        places = [(across.place(x), up.place(y)) for x, y in curve.drawable()]
        parts.append(_line(places, curve))
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="var(--c{curve.colour})"/>'
            for x, y in places
        ]
    return parts


def _middle(where: str, text: str) -> str:
    return f'<text class="middle" {where}>{escape(text)}</text>'


def _line(places: Sequence[tuple[float, float]], curve: Curve) -> str:
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places) if places else ""
    dash = DASHES[curve.dash]
    pattern = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path class="curve" stroke="var(--c{curve.colour})"{pattern} d="{d}"/>'


def short(value: float) -> str:
    """Write 20000000 as 20 M, and 0.05 as 0.05."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
