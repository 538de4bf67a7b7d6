"""Small SVG line charts, the same bytes for the same data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.hashsalt": "millrace",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "axes.grid": True,
        "grid.alpha": 0.3,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.facecolor": "white",
        "legend.frameon": False,
    }
)

from matplotlib import pyplot as plt  # noqa: E402 - the back end is chosen above

Points = Sequence[tuple[float, float]]


def lines(
    path: Path,
    series: Mapping[str, Points],
    *,
    x: str,
    y: str,
    title: str,
    logarithmic: bool = False,
    marked: bool = True,
) -> None:
    """One panel, every series by its name in the legend."""
    panels(path, {title: (y, series)}, x=x, logarithmic=logarithmic, marked=marked, size=(6.4, 3.8))


def panels(
    path: Path,
    content: Mapping[str, tuple[str, Mapping[str, Points]]],
    *,
    x: str,
    logarithmic: bool = False,
    marked: bool = False,
    size: tuple[float, float] | None = None,
) -> None:
    """Panels below each other that share their x axis: title → (y label, series)."""
    shape = size or (6.8, 2.2 * len(content))
    figure, axes = plt.subplots(len(content), 1, sharex=True, squeeze=False, figsize=shape)
    for axis, (title, (y, series)) in zip(axes[:, 0], content.items(), strict=True):
        for name, points in series.items():
            axis.plot(*zip(*points, strict=True), marker="o" if marked else "", ms=4, label=name)
        axis.set_title(title, fontsize=10)
        axis.set_ylabel(y)
        if logarithmic:
            axis.set_xscale("log")
            axis.set_yscale("log")
        if len(series) > 1:
            axis.legend(fontsize=8)
    axes[-1, 0].set_xlabel(x)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    lines_ = path.read_text().splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines_) + "\n")
