"""LocalStack's index of AWS's service descriptions, built once a virtual environment.

It takes seconds, and LocalStack would do it again for every new state directory.
"""

# LocalStack lives in another virtual environment: its types are unknown where types are checked.
# mypy: disable-error-code="import-not-found, misc, untyped-decorator, no-any-return"

from __future__ import annotations

import os
import sys
from pathlib import Path

from localstack import config
from localstack.aws import spec


def share_catalog() -> None:
    """Use the environment's index, making it first where it is missing and may be written."""
    folder = Path(sys.prefix) / "share" / "millrace"
    path = folder / spec._get_catalog_filename()
    if not path.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            temporary = folder / f".{path.name}.{os.getpid()}"
            spec.build_service_index_cache(str(temporary))
            temporary.replace(path)
        except OSError:  # somebody else's environment: LocalStack keeps one in the state directory
            return
    config.dirs.static_libs = str(folder)
