import re
import threading
from datetime import datetime
from pathlib import Path

import pytest

from sac.errors import SACError
from sac.run.layout import create_run_directory, figure_name

NOW = datetime(2024, 5, 6, 7, 8, 9)


def test_name(tmp_path: Path) -> None:
    run = create_run_directory(tmp_path / "runs", "Pendulum-v1", "pendulum", 3, NOW)
    assert run == tmp_path / "runs" / "Pendulum-v1-pendulum-s3-20240506-070809"
    assert run.is_dir()
    assert create_run_directory(str(tmp_path), "Pendulum-v1", None, 0, NOW).name == (
        "Pendulum-v1-s0-20240506-070809"
    )


@pytest.mark.parametrize(
    "text",
    [
        "module.sub:Env-v0",
        "ALE/Pong-v5",
        "../../escape",
        "/absolute",
        "..",
        "",
        "~",
        "-rf",
        "a b\n'\"$(x);*\0",
        "Überraschung-v0",
        "環境-v0",
        "x" * 5000,
        "CON",
        "C:\\dir",
    ],
)
def test_any_name_is_safe(tmp_path: Path, text: str) -> None:
    root = tmp_path / "runs"
    run = create_run_directory(root, text, text, 0, NOW)
    assert run.parent == root
    assert [*root.iterdir()] == [run]
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run.name)
    assert len(run.name) < 200


def test_names_stay_recognisable(tmp_path: Path) -> None:
    assert create_run_directory(tmp_path, "ALE/Pong-v5", "p", 0).name.startswith(
        "ALE_Pong-v5-p-s0-"
    )
    assert create_run_directory(tmp_path, "m:Über-v0", "p", 0).name.startswith("m_Uber-v0-p-s0-")


def test_unique_however_many_start_at_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    made: list[Path] = []

    def start() -> None:
        barrier.wait()
        made.extend(create_run_directory(tmp_path, "E", "c", 0, NOW) for _ in range(5))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 40
    assert {*tmp_path.iterdir()} == set(made)


def test_unusable_root_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(SACError, match=r"file.*logging\.root"):
            create_run_directory(root, "E", "c", 0)


def test_figure_of_seeds_is_called_after_the_first_run() -> None:
    assert figure_name("A-s3-v0-c-s3-20261129-1200", 3) == "A-s3-v0-c-seeds-20261129-1200.png"
