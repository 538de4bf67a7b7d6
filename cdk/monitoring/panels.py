"""The kinds of panel that the Grafana dashboards are made of, all fed by Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.models import common as options
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
"""Whichever Prometheus is chosen in the dashboard."""
_WIDTH = 24
"""Of Grafana's grid, in columns."""
_GRAPH_HEIGHT, _NUMBER_HEIGHT = 8, 4


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what a series of its answer is called."""

    expression: str
    legend: str = ""


AnyPanel = timeseries.Panel | stat.Panel | heatmap.Panel


def graph(
    title: str, unit: str, *queries: Query, meaning: str = "", stacked: bool = False
) -> timeseries.Panel:
    """Lines over time.

    Args:
        unit: one of Grafana's, e.g. `s`, `bytes`, `short`.
        meaning: shown beside the title.
    """
    panel = timeseries.Panel().min(0).fill_opacity(30 if stacked else 8)
    panel.legend(
        common.VizLegendOptions()
        .display_mode(options.LegendDisplayMode.LIST)
        .placement(options.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    panel.tooltip(common.VizTooltipOptions().mode(options.TooltipDisplayMode.MULTI))
    if stacked:
        panel.stacking(common.StackingConfig().mode(options.StackingMode.NORMAL))
    _fill(panel, title, unit, meaning, _GRAPH_HEIGHT)
    for number, query in enumerate(queries):
        panel.with_target(_target(query, number).range())
    return panel


def number(title: str, unit: str, expression: str, meaning: str = "") -> stat.Panel:
    """The newest value, large."""
    panel = stat.Panel().graph_mode(options.BigValueGraphMode.AREA)
    panel.color_mode(options.BigValueColorMode.NONE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    _fill(panel, title, unit, meaning, _NUMBER_HEIGHT)
    return panel.with_target(_target(Query(expression), 0).range())


def heat(title: str, unit: str, expression: str, meaning: str = "") -> heatmap.Panel:
    """How a histogram's buckets fill over time.

    Args:
        unit: of the buckets' bounds.
        expression: one series for each bucket, by `le`.
    """
    panel = heatmap.Panel().calculate(False).y_axis(heatmap.YAxisConfig().unit(unit))
    colour = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges")
    panel.color(colour.steps(64).exponent(0.5).fill("dark-orange"))
    panel.cell_gap(1)
    _fill(panel, title, "short", meaning, _GRAPH_HEIGHT)
    query = _target(Query(expression, "{{le}}"), 0).format(PromQueryFormat.HEATMAP).range()
    return panel.with_target(query)


def lay_out(dashboard: grafana.Dashboard, rows: Mapping[str, Sequence[AnyPanel]]) -> None:
    """Puts each row's panels under its heading; they share the width."""
    numbers = count(1)
    for heading, panels in rows.items():
        dashboard.with_row(grafana.Row(heading).id(next(numbers)))
        for panel in panels:
            dashboard.with_panel(panel.id(next(numbers)).span(_WIDTH // len(panels)))


def _fill(panel: AnyPanel, title: str, unit: str, meaning: str, height: int) -> None:
    panel.title(title).unit(unit).datasource(SOURCE).height(height)
    if meaning:
        panel.description(meaning)


def _target(query: Query, number: int) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expression).datasource(SOURCE)
    return target.legend_format(query.legend or "__auto").ref_id(chr(ord("A") + number))
