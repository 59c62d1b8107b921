"""What each variant of SAC learns on a few tasks, beside plain SAC and the peers that have it.

A study is a task with a variant: the agent's defaults or a shipped preset, nothing else.
"""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from sac.config import Config
from scripts.benchmarks.learning import Line, Lines
from scripts.benchmarks.process import ROOT

LINES = ROOT / "scripts" / "benchmarks" / "family.jsonl"
PEER_LINES = LINES.with_name("family_peers.jsonl")
PLAIN = "sac"  # no preset
EVALUATIONS = 10  # of a training


@dataclass(frozen=True)
class Variant:
    """A way to learn, what it needs, and how the peers call it."""

    name: str  # of a preset, or PLAIN
    source: str
    when: str  # to take it
    peers: Sequence[str] = ()  # those that have it


@dataclass(frozen=True)
class Task:
    """An environment, and how long each variant learns in it."""

    env_id: str
    steps: int
    seeds: int
    variants: Sequence[str]


VARIANTS = (
    Variant(PLAIN, "1812.05905", "the default", ("sb3", "sbx")),
    Variant("redq", "2101.05982", "an environment's steps are dear", ()),
    Variant("droq", "2110.02034", "as redq, at a quarter of its time", ("sbx",)),
    Variant("tqc", "2005.04269", "values are overestimated", ("sb3",)),  # SBX's has two
    Variant("crossq", "1902.05605", "steps are dear, and time, too", ("sb3", "sbx")),
    Variant("crossq_wn", "2502.07523", "as crossq, and longer", ()),
    Variant("simba", "2410.09754", "many dimensions", ("sbx",)),
    Variant("bro", "2405.16158", "long trainings", ()),
    Variant("xqc", "2509.25174", "the most for its time", ()),
    Variant("hl_gauss", "2403.03950", "values have a wide range", ()),
    Variant("flashsac", "2604.04539", "many environments at once", ()),
)
NAMES = tuple(variant.name for variant in VARIANTS)
BEST = (PLAIN, "crossq", "simba", "xqc")  # for their cost: these learn longer
OFTEN = ("redq", "droq", "bro")  # which update ten times a step and more: half of the steps
SELDOM = tuple(name for name in NAMES if name not in OFTEN)
TASKS = {
    "half_cheetah": Task("HalfCheetah-v5", 50_000, 3, BEST),
    "hopper": Task("Hopper-v5", 100_000, 3, BEST),
    "walker2d": Task("Walker2d-v5", 100_000, 3, BEST),
    "lunar_lander_continuous": Task("LunarLanderContinuous-v3", 50_000, 3, BEST),
    "half_cheetah_short": Task("HalfCheetah-v5", 20_000, 1, SELDOM),
    "half_cheetah_shortest": Task("HalfCheetah-v5", 10_000, 1, (PLAIN, *OFTEN)),
    "pendulum": Task("Pendulum-v1", 5_000, 3, NAMES),
}


def variant_of(name: str) -> Variant:
    """Return the variant of this name."""
    return next(variant for variant in VARIANTS if variant.name == name)


def studies(tasks: Sequence[str], variants: Sequence[str]) -> Iterator[str]:
    """Yield the names of the studies of these tasks and variants."""
    for task in tasks:
        yield from (f"{task}/{name}" for name in TASKS[task].variants if name in variants)


def study_config(study: str) -> Config:
    """Return the configuration of a study, by its name."""
    task_name, variant = study.split("/")
    task = TASKS[task_name]
    preset = {} if variant == PLAIN else {"preset": variant}
    return Config.from_dict(
        {
            "env": {"id": task.env_id},
            "train": {"total_steps": task.steps},
            "evaluation": {"every_steps": task.steps // EVALUATIONS, "episodes": 5},
            "checkpoint": {"every_steps": task.steps // EVALUATIONS},
            "name": study.replace("/", "-"),
            **preset,
        }
    )


@dataclass(frozen=True)
class Result:
    """What the seeds of a study have learned."""

    lines: Sequence[Line]

    @property
    def median(self) -> float:
        """The median return."""
        return statistics.median(line.mean_return for line in self.lines)

    @property
    def text(self) -> str:
        """The median return, and the processor's minutes where they are known."""
        known = [line.processor_seconds for line in self.lines if line.processor_seconds]
        minutes = f", {statistics.median(known) / 60:.0f} min" if known else ""
        several = f" ({len(self.lines)})" if len(self.lines) > 1 else ""
        return f"{self.median:,.0f}{several}{minutes}"


def result(study: str, lines: Lines) -> Result | None:
    """Return what is known of a study; None: nothing."""
    known = lines.of(study, study_config(study))
    seeds = range(TASKS[study.split("/")[0]].seeds)
    found = [known[seed] for seed in seeds if seed in known]
    return Result(found) if found else None


@dataclass(frozen=True)
class PeerLine:
    """What a peer's variant has learned by the same task."""

    variant: str
    peer: str
    task: str
    seed: int
    mean_return: float  # of EPISODES episodes after the last step
    steps: int
    seconds: float  # of the whole process
    date: str
    machine: str
    versions: Mapping[str, str]


def known_peers() -> dict[tuple[str, str, int], PeerLine]:
    """Return the lines by variant, peer and seed."""
    texts = PEER_LINES.read_text(encoding="utf-8").splitlines() if PEER_LINES.exists() else []
    lines = [PeerLine(**json.loads(text)) for text in texts]
    return {(line.variant, line.peer, line.seed): line for line in lines}


def add_peer(line: PeerLine) -> None:
    """Append a line."""
    with open(PEER_LINES, "a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line)) + "\n")
