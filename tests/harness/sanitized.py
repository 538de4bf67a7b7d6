"""The engine's builds that tests run: the one that is shipped, and the one that objects to every
misuse of memory."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from tests.harness.trial import Engine

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SANITIZED = "asan-ubsan"
FINDING = 99
"""Exit code; none of the engine's: a finding can never pass for a documented end."""
_OWN_EXIT_CODE = f"exitcode={FINDING}"
ENVIRONMENT = {
    "ASAN_OPTIONS": f"detect_leaks=1:allocator_may_return_null=1:{_OWN_EXIT_CODE}",
    "LSAN_OPTIONS": _OWN_EXIT_CODE,
    "UBSAN_OPTIONS": f"halt_on_error=1:print_stacktrace=1:{_OWN_EXIT_CODE}",
}
BOTH = ["release", pytest.param(SANITIZED, marks=pytest.mark.exhaustive)]


def built(preset: str, target: str = "all") -> Path:
    """The build folder of a preset, up to date; one process builds, the others wait."""
    folder = REPOSITORY / "build" / "engine" / preset
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (
            ["cmake", "--preset", preset, "-DMILLRACE_TESTS=OFF"],
            ["cmake", "--build", "--preset", preset, "--target", target],
        ):
            done = subprocess.run(
                command,
                cwd=REPOSITORY / "engine",
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return folder


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Engine:
    """The build that the test's parameter names."""
    preset: str = request.param
    if preset == "release":
        return Engine(preset, {})
    built(preset)
    return Engine(preset, ENVIRONMENT)


def leaky_program(folder: Path) -> Path:
    """A program that forgets what it allocated, built as the sanitized engine is."""
    source = "int main() { for (int n = 0; n < 100; ++n) *(new volatile int[99]) = n; }"
    program = folder / "leaky"
    command = ["c++", "-fsanitize=address,undefined", "-x", "c++", "-", "-o", str(program)]
    subprocess.run(command, input=source.encode(), check=True)
    return program


def ends(program: Path) -> int:
    """Exit code of a program that runs with the sanitizers' options."""
    done = subprocess.run(
        [str(program)], env={**os.environ, **ENVIRONMENT}, capture_output=True, check=False
    )
    return done.returncode
