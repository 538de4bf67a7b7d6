"""What is in an image: Debian's packages and Python's, as a CycloneDX 1.6 document.

Run in the image it tells of, with the interpreter whose packages count. The same image gives the
same text: no clock, no chance.

    python sbom.py NAME COMPILED_IN >sbom.cdx.json

COMPILED_IN: lines as of `dpkg-query`, of packages that were only there to compile the engine and
that are part of it (headers). NAME: the image's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

from millrace import __version__

FIELDS = "${Package}\t${Version}\t${Architecture}\n"


def installed_debian() -> list[str]:
    """A line of `FIELDS` for each package. Raises `CalledProcessError`, `FileNotFoundError`."""
    found = subprocess.run(
        ["dpkg-query", "-W", "-f", FIELDS], check=True, capture_output=True, text=True
    )
    return found.stdout.splitlines()


def debian(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Components of lines of `FIELDS`."""
    components = []
    for line in lines:
        name, version, architecture = line.split("\t")
        place = f"pkg:deb/debian/{quote(name)}@{quote(version, safe=':')}"
        purl = f"{place}?arch={architecture}&distro=debian-12"
        components.append(_component(name, version, purl))
    return components


def python(distributions: Iterable[metadata.Distribution]) -> list[dict[str, Any]]:
    """Components of installed Python packages."""
    components = []
    for each in distributions:
        name = each.metadata["Name"]
        plain = name.lower().replace("_", "-").replace(".", "-")
        purl = f"pkg:pypi/{quote(plain)}@{quote(each.version)}"
        licence = each.metadata.json.get("license_expression")
        components.append(_component(name, each.version, purl, str(licence or "")))
    return components


def _component(name: str, version: str, purl: str, licence: str = "") -> dict[str, Any]:
    component: dict[str, Any] = {"type": "library", "name": name, "version": version}
    component |= {"bom-ref": purl, "purl": purl}
    if licence:
        component["licenses"] = [{"expression": licence}]
    return component


def document(image: str, components: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The whole, in the order of the names; its serial number follows from the content."""
    unique = {str(component["purl"]): component for component in components}
    ordered = [unique[purl] for purl in sorted(unique)]
    subject = {
        "type": "container",
        "bom-ref": image,
        "name": image,
        "version": __version__,
        "licenses": [{"license": {"id": "GPL-2.0-or-later"}}],
    }
    content = json.dumps([subject, ordered])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, content).urn,
        "version": 1,
        "metadata": {"component": subject},
        "components": ordered,
    }


def main() -> None:
    image, compiled_in = sys.argv[1:]
    lines = [*installed_debian(), *Path(compiled_in).read_text().splitlines()]
    components = [*debian(lines), *python(metadata.distributions())]
    json.dump(document(image, components), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
