"""What each variant of SAC learns on a few tasks, beside plain SAC and the peers that have it.

A study is a task with a variant: the agent's defaults or a shipped preset, nothing else.
"""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sac.config import Config
from scripts.benchmarks.learning import Line, Lines
from scripts.benchmarks.process import ROOT

LINES = ROOT / "scripts" / "benchmarks" / "family.jsonl"
PEER_LINES = LINES.with_name("family_peers.jsonl")
TIMES = LINES.with_name("family_times.json")  # what `benchmark.py variants --json` has printed
PLAIN = "sac"  # no preset
EVALUATIONS = 10  # of a training


@dataclass(frozen=True)
class Variant:
    """A way to learn, what it needs, and how the peers call it."""

    name: str  # of a preset, or PLAIN
    source: str  # the number of its paper at arXiv
    change: str  # against plain SAC
    when: str  # to take it
    peers: Sequence[str] = ()  # those that have it


@dataclass(frozen=True)
class Task:
    """An environment, and how long each variant learns in it."""

    env_id: str
    steps: int
    seeds: int
    variants: Sequence[str]
    longer: str | None = None  # a longer task, whose curves show what its variants learn here


VARIANTS = (
    Variant(PLAIN, "1812.05905", "nothing: the defaults", "first", ("sb3", "sbx")),
    Variant(
        "redq", "2101.05982", "ten critics, targets by two of them; 20 updates a step",
        "to compare: droq learns as much in two fifths of its time",
    ),
    Variant(
        "droq", "2110.02034", "dropout and LayerNorm in critics; 20 updates a step",
        "an environment's steps are dear", ("sbx",),
    ),
    Variant(
        "tqc", "2005.04269", "five critics of 25 quantiles, the largest left out",
        "values are overestimated", ("sb3",),  # SBX's always has two critics
    ),
    Variant(
        "crossq", "1902.05605", "BatchNorm, no target networks",
        "steps are dear, and time, too", ("sb3", "sbx"),
    ),
    Variant(
        "crossq_small", "1902.05605", "crossq of 128x128, with rates that fall to a tenth",
        "minutes are dear",
    ),
    Variant(
        "crossq_wn", "2502.07523", "BatchNorm, weights of norm 1; 5 updates a step",
        "as crossq, and longer",
    ),
    Variant(
        "simba", "2410.09754", "residual blocks with LayerNorm, AdamW; 2 updates a step",
        "many dimensions", ("sbx",),
    ),
    Variant(
        "bro", "2405.16158", "simba's blocks with quantiles and resets; 10 updates a step",
        "long trainings",
    ),
    Variant(
        "xqc", "2509.25174", "BatchNorm, weights of norm 1, categorical critic; 2 updates a step",
        "as crossq, and rewards differ in scale",
    ),
    Variant(
        "hl_gauss", "2403.03950", "two critics of 101 bins, learned by cross-entropy",
        "values have a wide range",
    ),
    Variant(
        "flashsac", "2604.04539", "inverted residual blocks with BatchNorm, categorical critic",
        "many environments at once",
    ),
)  # fmt: skip
NAMES = tuple(variant.name for variant in VARIANTS)
BEST = (PLAIN, "crossq", "crossq_small")  # for their cost: these learn longer
OFTEN = ("redq", "droq", "bro")  # which update ten times a step and more: half of the steps
SELDOM = tuple(name for name in NAMES if name not in (*BEST, *OFTEN))
TASKS = {
    "half_cheetah": Task("HalfCheetah-v5", 50_000, 3, BEST),
    "hopper": Task("Hopper-v5", 100_000, 3, BEST),
    "walker2d": Task("Walker2d-v5", 100_000, 3, BEST),
    "lunar_lander_continuous": Task("LunarLanderContinuous-v3", 50_000, 3, BEST),
    "half_cheetah_short": Task("HalfCheetah-v5", 20_000, 1, SELDOM, "half_cheetah"),
    "half_cheetah_shortest": Task("HalfCheetah-v5", 10_000, 1, OFTEN, "half_cheetah"),
    "pendulum": Task("Pendulum-v1", 5_000, 3, (*BEST, *SELDOM)),
    "pendulum_short": Task("Pendulum-v1", 2_500, 3, OFTEN, "pendulum"),
}
PEER_TASKS = (  # which the peers learn, too
    "half_cheetah_short", "half_cheetah_shortest", "pendulum", "pendulum_short"
)  # fmt: skip


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
    def minutes(self) -> float | None:
        """The processor's minutes, where they are known: the median."""
        known = [line.processor_seconds for line in self.lines if line.processor_seconds]
        return statistics.median(known) / 60 if known else None

    def after(self, minutes: float) -> float | None:
        """The median of the evaluations that come last within the processor's minutes."""
        returns = [evaluation_after(line, 60 * minutes) for line in self.lines]
        known = [value for value in returns if value is not None]
        return statistics.median(known) if known else None


def evaluation_after(line: Line, processor_seconds: float) -> float | None:
    """Return what the last evaluation within this time was; None: none, or not known."""
    if line.processor_seconds is None:
        return None
    # On a busy machine the clock goes on while the process waits: a share of it is its own.
    share = line.processor_seconds / line.seconds
    within = [value for _, value, seconds in line.curve if seconds * share <= processor_seconds]
    return within[-1] if within else None


def result(study: str, lines: Lines) -> Result | None:
    """Return what is known of a study; None: nothing."""
    name, variant = study.split("/")
    task = TASKS[name]
    if variant in task.variants:
        known = lines.of(study, study_config(study))
        found = [known[seed] for seed in range(task.seeds) if seed in known]
        return Result(found) if found else None
    if task.longer is None or variant not in TASKS[task.longer].variants:
        return None
    longer = result(f"{task.longer}/{variant}", lines)
    return longer and Result([_line_at(line, task.steps) for line in longer.lines])


def _line_at(line: Line, steps: int) -> Line:
    """Return what a line was after fewer steps, by the evaluation there."""
    value = next(value for step, value, _ in line.curve if step == steps)
    return replace(line, mean_return=value, steps=steps, processor_seconds=None)


@dataclass(frozen=True)
class Times:
    """What the updates of one environment step of a variant take."""

    milliseconds: float
    ratios: Mapping[str, float]  # to peers that have the variant

    @property
    def text(self) -> str:
        """The milliseconds, and the peers' shares."""
        ratios = ", ".join(f"{ratio:.2f} of {peer}" for peer, ratio in self.ratios.items())
        return f"{self.milliseconds:.3g} ({ratios})" if ratios else f"{self.milliseconds:.3g}"


def known_times() -> dict[str, Times]:
    """Return what was measured, by variant."""
    rows = json.loads(TIMES.read_text(encoding="utf-8"))["rows"] if TIMES.exists() else []
    times: dict[str, Times] = {}
    for row in rows:
        name = row["work"].split(",")[0]
        found = times.get(name, Times(row["ours_ms"], {}))
        ratios = {row["peer"]: row["ratio_to_peer"]} if row["peer"] else {}
        times[name] = replace(found, ratios={**found.ratios, **ratios})
    return times


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


def known_peers() -> dict[tuple[str, str, str, int], PeerLine]:
    """Return the lines by task, variant, peer and seed."""
    texts = PEER_LINES.read_text(encoding="utf-8").splitlines() if PEER_LINES.exists() else []
    lines = [PeerLine(**json.loads(text)) for text in texts]
    return {(line.task, line.variant, line.peer, line.seed): line for line in lines}


def add_peer(line: PeerLine) -> None:
    """Append a line."""
    with open(PEER_LINES, "a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line)) + "\n")
