"""One file converted: the plan, the passes, the check, the place."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.console import size_text
from cli.media import checks, facts, ffmpeg_line, fit, output, vmaf
from cli.media.decide import Decision, decide
from cli.media.failures import Failure, of_output
from cli.media.job import Job, convert
from cli.media.progress import Progress, Stage
from cli.media.units import clock
from cli.media.voice import Voice
from cli.media.wishes import Wishes, container_of, has_pictures

_PASS_1, _PASS_2, _AGAIN = "pass 1", "pass 2", "once more"
_TWO_PASSES = (Stage(_PASS_1, 0.45), Stage(_PASS_2, 0.55))


@dataclass(frozen=True, slots=True)
class Conversion:
    """A file, where it goes, and how."""

    source: Path
    target: Path
    wishes: Wishes
    voice: Voice

    def plan(self, scratch: Path) -> Decision:
        """What will be done; with --target-vmaf, after trials.

        Raises:
            Failure: what is wanted cannot be had.
        """
        container = container_of(self.target)
        wishes = replace(self.wishes, pictures=has_pictures(self.target))
        found = facts.of(self.source)
        for warning in found["warnings"]:
            self.voice.warn(warning["code"], warning["message"], file=str(self.source))
        decision = decide(found, self.source, wishes, container)
        if wishes.size_bytes is not None:
            unsized = decide(found, self.source, replace(wishes, size_bytes=None), container)
            kept = unsized.copied and not wishes.two_pass
            if kept and fit.fits(self.source, wishes.size_bytes):
                return unsized
            return self._sized(decision, wishes.size_bytes, scratch)
        job = decision.job
        if wishes.two_pass and wishes.bitrate_bps is not None:
            job = fit.at_rate(job, wishes.bitrate_bps, _stats(scratch))
        elif wishes.target_vmaf is not None:
            job = self._sampled(decision, wishes.target_vmaf, scratch)
        return replace(decision, job=job)

    def _sized(self, decision: Decision, most: int, scratch: Path) -> Decision:
        """At the rate that makes at most so many bytes."""
        decision = fit.with_lighter_sound(decision, most, self.wishes)
        rate_bps = fit.bitrate_bps(decision, most, self.source)
        rate_bps = min(rate_bps, fit.useful_bps(decision) or rate_bps)
        return replace(decision, job=fit.at_rate(decision.job, rate_bps, _stats(scratch)))

    def _sampled(self, decision: Decision, target: float, scratch: Path) -> Job:
        def tell(number: int, trial: vmaf.Trial) -> None:
            self.voice.event("trial", number=number, crf=trial.crf, vmaf=round(trial.vmaf, 2))
            self.voice.say(f"trial {number}: crf {trial.crf} gives VMAF {trial.vmaf:.1f}")

        job = decision.job
        _require_plain(scratch)
        found = vmaf.crf_for(
            target,
            self.source,
            job,
            decision.duration_s,
            scratch=scratch,
            effort=self.wishes.effort,
            on_trial=tell,
        )
        if found.vmaf < target - vmaf.NEAR:
            message = f"No setting tried reaches VMAF {target:g}; crf {found.crf} comes nearest."
            self.voice.warn("VMAF_NOT_REACHED", message, file=str(self.source))
        assert job.video is not None
        return replace(job, video=replace(job.video, crf=found.crf))

    def tell_plan(self, decision: Decision) -> None:
        lines = ffmpeg_line.lines(self.source, decision.job, self.target, decision.stream)
        self.voice.event(
            "plan",
            file=str(self.source),
            output=str(self.target),
            duration_s=decision.duration_s,
            job=decision.job.to_json(),
            notes=decision.notes,
            left_out=decision.left_out,
            ffmpeg=lines,
        )
        for note in decision.notes:
            self.voice.say(note)
        for what in decision.left_out:
            self.voice.warn("LEFT_OUT", f"Left out: {what}.", file=str(self.source))

    def make(self, decision: Decision, scratch: Path) -> None:
        """Do it, and put the result in its place.

        Raises:
            Failure: it did not succeed; nothing is left of it.
        """
        begin_s = time.monotonic()
        with output.unfinished(self.target) as path:
            try:
                told = self._encode(decision, path, scratch)
            except Failure as failure:
                raise of_output(failure, self.target, scratch) from failure
            found = checks.made_well(path, self.target, decision.job, told)
            output.publish(path, self.target)
        self._tell_result(decision, told, found, time.monotonic() - begin_s)

    def _encode(self, decision: Decision, path: Path, scratch: Path) -> Mapping[str, Any]:
        job = decision.job
        two = job.video is not None and job.video.stats is not None
        stages = _TWO_PASSES if two else (Stage(""),)
        with Progress(self.voice, self.source.name, stages, decision.pictures) as progress:
            if two:
                self._pass(job, path, scratch, progress, 1)
                progress.stage(_PASS_2)
            told = self._pass(job, path, scratch, progress, 2 if two else None)
        most = self.wishes.size_bytes
        if most is None or decision.copied:
            return told
        return self._within(job, path, scratch, most) or told

    def _pass(
        self, job: Job, path: Path, scratch: Path, progress: Progress, number: int | None
    ) -> Mapping[str, Any]:
        return convert(
            self.source,
            job,
            path,
            scratch=scratch,
            effort=self.wishes.effort,
            number=number,
            on_line=progress.line,
        )

    def _within(self, job: Job, path: Path, scratch: Path, most: int) -> Mapping[str, Any] | None:
        """The second pass again where its file is too large, with a rate that makes up for it.

        Returns:
            The engine's result; None if it was not needed.

        Raises:
            Failure: LIMIT_EXCEEDED, it stays too large.
        """
        told = None
        for part in fit.AGAIN_PARTS:
            made = path.stat().st_size
            if made <= most:
                return told
            self.voice.say(f"{size_text(made)} are more than {size_text(most)}: once more")
            assert job.video is not None
            assert job.video.bitrate_bps is not None
            sound = made - self._picture_bytes(job, made)
            factor = part * max(0.5, (most - sound) / max(1, made - sound))
            job = fit.at_rate(job, int(job.video.bitrate_bps * factor), job.video.stats)
            with Progress(self.voice, self.source.name, (Stage(_AGAIN),)) as progress:
                number = 2 if job.video is not None and job.video.stats else None
                told = self._pass(job, path, scratch, progress, number)
        if path.stat().st_size > most:
            message = f"It became {size_text(path.stat().st_size)}, more than {size_text(most)}."
            advice = "a smaller --scale or a lower --fps leaves more for each picture"
            raise Failure("LIMIT_EXCEEDED", message, file=self.source, advice=advice)
        return told

    @staticmethod
    def _picture_bytes(job: Job, made: int) -> int:
        """Likely share of the pictures."""
        assert job.video is not None
        assert job.video.bitrate_bps is not None
        pictures = job.video.bitrate_bps
        return round(made * pictures / (pictures + sum(track.bitrate_bps for track in job.audio)))

    def _tell_result(
        self, decision: Decision, told: Mapping[str, Any], found: facts.Facts, took_s: float
    ) -> None:
        made, before = found["format"]["bytes"], self.source.stat().st_size
        length_s = float(told["duration_s"])
        self.voice.event(
            "result",
            file=str(self.source),
            output=str(self.target),
            all_copied=decision.copied,
            took_s=round(took_s, 2),
            source_bytes=before,
            **{name: value for name, value in told.items() if name != "type"},
        )
        parts = [clock(length_s), size_text(made)]
        parts += [f"{made / before:.0%} of the source"] if not self.wishes.cut else []
        parts += [f"{length_s / took_s:.1f}× in {clock(took_s)}"] if took_s > 0 else []
        self.voice.good(f"{self.target}: {', '.join(parts)}")


def _stats(scratch: Path) -> str:
    """Where the first of two passes notes what the second needs."""
    _require_plain(scratch)
    return str(scratch / "stats")


def _require_plain(scratch: Path) -> None:
    """Encoders and filters take their settings as one text, in which these separate them."""
    if any(letter in str(scratch) for letter in ":="):
        message = "The folder for temporary files has a “:” or “=” in its name, which encoders \
take for an end."
        raise Failure("USAGE", message, file=scratch.parent, advice="set TMPDIR to another folder")


def run(conversion: Conversion, *, dry: bool) -> None:
    """Plan it, tell the plan, and unless `dry` do it.

    Raises:
        Failure: it did not succeed.
    """
    with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
        scratch = Path(folder).resolve()
        decision = conversion.plan(scratch)
        conversion.tell_plan(decision)
        if dry:
            lines = ffmpeg_line.lines(
                conversion.source, decision.job, conversion.target, decision.stream
            )
            for line in lines:
                conversion.voice.say(f"about the same: {line}")
        else:
            conversion.make(decision, scratch)
