"""What the project declares about itself holds: import contracts, reasons of dependencies, sizes of modules."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST_MODULE = 300
# Modules that may be longer, each with its reason. Keep it short, or better empty.
LONGER: dict[str, str] = {}


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    declared = tomllib.loads(text)
    groups = [
        declared["build-system"]["requires"],
        declared["project"]["dependencies"],
        *declared["project"]["optional-dependencies"].values(),
    ]
    requirements = [requirement for group in groups for requirement in group]
    assert requirements
    without = [
        requirement
        for requirement in requirements
        if not re.search(rf'^.*"{re.escape(requirement)}"[\],]*\s+#\s+\w.{{8,}}$', text, re.MULTILINE)
    ]
    assert not without, f"no comment with the reason beside: {without}"


def test_modules_stay_small() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for package in ("engine", "tui")
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    assert lengths
    too_long = {name: length for name, length in lengths.items() if length > LONGEST_MODULE and name not in LONGER}
    assert not too_long, f"split these modules (more than {LONGEST_MODULE} lines): {too_long}"
    stale = [name for name in LONGER if lengths.get(name, 0) <= LONGEST_MODULE]
    assert not stale, f"no longer too long, take them off the list: {stale}"
