"""Formatters, linters, type checkers and import contracts, each as one test."""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
VENV = Path(sys.executable).parent
ENGINE_BUILD = REPOSITORY / "build/engine/release"
TOGETHER = 5
_ANALYSE_ALL = ("-analyzer-opt-analyze-headers", "-analyzer-config", "mode=shallow")
"""The analyzer follows the paths of what is in the main file only, and here all is included: also
the libraries, which is why it does not follow them far."""
# The build joins sources into some translation units, and these are joined further: what takes time
# is the headers of the libraries, which each is linted with.
UNITS = [
    [str(unit.relative_to(REPOSITORY)) for unit in units[start : start + TOGETHER]]
    for target in sorted(ENGINE_BUILD.glob("CMakeFiles/*/Unity"))
    for units in [sorted(target.glob("unity_*.cxx"))]
    for start in range(0, len(units), TOGETHER)
]


def tracked(*patterns: str) -> list[str]:
    """Files git knows, or would if they were added; outside a git checkout, none."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listing.stdout.splitlines() if (REPOSITORY / name).exists()]


def run(*command: str) -> None:
    path = f"{VENV}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, "PYTHONPATH": f"{REPOSITORY}/layers/core/python:."},
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command[:6])}…\n{done.stdout[-6000:]}{done.stderr[-3000:]}", False)


def test_python_is_lint_free() -> None:
    run("ruff", "check", ".")


def test_python_is_formatted() -> None:
    run("ruff", "format", "--check", ".")


def test_python_types_hold() -> None:
    run("mypy", "app.py", "layers", "functions", "cdk", "cli", "local", "tests", "bench", "docs")


def test_imports_follow_the_architecture() -> None:
    run("lint-imports")


@pytest.mark.parametrize("source", tracked("app.py", "functions/*.py"))
def test_api_and_functions_import_the_domain_only(source: str) -> None:
    tree = ast.parse((REPOSITORY / source).read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert "millrace" in imported
    assert imported & {"app", "cdk", "cli", "local", "functions", "tests"} == set()


def test_javascript_types_hold() -> None:
    run("node", "node_modules/typescript/bin/tsc", "-p", "tsconfig.json")


def test_cpp_is_formatted() -> None:
    run("clang-format", "--dry-run", "--Werror", *tracked("engine/*.cpp", "engine/*.h"))


@pytest.mark.needs_engine
@pytest.mark.parametrize("units", UNITS or [["of an engine that is not built"]])
def test_cpp_has_no_lint(units: list[str], tmp_path: Path) -> None:
    joined = tmp_path / "joined.cpp"
    joined.write_text("".join(f'#include "{REPOSITORY / unit}"\n' for unit in units))
    config = "--config-file=engine/.clang-tidy"
    analyser = [word for option in _ANALYSE_ALL for word in ("-Xclang", option)]
    options = [*_options_of(units[0]), *analyser]
    run("clang-tidy", config, "--quiet", str(joined), "--", *options)


def _options_of(unit: str) -> list[str]:
    """That the compiler got for a translation unit, without what names files."""
    commands = json.loads((ENGINE_BUILD / "compile_commands.json").read_text())
    (command,) = [entry["command"] for entry in commands if entry["file"].endswith(unit)]
    return [
        option
        for option in shlex.split(command)[1:]
        if option not in ("-o", "-c") and not option.endswith((".o", ".cxx"))
    ]
