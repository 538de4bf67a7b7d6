"""Fitting a plan's ladder to one video, by what the engine's `analyse` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from millrace import levels
from millrace.levels import Codec
from millrace.plan import Plan, poster_of
from millrace.renditions import Rendition


def fitted(made: Plan, analysis: Mapping[str, Any]) -> Plan:
    """The plan with the ladder that the engine's `analyse` found for this very video.

    Rungs it calls useless are left out, the others take its quality setting and rate. An analysis
    that is not reliable, or that keeps no rung, changes nothing; nor does any where codecs other
    than H.264, which its trials use, take part.
    """
    found = {rung["name"]: rung for rung in analysis["renditions"] if rung["useful"]}
    others = any(rendition.codec != Codec.H264 for rendition in made.video.renditions)
    if others or not analysis["reliable"] or not found:
        return made
    renditions = tuple(
        _fitted_rendition(rendition, found[rendition.name])
        for rendition in made.video.renditions
        if rendition.name in found
    )
    return replace(
        made,
        video=replace(made.video, renditions=renditions),
        poster=poster_of(renditions, made.duration_s),
    )


def _fitted_rendition(rendition: Rendition, found: Mapping[str, Any]) -> Rendition:
    """Never above the ladder's rate: size and level were chosen for that."""
    rate_bps = min(rendition.maxrate_bps, int(found["maxrate_bps"]))
    return replace(
        rendition,
        crf=int(found["crf"]),
        maxrate_bps=rate_bps,
        bufsize_bits=int(rate_bps * levels.BUFFER_SECONDS),
    )
