"""What comes of every source of the matrix. `90p` is the only rung: 160x90 unless the picture is
smaller or has another shape."""

from __future__ import annotations

from tests.harness.trial import Made, Outcome, Refused

_SECOND = Made("160x90", 25, "25")
_SECOND_WITH_SOUND = Made("160x90", 25, "25", sounds=1)
_NO_VIDEO = Refused(4, "NO_VIDEO_STREAM")
_NOT_A_VIDEO = Refused(3, "NOT_A_VIDEO")
_REFERENCE = Refused(4, "EXTERNAL_REFERENCE")

EXPECTED: dict[str, Outcome] = {
    # No videos.
    "zero-bytes.mp4": Refused(3, "EMPTY_FILE"),
    "text.mp4": _NOT_A_VIDEO,
    "noise.mp4": _NOT_A_VIDEO,
    "audio-only.m4a": _NO_VIDEO,
    "cover-only.m4a": _NO_VIDEO,
    # Containers.
    "h264-aac.mp4": _SECOND_WITH_SOUND,
    "h264-aac.ts": _SECOND_WITH_SOUND,
    "h264-aac.flv": _SECOND_WITH_SOUND,
    "h264-aac.mkv": _SECOND_WITH_SOUND,
    "fragmented.mp4": _SECOND_WITH_SOUND,
    "video-only.mp4": _SECOND,
    "mpeg2-mp2.mpg": _SECOND_WITH_SOUND,
    # ffmpeg's MPEG-4 in AVI has an empty chunk second: 26 slots.
    "mpeg4-mp3.avi": Made("160x90", 26, "25", sounds=1),
    "vp8-vorbis.webm": _SECOND_WITH_SOUND,
    "vp9-opus.webm": _SECOND_WITH_SOUND,
    "prores-pcm.mov": _SECOND_WITH_SOUND,
    "h263-aac.3gp": _SECOND_WITH_SOUND,
    "theora-vorbis.ogv": _SECOND_WITH_SOUND,
    "wmv2-wma.wmv": _SECOND_WITH_SOUND,
    "mpeg2-pcm.mxf": _SECOND_WITH_SOUND,
    "vp8.ivf": _SECOND,
    "animation.gif": Made("160x90", 10, "10"),
    # Times.
    "one-frame.mp4": Made("160x90", 1, "25"),
    "fifth-of-a-second.mp4": Made("160x90", 5, "25", sounds=1),
    "thirteen-hours.mp4": Refused(6, "LIMIT_EXCEEDED"),
    # 146 pictures in 2.5 s are 58 a second, within the precision that rates have.
    "1-to-240-fps.mp4": Made("160x90", 145, "58"),
    "240-fps.mp4": Made("160x90", 60, "60"),
    "h264-without-pts.avi": _SECOND,
    "every-pts.ts": _SECOND,
    "few-pts.ts": _SECOND,
    "pts-wrap.ts": Made("160x90", 50, "25", sounds=1),
    # Pictures.
    "odd-size.mp4": _SECOND,
    "odd-size-nv12.mkv": Made("160x90", 3, "25"),
    "odd-size-yuyv422.mkv": Made("160x90", 3, "25"),
    "odd-size-yuva420p.mkv": Made("160x90", 3, "25"),
    "1x1.mkv": Made("2x2", 10, "25"),
    "16384x1.mkv": Made("4096x2", 5, "25"),
    "1x16384.mkv": Made("2x4096", 5, "25"),
    "8k.mp4": Made("160x90", 2, "25"),
    "10-bit.mkv": _SECOND,
    "12-bit.mkv": _SECOND,
    "422.mp4": _SECOND,
    "444.mp4": _SECOND,
    "alpha.mov": _SECOND,
    "alpha-yuv.mov": _SECOND,
    "palette.mov": _SECOND,
    "gray.mkv": _SECOND,
    "rotated-0.mp4": _SECOND,
    "rotated-90.mp4": Made("90x160", 25, "25"),
    "rotated-180.mp4": _SECOND,
    "rotated-270.mp4": Made("90x160", 25, "25"),
    "interlaced-tff.mpg": _SECOND,
    "interlaced-bff.mpg": _SECOND,
    "first-size.ts": _SECOND,
    "second-size.ts": Made("90x90", 25, "25"),
    "large-size.ts": _SECOND,
    "size-change.ts": Made("160x90", 50, "25"),
    "growing.ts": Made("160x90", 50, "25"),
    "hdr10.mp4": Made("160x90", 10, "25"),
    "hlg.mp4": Made("160x90", 10, "25"),
    "dolby-vision-8.mp4": Made("160x90", 10, "25"),
    # Sounds.
    "9-audio-tracks.mp4": Made("160x90", 15, "25", sounds=8),
    "96-khz.mkv": _SECOND_WITH_SOUND,
    "8-bit-mono.avi": _SECOND_WITH_SOUND,
    "24-channels.mov": _SECOND_WITH_SOUND,
    "cover-and-film.mp4": _SECOND_WITH_SOUND,
    # References to other files.
    "playlist.mp4": _REFERENCE,
    "concat.mp4": _REFERENCE,
    "manifest.mp4": _REFERENCE,
    "vobsub.mp4": _NOT_A_VIDEO,
    "index-last.mov": _SECOND_WITH_SOUND,
    "dref.mov": _REFERENCE,
    "rmra.mov": _REFERENCE,
    "gab2.avi": _REFERENCE,
}

FACTS: dict[str, tuple[str, dict[str, object]]] = {
    # What the probe must have noticed: of the first stream of a kind.
    "1-to-240-fps.mp4": ("video", {"variable_frame_rate": True}),
    "240-fps.mp4": ("video", {"variable_frame_rate": False, "frames": 240}),
    "odd-size.mp4": ("video", {"width": 161, "height": 91}),
    "16384x1.mkv": ("video", {"width": 16384, "height": 1}),
    "8k.mp4": ("video", {"width": 7680, "height": 4320}),
    "10-bit.mkv": ("video", {"bit_depth": 10}),
    "12-bit.mkv": ("video", {"bit_depth": 12}),
    "422.mp4": ("video", {"pixel_format": "yuv422p10le"}),
    "444.mp4": ("video", {"pixel_format": "yuv444p"}),
    "alpha.mov": ("video", {"pixel_format": "argb"}),
    "alpha-yuv.mov": ("video", {"pixel_format": "yuva444p12le"}),
    "palette.mov": ("video", {"pixel_format": "pal8"}),
    "rotated-90.mp4": ("video", {"rotation": 90, "display_width": 90}),
    "rotated-180.mp4": ("video", {"rotation": 180, "display_width": 160}),
    "rotated-270.mp4": ("video", {"rotation": 270, "display_width": 90}),
    "interlaced-tff.mpg": ("video", {"interlaced": True}),
    "interlaced-bff.mpg": ("video", {"interlaced": True}),
    "hdr10.mp4": ("video", {"hdr": "pq", "bit_depth": 10}),
    "hlg.mp4": ("video", {"hdr": "hlg", "bit_depth": 10}),
    "dolby-vision-8.mp4": ("video", {"hdr": "pq", "codec": "hevc"}),
    "cover-and-film.mp4": ("video", {"codec": "h264", "attached_picture": False}),
    "96-khz.mkv": ("audio", {"sample_rate_hz": 96_000}),
    "8-bit-mono.avi": ("audio", {"codec": "pcm_u8", "channels": 1}),
    "24-channels.mov": ("audio", {"channels": 24}),
}
