"""What each shipped configuration is to learn, and what it has learned: a line of JSON a run.

A line tells of one finished training: its return, curve, time and circumstances. It holds for as
long as the configuration says the same of what is learned.
"""

import hashlib
import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sac.config import Config
from sac.config.keys import list_keys, value_at
from scripts.benchmarks.process import ROOT

CONFIGS = ROOT / "configs"
LINES = ROOT / "scripts" / "benchmarks" / "learning.jsonl"
EPISODES, EVALUATION_SEED = 20, 1000
TUNING_SEEDS = 100  # and up: settings are chosen by these alone
# No result depends on these, but for rounding.
LOCAL_SECTIONS = ("evaluation.", "checkpoint.", "logging.")
LOCAL_KEYS = ("seed", "name", "device", "train.compile", "train.buffer_device", "env.step_timeout")


class Aim(NamedTuple):
    """A return that is to be reached."""

    every: float  # on each of the seeds
    median: float  # of the seeds


@dataclass(frozen=True)
class Goal:
    """What a configuration's deterministic policy is to return after the last step."""

    config: str  # name of the file in configs/
    seeds: int  # how many, from 0
    aim: Aim | None  # None: as far as it gets
    elsewhere: str  # what others publish, after how many steps if not ours


GOALS = (
    Goal("pendulum", 5, Aim(-180, -150), "SB3 Zoo SAC -157 at 20,000"),
    Goal("cartpole", 5, Aim(500, 500), "SLM-Lab SAC 406 at 200,000"),
    Goal("acrobot", 5, Aim(-100, -84), "SLM-Lab SAC -92.6 at 300,000"),
    Goal("mountain_car_continuous", 5, Aim(92, 94), "SB3 Zoo SAC with gSDE 94.7 at 50,000"),
    Goal("mountain_car", 5, Aim(-140, -118), "SB3 Zoo DQN -100"),
    Goal("lunar_lander_continuous", 5, Aim(190, 240), "SLM-Lab SAC 125, CrossQ 269, at 300,000"),
    Goal("lunar_lander", 3, Aim(180, 230), "SLM-Lab SAC 106, DDQN+PER 266, at 300,000"),
    Goal("bipedal_walker", 3, Aim(250, 290), "SB3 Zoo SAC 298, TQC 330, at 500,000"),
    Goal("inverted_pendulum", 5, Aim(1000, 1000), "SLM-Lab SAC 928"),
    Goal("reacher", 5, Aim(-5, -4.5), "SLM-Lab SAC -6.3"),
    Goal("car_racing", 3, Aim(300, 300), "none of 30,000 steps"),
    Goal("half_cheetah", 3, Aim(3300, 4500), "SB3 SAC 3,267, 3,688"),
    Goal("hopper", 3, Aim(2000, 3000), "SB3 Zoo SAC 2,326 at 1,000,000 (v3)"),
    Goal("walker2d", 3, Aim(2000, 3000), "SB3 Zoo SAC 3,863 at 1,000,000 (v3)"),
    Goal("ant", 1, None, "SB3 Zoo SAC 4,616 at 1,000,000 (v3)"),
    Goal("humanoid", 1, None, "SB3 Zoo SAC 6,232 at 2,000,000 (v3)"),
)


@dataclass(frozen=True)
class Line:
    """A finished training."""

    config: str
    seed: int
    mean_return: float  # of the evaluation after the last step
    lowest_return: float  # of its episodes
    steps: int
    seconds: float  # of training with its evaluations and checkpoints, on however busy a machine
    curve: Sequence[tuple[int, float, float]]  # step, mean return and seconds of each evaluation
    settings: str  # digest of the settings, which another line of the file spells out
    commit: str
    date: str
    machine: str
    versions: Mapping[str, str]
    processor_seconds: float | None = None  # of the whole process; None: it was not the only one


@dataclass(frozen=True)
class Row:
    """A goal beside what was reached."""

    goal: Goal
    config: Config
    lines: Sequence[Line]  # of the goal's seeds, as far as they have run
    tuning: Sequence[Line]  # of the seeds by which the settings were chosen

    @property
    def lowest(self) -> float:
        """The return of the worst seed."""
        return min(line.mean_return for line in self.lines)

    @property
    def median(self) -> float:
        """The median return of the seeds."""
        return statistics.median(line.mean_return for line in self.lines)

    @property
    def is_met(self) -> bool | None:
        """Whether all seeds have run, and reach the aim when rounded as the table shows them.

        None if there is no aim.
        """
        places, aim = decimals(self.goal), self.goal.aim
        if aim is None:
            return None
        return (
            len(self.lines) == self.goal.seeds
            and round(self.lowest, places) >= aim.every
            and round(self.median, places) >= aim.median
        )


def decimals(goal: Goal) -> int:
    """Return how many decimals the returns of a goal are shown with."""
    return 1 if goal.aim is not None and abs(goal.aim.every) < 100 else 0


def load_config(name: str) -> Config:
    """Return a shipped configuration."""
    return Config.load(CONFIGS / f"{name}.yaml")


def settings_of(config: Config) -> dict[str, Any]:
    """Return what a result depends on but the seed, by dotted keys."""
    tree = config.to_dict()
    names = [key.name for key in list_keys(Config)]
    kept = [n for n in names if n not in LOCAL_KEYS and not n.startswith(LOCAL_SECTIONS)]
    return {name: value_at(tree, name) for name in kept}


def digest(settings: Mapping[str, Any]) -> str:
    """Return a short name of settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def still_hold(settings: Mapping[str, Any], config: Config) -> bool:
    """Return whether `config` says the same; a key that is newer must have its default."""
    now, defaults = settings_of(config), settings_of(Config())
    return all(now.get(name) == value for name, value in settings.items()) and all(
        value == defaults[name] for name, value in now.items() if name not in settings
    )


class Lines:
    """The file of the lines, to which finished trainings are appended."""

    def __init__(self, path: Path = LINES) -> None:
        """`path` need not exist yet."""
        self._path = path

    def of(self, name: str, config: Config) -> dict[int, Line]:
        """Return the lines that hold of a configuration by seed, the newest of each."""
        settings = {document["settings"]: document["values"] for document in self._read("values")}
        lines = [Line(**document) for document in self._read("seed")]
        return {
            line.seed: line
            for line in lines
            if line.config == name and still_hold(settings[line.settings], config)
        }

    def add(self, line: Line, settings: Mapping[str, Any]) -> None:
        """Append a line, and its settings unless they are there."""
        documents: list[dict[str, Any]] = [asdict(line)]
        if line.settings not in {document["settings"] for document in self._read("values")}:
            documents.insert(0, {"settings": line.settings, "values": dict(settings)})
        with open(self._path, "a", encoding="utf-8") as file:
            file.write("".join(json.dumps(document) + "\n" for document in documents))

    def _read(self, key: str) -> Iterator[dict[str, Any]]:
        """Yield the documents that have a key."""
        if self._path.exists():
            documents = map(json.loads, self._path.read_text(encoding="utf-8").splitlines())
            yield from (document for document in documents if key in document)


def rows(goals: Iterable[Goal], file: Lines) -> list[Row]:
    """Return the goals beside what was reached."""
    found = []
    for goal in goals:
        config = load_config(goal.config)
        known = file.of(goal.config, config)
        lines = [known[seed] for seed in range(goal.seeds) if seed in known]
        tuning = [known[seed] for seed in sorted(known) if seed >= TUNING_SEEDS]
        found.append(Row(goal, config, lines, tuning))
    return found
