"""SAC learns: the shipped configurations of Pendulum and CartPole, trained for real.

What is judged is what `scripts/evaluate.py` shows of a run: its best checkpoint, on new episodes.
"""

from pathlib import Path

import pytest

from sac import Config, evaluate, train

CONFIGS = Path(__file__).parents[2] / "configs"
# Half of CartPole's configured steps: all of the seeds 0 to 4 play 500 after them.
LEARNED = [("pendulum", 10_000, -250.0), ("cartpole", 16_000, 400.0)]
OTHER_SEEDS = [pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2)]


@pytest.mark.parametrize(("name", "steps", "at_least"), LEARNED, ids=[row[0] for row in LEARNED])
@pytest.mark.parametrize("seed", [0, *OTHER_SEEDS])
def test_learns(tmp_path: Path, name: str, steps: int, at_least: float, seed: int) -> None:
    config = Config.load(CONFIGS / f"{name}.yaml").merged(
        {
            "seed": seed,
            "device": "cpu",
            "logging": {"root": str(tmp_path)},
            "train": {"total_steps": steps},
        }
    )
    run = train(config).run_directory
    result = evaluate(run, episodes=20, seed=seed + 1000, device="cpu")
    assert result.mean_return >= at_least
