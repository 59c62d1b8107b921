"""The doctor: the diagnosis of a run on the disk, by its last checkpoint."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sac.agent.agent import SACAgent
from sac.config import Config, EnvConfig, checked_seed
from sac.config.fields import whole
from sac.diagnosis import Evidence, Result, draw, examine
from sac.diagnosis.evidence import ill
from sac.diagnosis.witness import Witness
from sac.environments import make_vector_environment
from sac.environments.limit import with_limit
from sac.environments.probe import probe, unseen
from sac.errors import CheckpointError, SACError
from sac.evaluation.evaluate import environment_config, run_episodes
from sac.metrics.history import History
from sac.metrics.table import read_columns
from sac.run.checkpoint import (
    REPLAY,
    Checkpoint,
    find_checkpoint,
    last_usable_checkpoint,
    load_checkpoint,
    step_folders,
)
from sac.run.layout import METRICS_FILE
from sac.run.saved_replay import saved_replay


@dataclass(frozen=True)
class Report:
    """The findings in a run."""

    run: str
    env: str
    step: int
    results: dict[str, Result]
    note: str = ""  # what could not be looked at

    @property
    def illnesses(self) -> list[str]:
        """Return the names of the checks that found something."""
        return [name for name, result in self.results.items() if result.state == "ill"]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a JSON document."""
        checks = {name: result._asdict() for name, result in self.results.items()}
        document = {name: value for name, value in vars(self).items() if name != "results"}
        return {**document, "illnesses": self.illnesses, "checks": checks}


def diagnose(
    run: str | Path,
    *,
    checkpoint: str | int = "last",
    episodes: int = 10,
    seed: int = 0,
    device: str = "auto",
    trust: bool = False,
) -> Report:
    """Look for every known illness in a run, which may still be training.

    `checkpoint` is "last" or a step: "best" holds neither replay nor optimizers. Some checks need
    the `episodes`, played from `seed`. `trust` runs the code that the run's configuration names,
    also where you have not trained it on this machine. SACError if there is no such run or its
    checkpoint is damaged.
    """
    episodes, seed = whole("episodes", episodes), checked_seed(seed)
    loaded, damaged = _load(Path(run), checkpoint)
    agent = SACAgent.load(loaded.folder, device=device)
    agent.load_state_dict(loaded.tensors["agent"])
    replay = saved_replay(loaded, agent.observation_encoder, agent.action_codec)
    evidence = Evidence(
        config=Config.from_dict(loaded.documents["config"]),
        agent=agent,
        step=loaded.step,
        history=_history(Path(run), loaded),
        batch=draw(replay, agent, loaded.step),
    )
    env = unseen(environment_config(loaded, trust=trust))
    if not env.id:
        note = "its environment was given as an object: nothing was played in it"
        return Report(str(run), "", loaded.step, damaged | examine(evidence), note)
    evidence, note = _with_environment(evidence, env, episodes, seed)
    return Report(str(run), env.id, loaded.step, damaged | examine(evidence), note)


def _load(run: Path, which: str | int) -> tuple[Checkpoint, dict[str, Result]]:
    """Return a checkpoint, and the finding that newer ones are damaged."""
    faults: Mapping[int, CheckpointError] = {}
    if which == "last" and step_folders(run):
        loaded, faults = last_usable_checkpoint(run)
    else:
        loaded = load_checkpoint(find_checkpoint(run, which))
    missing = {"config", "policy", "agent", REPLAY} - {*loaded.documents, *loaded.tensors}
    if missing:
        raise CheckpointError(
            f"'{loaded.folder}' has no {' and no '.join(sorted(missing))}: expected the directory "
            "of a run with checkpoints to resume from"
        )
    return loaded, _damage(faults, loaded.step)


def _damage(faults: Mapping[int, CheckpointError], examined: int) -> dict[str, Result]:
    if not faults:
        return {}
    newest = next(iter(faults.values()))
    text = f"{newest} That of step {examined:,} was examined"
    return {"checkpoint": ill(text, "a look at the disk; --resume goes on from that step")}


def _history(run: Path, loaded: Checkpoint) -> History:
    """Return the run's metrics until the checkpoint; `run` may be the checkpoint itself."""
    in_run = run / METRICS_FILE
    path = in_run if in_run.is_file() else loaded.folder.parent.parent / METRICS_FILE
    return History(read_columns(path), loaded.step)


def _with_environment(
    evidence: Evidence, env: EnvConfig, episodes: int, seed: int
) -> tuple[Evidence, str]:
    """Return the evidence with that of the environment added, and what failed."""
    try:
        bounded = with_limit(env, evidence.config.evaluation.max_steps)
        with closing(make_vector_environment(bounded, seed=seed)) as environment:
            witness = Witness(environment, evidence.config.agent.gamma)
            run_episodes(evidence.agent, witness, episodes=episodes, seed=seed, deterministic=True)
        seconds = witness.seconds_per_step
        played = replace(evidence, episodes=witness.played, environment_seconds=seconds)
        return replace(played, probe=probe(env)), ""
    except Exception as error:  # whatever an environment may raise
        kind = "" if isinstance(error, SACError) else f"{type(error).__name__}: "
        return evidence, f"its environment could not be played in: {kind}{error}"
