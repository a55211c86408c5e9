"""Writes the schedule to the file from which Airflow makes its DAGs, and says whether that file is up to date."""

from __future__ import annotations

from pathlib import Path

from portmesh.errors import FindingsError

PATH = Path("orchestration/dags/portmesh_schedule.json")


def is_up_to_date(root: Path, text: str) -> bool:
    """Whether the file has this text."""
    return (root / PATH).is_file() and (root / PATH).read_text(encoding="utf-8") == text


def write(root: Path, text: str) -> None:
    """Write this text to the file."""
    (root / PATH).parent.mkdir(parents=True, exist_ok=True)
    (root / PATH).write_text(text, encoding="utf-8")


def assert_up_to_date(root: Path, text: str) -> None:
    """Raise FindingsError if the file is missing or differs."""
    if not is_up_to_date(root, text):
        what = "older than the mesh" if (root / PATH).is_file() else "missing"
        raise FindingsError(
            "The schedule of Airflow is not up to date: 1 finding.",
            [(str(PATH), what)],
            "portmesh schedule, then commit the file and deploy it",
        )
