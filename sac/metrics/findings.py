"""`findings.csv`: what the doctor's checks found while a run trained."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from sac.disk import files
from sac.run.layout import FINDINGS_FILE

COLUMNS = ("step", "check", "finding", "remedy")
Finding = dict[str, str]  # a text for each column


def read_findings(run_directory: Path) -> list[Finding]:
    """Return the findings of a run; none if there is no file."""
    path = run_directory / FINDINGS_FILE
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file))
    whole = (row for row in rows if set(row) == set(COLUMNS) and None not in row.values())
    return [row for row in whole if row["step"].isdecimal()]


def write_findings(run_directory: Path, findings: Sequence[Finding]) -> None:
    """Write all findings of a run, replacing those in the file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(findings)
    files.replace_file(run_directory / FINDINGS_FILE, text.getvalue().encode())
