"""The name of a run's folder, and the files in it.

<root>/<env>-<config name>-s<seed>-<time>/
    config.yaml             resolved, can be trained again
    versions.json           of Python and the libraries, as the run began
    events.out.tfevents.*   TensorBoard
    metrics.csv             the same numbers
    signature               by which its own user need not give --trust, if it names code to run
    wandb.id, mlflow.id     the run's names there, if logging.also asks for it
    findings.csv            what the doctor's checks found during training, if anything
    checkpoints/<step>/     the newest few
    replay/                 the transitions that they refer to
    best/                   the best by evaluation
    damaged-<step>/         a checkpoint that could not be resumed from
    divergence-<n>/         the n-th number that was not finite: what it was, and its batch
    run.lock                which process writes here, if one does
<root>/<env>-<config name>-seeds-<time>.png
                            the learning curves of all seeds that one command trained
"""

import os
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sac.errors import SACError

GIVEN_AS_AN_OBJECT = (
    "'{}' was trained on an environment that was given as an object: resume it from Python, by "
    "train(resume=..., env=...)"
)
CONFIG_FILE = "config.yaml"
VERSIONS_FILE = "versions.json"
SIGNATURE_FILE = "signature"
METRICS_FILE = "metrics.csv"
FINDINGS_FILE = "findings.csv"
CHECKPOINTS_FOLDER = "checkpoints"
BEST_FOLDER = "best"
REPLAY_FOLDER = "replay"

# Of each part, so that the whole name stays far below the 255 bytes that file systems allow.
MAX_PART_LENGTH = 60


def create_run_directory(
    root: str | Path, env_id: str, config_name: str | None, seed: int, now: datetime | None = None
) -> Path:
    """Make a new run folder under `root`, or raise SACError; two runs never share one.

    Characters of the names that a path or a shell would stumble over are replaced.
    """
    root = Path(root)
    time = now if now is not None else datetime.now()
    parts = [safe_name(env_id, "env")]
    if config_name is not None:
        parts.append(safe_name(config_name, "config"))
    name = "-".join([*parts, f"s{seed}", time.strftime("%Y%m%d-%H%M%S")])
    try:
        root.mkdir(parents=True, exist_ok=True)
        return _make_unique(root, name)
    except OSError as error:
        raise SACError(
            f"Can't make a run directory in '{root}': {error.strerror}. "
            "Set logging.root to a folder that you may write to."
        ) from error


def figure_name(run_name: str, seed: int) -> str:
    """Return the name of the figure of several seeds, after the run of the first one."""
    return "-seeds-".join(run_name.rsplit(f"-s{seed}-", 1)) + ".png"


def without_figures(paths: Sequence[Path]) -> list[Path]:
    """Return the paths without figures where there are folders: `runs/*` names both."""
    has_folders = any(map(os.path.isdir, paths))
    return [p for p in paths if not (has_folders and p.suffix == ".png" and os.path.isfile(p))]


def safe_name(text: str, fallback: str) -> str:
    """Return the text in characters that every shell and every file system takes as they are."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9._-]+", "_", ascii_text).strip("._-")
    return words[:MAX_PART_LENGTH].rstrip("._-") or fallback


def _make_unique(root: Path, name: str) -> Path:
    attempt = 1
    while True:
        path = root / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            path.mkdir()  # making it is the test: looking first would let two processes win
        except FileExistsError:
            attempt += 1
        else:
            return path
