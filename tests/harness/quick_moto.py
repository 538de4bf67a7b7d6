"""moto without what it works out again at every call. What it answers stays the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

import moto.core.responses
import moto.core.utils
import moto.sqs.models
from moto import backend_index, mock_aws

SERVICES = ("dynamodb", "moto_api._internal", "s3", "sns", "sqs")


@contextmanager
def quick_moto() -> Iterator[None]:
    """`mock_aws` that looks for an address among the services Millrace's functions use, not among
    all 180, and converts every name once."""
    convert = cache(moto.core.utils.camelcase_to_underscores)
    modules: tuple[Any, ...] = (moto.core.responses, moto.sqs.models)
    patterns = [entry for entry in backend_index.backend_url_patterns if entry[0] in SERVICES]
    with (
        mock_aws(),
        mock.patch.object(backend_index, "backend_url_patterns", patterns),
        mock.patch.object(modules[0], "camelcase_to_underscores", convert),
        mock.patch.object(modules[1], "camelcase_to_underscores", convert),
    ):
        yield
