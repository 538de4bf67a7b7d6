"""What the reference and the man page say beside the commands' own help."""

from __future__ import annotations

from collections.abc import Mapping

EVENTS: Mapping[str, str] = {
    "plan": "`file`, `output`, `duration_s`, `job` (what the engine is asked for), `notes`, "
    "`left_out`, `ffmpeg` (about the same in its words)",
    "trial": "`number`, `crf`, `vmaf`: of `--target-vmaf`",
    "progress": "`file`, `stage`, `fraction` (0 to 1 of the whole work; null where the length is "
    "not known), `eta_s`, `frames`, `fps`, `speed`, `bytes`, `bitrate_bps`",
    "warning": "`code`, `message`, `file`; where they are known `stream`, `time_s`",
    "job": "of `batch`, each file at its end: `source`, `target`, `state`, `attempts`, `reason`, "
    "`message`, `file`, `stream`, `time_s`, `advice`, `source_bytes`, `target_bytes`, `took_s`; "
    "`warnings`, a list of texts, each of which was an event before",
    "summary": "of `batch`: how many are `done`, `skipped`, `failed`, `pending`, `running`; "
    "`source_bytes`, `target_bytes`",
    "result": "last on success: `file`, `output`, and what was made",
    "error": "last on failure: `reason`, `exit_code`, `file`, `stream`, `time_s`, `message`, "
    "`advice`",
}
"""Members of the events of `--json`, by their `type`."""

ENVIRONMENT: Mapping[str, str] = {
    "MILLRACE_ENGINE": "the engine's program, if it is not the one that came with the command",
    "MILLRACE_FFMPEG": "an ffmpeg with libvmaf, for `--target-vmaf`",
    "NO_COLOR": "if set, nothing is coloured",
    "TMPDIR": "where samples and the notes of a first pass lie while they are needed",
}

SHARED_OPTIONS: Mapping[str, str] = {
    "--json": "Events for programs on standard output, one JSON object a line.",
    "-q, --quiet": "Errors only.",
    "-v, --verbose": "More; after a failure, the engine's log.",
    "-h, --help": "The command's help page, with examples.",
}
"""Of every command."""
