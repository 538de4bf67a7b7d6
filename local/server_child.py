"""What LocalStack's interpreter runs: arrange to die with the launcher, then become LocalStack."""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def die_with_parent(parent_pid: int) -> None:
    """The kernel kills this process when the thread that forked it ends, however it ends.

    SIGKILL, because a LocalStack that hangs while ending would outlive its launcher, and the saved
    state is made for it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # the launcher ended before the call above
        sys.exit(1)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    # As `python -m` has it: not this folder but the working directory comes first.
    sys.path[0] = os.environ["PYTHONPATH"]
    sys.argv = ["localstack.runtime.main"]
    try:
        runpy.run_module("localstack.runtime.main", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        # Everything is stopped and saved. Python's own way out would still wait for LocalStack's
        # threads and collect its whole heap: 5 to 50 seconds.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
