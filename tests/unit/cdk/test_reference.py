"""The pages about the infrastructure say what the code says."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from cdk import reference
from cdk.settings import Settings
from tests.unit.cdk.support import REPOSITORY

HOW_TO = (REPOSITORY / "docs" / "how-to" / "deploy-aws.md").read_text()


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_reference_page_is_up_to_date_when_the_table_changed(name: str) -> None:
    assert (reference.FOLDER / name).read_text() == reference.pages()[name], (
        "run python -m cdk.reference"
    )


def test_every_setting_is_documented_with_its_default_when_listed() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", HOW_TO, re.MULTILINE))
    assert set(rows) == {spec.name for spec in fields(Settings)}
    for name, shown in rows.items():
        default = getattr(Settings(), name)
        if default not in ("", ()):
            written = str(default).lower() if isinstance(default, bool) else str(default)
            assert shown == f"`{written}`", name


def test_commands_name_real_modules_and_settings_when_shown() -> None:
    for module in re.findall(r"python -m ([\w.]+)", HOW_TO):
        assert (REPOSITORY / (module.replace(".", "/") + ".py")).exists(), module
    for setting in re.findall(r"-c ([a-z]\w*)=(?!value)", HOW_TO):
        assert hasattr(Settings(), setting)
