"""From what a file is and what a person wants to what the engine is asked for. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.media import shape
from cli.media.facts import Facts, film
from cli.media.failures import Failure
from cli.media.job import COPY, Audio, Job, Subtitles, Video
from cli.media.presets import AUDIO_BPS_PER_CHANNEL, HIGHEST_CRF, SETTINGS, Quality
from cli.media.units import rate_text
from cli.media.wishes import Tracks, Wishes

_VIDEO = {
    "mp4": {"h264", "hevc", "av1", "vp9", "mpeg4"},
    "mkv": {"h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "theora", "prores", "ffv1"},
    "webm": {"vp8", "vp9", "av1"},
}
_AUDIO = {
    "mp4": {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"},
    "mkv": {"aac", "mp3", "ac3", "eac3", "dts", "truehd", "alac", "opus", "vorbis", "flac"}
    | {"pcm_s16le", "pcm_s24le"},
    "webm": {"opus", "vorbis"},
}
"""What players of the container expect in it; of what else it may hold nothing is copied."""
USUAL = {"mp4": ("h264", "aac"), "mkv": ("h264", "aac"), "webm": ("vp9", "opus")}
"""Codecs of pictures and sound, where none is asked for and a copy is not possible."""
_SURROUND_PART = 0.75
"""Of a channel's rate, where there are more than two: they have much in common."""
_OPUS_MOST_BPS, _AAC_MOST_BPS = 510_000, 512_000
_TEXTS = {"subrip": "subrip", "srt": "subrip", "ass": "ass", "ssa": "ass", "webvtt": "webvtt"}


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with a file."""

    found: Facts
    job: Job
    left_out: tuple[str, ...]
    """What the output does not have, and why."""
    duration_s: float | None
    """Of what is converted."""

    @property
    def copied(self) -> bool:
        """Nothing is encoded."""
        video = self.job.video
        return (video is None or video.copied) and all(it.codec == COPY for it in self.job.audio)

    @property
    def pictures(self) -> int | None:
        """How many will be made, where that is known and their rate varies."""
        video, wanted = self.job.video, self.job
        if video is None or video.fps or video.copied or wanted.start_s or wanted.end_s is not None:
            return None
        stream = self.stream
        assert stream is not None
        counted = self.found["format"]["container"] == "mp4"
        return stream["frames"] if counted and stream["variable_frame_rate"] else None

    @property
    def stream(self) -> Mapping[str, Any] | None:
        """Where the pictures come from; None: there are none in the output."""
        video = self.job.video
        if video is None:
            return None
        streams: list[Mapping[str, Any]] = self.found["video"]
        return next(it for it in streams if it["stream"] == video.stream)

    @property
    def notes(self) -> list[str]:
        """What becomes of each stream, in words."""
        streams = {it["stream"]: it for kind in ("video", "audio") for it in self.found[kind]}
        video = self.job.video
        said = [] if video is None else [_picture_note(streams[video.stream], video)]
        return said + [_sound_note(streams[track.stream], track) for track in self.job.audio]


def decide(found: Facts, file: Path, wishes: Wishes, container: str) -> Decision:
    """Args:
        container: mp4, mkv or webm.

    Raises:
        Failure: what is wanted cannot be had of this file.
    """
    stream = _pictures(found, file, wishes)
    sounds = _chosen("audio", found["audio"], wishes.audio, file)
    if stream is None and not sounds:
        raise Failure("USAGE", "Nothing is left of it.", file=file, advice="leave out --audio")
    shown = found["subtitles"] if wishes.pictures else ()
    texts = _chosen("subtitles", shown, wishes.subtitles, file)
    written = [(text, _text_codec(text, wishes, container)) for text in texts]
    covers = [each for each in found["video"] if each["attached_picture"]]
    return Decision(
        found=found,
        job=Job(
            container=container,
            video=None if stream is None else _video(stream, found, file, wishes, container),
            audio=tuple(
                _audio(sound, file, wishes, container, alone=stream is None) for sound in sounds
            ),
            subtitles=tuple(Subtitles(text["stream"], codec) for text, codec in written if codec),
            start_s=wishes.start_s,
            end_s=wishes.end_s,
            metadata=wishes.metadata,
            chapters=wishes.chapters,
        ),
        left_out=(
            *(["the pictures"] if stream is None and film(found) else []),
            *(f"the cover picture (stream {cover['stream']})" for cover in covers),
            *(
                f"subtitles (stream {text['stream']}, {text['codec']}): {container} takes no such"
                for text, codec in written
                if not codec
            ),
        ),
        duration_s=_duration_s(found, file, wishes),
    )


def _pictures(found: Facts, file: Path, wishes: Wishes) -> Mapping[str, Any] | None:
    """The stream to show; None: sound alone is made."""
    stream = film(found) if wishes.pictures else None
    if stream is None and not found["audio"]:
        raise Failure("NO_VIDEO_STREAM", "It has neither pictures nor sound.", file=file)
    if stream is None and wishes.of_pictures:
        named = wishes.of_pictures[0]
        message = f"{named} is about pictures, and sound alone is made."
        raise Failure("USAGE", message, file=file, advice=f"leave out {named}")
    return stream


def _duration_s(found: Facts, file: Path, wishes: Wishes) -> float | None:
    whole_s = found["format"]["duration_s"] or None
    if whole_s is not None and wishes.start_s >= whole_s:
        message = f"--start is {wishes.start_s:g} s, and the film ends at {whole_s:g} s."
        raise Failure("USAGE", message, file=file, advice="choose an earlier --start")
    ends = [end_s for end_s in (whole_s, wishes.end_s) if end_s is not None]
    return min(ends) - wishes.start_s if ends else None


def _video(
    stream: Mapping[str, Any], found: Facts, file: Path, wishes: Wishes, container: str
) -> Video:
    # AVI tells when pictures are decoded, and not when they are shown.
    untimed = found["format"]["container"] == "avi" and stream["reordered"]
    if wishes.codec == COPY:
        _check_copy(stream, file, wishes, container, untimed=untimed)
        return Video(stream["stream"], COPY)
    codec = wishes.codec or USUAL[container][0]
    if codec not in _VIDEO[container]:
        message = f"{container} does not take {codec}."
        raise Failure(
            "USAGE", message, file=file, advice="write to .mkv, or choose another --codec"
        )
    if _may_copy(stream, wishes, container) and not untimed:
        return Video(stream["stream"], COPY)
    return _encoded(stream, file, wishes, codec)


def _may_copy(stream: Mapping[str, Any], wishes: Wishes, container: str) -> bool:
    """Nothing needs changing: not the codec, nor the pictures, nor their rate, nor the time."""
    own = stream["codec"]
    wanted = own in _VIDEO[container] if wishes.codec is None else own == wishes.codec
    # Matroska has no edit list, and its writer here no place for a rotation.
    plain = not (stream["rotation"] or stream["hides_first_pictures"]) or container == "mp4"
    mapped = bool(stream["hdr"]) and wishes.hdr == "tonemap"
    changed = wishes.rated or wishes.reshaped or wishes.cut or mapped
    return wanted and plain and not changed


def _check_copy(
    stream: Mapping[str, Any], file: Path, wishes: Wishes, container: str, *, untimed: bool
) -> None:
    own, number, turned = stream["codec"], stream["stream"], stream["rotation"]
    if own not in _VIDEO[container]:
        message = f"{container} does not take {own}."
        advice = "write to .mkv, or leave out --codec copy"
        raise Failure("UNSUPPORTED_CODEC", message, file=file, stream=number, advice=advice)
    if wishes.rated or wishes.reshaped:
        raise _not_copied("Copied pictures keep their size, rate and quality.", file, number)
    if stream["hdr"] and wishes.hdr == "tonemap":
        raise _not_copied("Copied pictures keep their HDR.", file, number)
    if untimed:
        message = "An AVI does not tell when its pictures are shown, which a copy would have to."
        raise _not_copied(message, file, number)
    if turned and container != "mp4":
        message = f"Its pictures are turned by {turned}°, which is lost in a copy to {container}."
        raise _not_copied(message, file, number, "write to .mp4, or ")


def _not_copied(message: str, file: Path, stream: int, instead: str = "") -> Failure:
    advice = f"{instead}leave out --codec copy"
    return Failure("USAGE", message, file=file, stream=stream, advice=advice)


def _encoded(stream: Mapping[str, Any], file: Path, wishes: Wishes, codec: str) -> Video:
    setting = SETTINGS[codec][wishes.quality or Quality.MEDIUM]
    crf: float | None = setting.crf if wishes.crf is None else wishes.crf
    if crf is not None and crf > HIGHEST_CRF[codec]:
        message = f"--crf of {codec} goes to {HIGHEST_CRF[codec]}."
        raise Failure("USAGE", message, file=file, advice="choose a lower one")
    if stream["hdr"] and wishes.hdr == "keep" and codec == "h264":
        message = "h264 is encoded with 8 bits here, which cannot keep HDR."
        advice = "--codec hevc or av1; without --hdr keep it is mapped to SDR"
        raise Failure("USAGE", message, file=file, stream=stream["stream"], advice=advice)
    keep = wishes.hdr == "keep" or (wishes.hdr is None and codec != "h264")
    deep = stream["bit_depth"] > 8 and codec != "h264"
    size = shape.size(stream, wishes, file)
    return Video(
        stream=stream["stream"],
        codec=codec,
        preset=wishes.speed or setting.speed,
        crf=None if wishes.bitrate_bps else crf,
        bitrate_bps=wishes.bitrate_bps,
        crop=wishes.crop,
        width=size and size[0],
        height=size and size[1],
        fps=wishes.fps,
        hdr="tonemap" if stream["hdr"] and not keep else "keep",
        pixel_depth=10 if (stream["hdr"] and keep) or (deep and not stream["hdr"]) else 8,
    )


def _chosen(
    kind: str, streams: Sequence[Mapping[str, Any]], tracks: Tracks, file: Path
) -> list[Mapping[str, Any]]:
    """In the file's order.

    Raises:
        Failure: a number or a language that is not there.
    """
    if tracks.all or not tracks.names:
        return list(streams) if tracks.all else []
    numbers = {str(number): stream for number, stream in enumerate(streams, 1)}
    wanted: list[int] = []
    for name in tracks.names:
        named = [numbers[name]] if name in numbers else []
        named += [stream for stream in streams if stream["language"] == name]
        if not named:
            there = ", ".join(f"{n} ({it['language']})" for n, it in numbers.items()) or "none"
            message = f"There is no track {name} of {kind}; there are: {there}."
            raise Failure("USAGE", message, file=file, advice="`millrace probe FILE` lists them")
        wanted += [stream["stream"] for stream in named]
    return [stream for stream in streams if stream["stream"] in wanted]


def _audio(
    stream: Mapping[str, Any], file: Path, wishes: Wishes, container: str, *, alone: bool
) -> Audio:
    """Args:
    alone: without pictures, so that the quality asked for is the sound's.
    """
    own, number = stream["codec"], stream["stream"]
    known_bps = stream["bitrate_bps"] or 64_000 * stream["channels"]
    if wishes.audio_codec == COPY:
        return Audio(number, COPY, known_bps)
    same = own in _AUDIO[container] if wishes.audio_codec is None else own == wishes.audio_codec
    mixed = wishes.channels not in (None, stream["channels"])
    codec = wishes.audio_codec or USUAL[container][1]
    if codec not in _AUDIO[container]:
        message, advice = f"{container} does not take {codec}.", "leave out --audio-codec"
        raise Failure("USAGE", message, file=file, stream=number, advice=advice)
    rated = wishes.audio_bitrate_bps or (alone and wishes.quality)
    if same and not (mixed or rated or wishes.cut):
        return Audio(number, COPY, known_bps)
    channels = wishes.channels or stream["channels"]
    quality = wishes.quality or Quality.MEDIUM
    usual_bps = AUDIO_BPS_PER_CHANNEL[codec][quality] * channels
    usual_bps = round(usual_bps * (_SURROUND_PART if channels > 2 else 1))
    most_bps = _OPUS_MOST_BPS if codec == "opus" else _AAC_MOST_BPS
    return Audio(
        number, codec, min(wishes.audio_bitrate_bps or usual_bps, most_bps), wishes.channels
    )


def _text_codec(text: Mapping[str, Any], wishes: Wishes, container: str) -> str | None:
    """None: the container takes no such subtitles."""
    own = text["codec"]
    if container == "webm":
        return "webvtt" if text["text"] else None
    if container == "mp4":
        same = own == "mov_text" and not wishes.cut
        return (COPY if same else "mov_text") if text["text"] else None
    if not text["text"] or (own in _TEXTS and not wishes.cut):
        return COPY
    return _TEXTS.get(own, "subrip")


def _picture_note(stream: Mapping[str, Any], video: Video) -> str:
    if video.copied:
        return f"pictures: {stream['codec']} is copied, nothing needs changing"
    rate = rate_text(video.bitrate_bps) if video.bitrate_bps else f"crf {video.crf:g}"
    size = f", {video.width}×{video.height}" if video.width else ""
    depth = ", 10 bit" if video.pixel_depth == 10 else ""
    hdr = ""
    if stream["hdr"]:
        hdr = ", HDR kept" if video.hdr == "keep" else ", HDR mapped to SDR"
    passes = ", two passes" if video.stats else ""
    how = f"{rate}{passes}, {video.preset}{size}{depth}{hdr}"
    return f"pictures: {stream['codec']} to {video.codec}, {how}"


def _sound_note(stream: Mapping[str, Any], audio: Audio) -> str:
    language = "" if stream["language"] == "und" else f" ({stream['language']})"
    if audio.codec == COPY:
        return f"sound{language}: {stream['codec']} is copied"
    return f"sound{language}: {stream['codec']} to {audio.codec}, {rate_text(audio.bitrate_bps)}"
