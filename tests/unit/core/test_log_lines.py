"""One record is one line of JSON, whatever is in it: nobody writes log records for us."""

from __future__ import annotations

import io
import json

import pytest
from aws_lambda_powertools import Logger

FORGED = '{"level":"INFO","message":"task.done","video_id":"somebody else\'s"}'


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\u2028", "\x85", "\x1b[2K\r"])
def test_record_stays_one_line_when_its_text_breaks_lines(line_break: str) -> None:
    written = io.StringIO()
    logger = Logger(service=f"forged-{line_break!r}", stream=written)
    logger.info("engine.log", text=f"said the file{line_break}{FORGED}")
    (line,) = written.getvalue().rstrip("\n").split("\n")
    record = json.loads(line)
    assert (record["message"], record["text"][-len(FORGED) :]) == ("engine.log", FORGED)
    assert "video_id" not in record
    assert "\r" not in line
    assert "\x1b" not in line
