"""What a run is on disk: saved so that it can go on, and restored."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sac.checkpoint import Checkpoint, find_checkpoint, load_checkpoint, prune, save_checkpoint
from sac.errors import CheckpointError
from sac.run_directory import BEST_FOLDER, CHECKPOINTS_FOLDER

if TYPE_CHECKING:
    from sac.training_loop import TrainingLoop


@dataclass
class Counters:
    """How far a run is."""

    step: int = 0
    episodes: int = 0
    updates_before: int = 0  # updates that the agent came with, from the run it started from
    best_return: float = float("-inf")


def _tensors(loop: "TrainingLoop") -> dict[str, Any]:
    return {"policy": loop.agent.policy_state_dict(), "agent": loop.agent.state_dict()}


def _documents(loop: "TrainingLoop") -> dict[str, Any]:
    return {
        "policy": loop.agent.description(),
        "config": loop.config.to_dict(),
    }


def save_best(loop: "TrainingLoop") -> None:
    """Save the agent under `best/`: enough to evaluate and to start from, not to resume."""
    save_checkpoint(
        loop.run_directory / BEST_FOLDER,
        _tensors(loop),
        _documents(loop),
        step=loop.counters.step,
    )


def save_run(loop: "TrainingLoop") -> None:
    """Save all that the run goes on from, then remove the oldest checkpoints beyond `keep`."""
    checkpoints = loop.run_directory / CHECKPOINTS_FOLDER
    counters = asdict(loop.counters)
    state = {
        "counters": {k: v for k, v in counters.items() if v != float("-inf")},
        "agent_generators": loop.agent.generator_state(),
        "replay_generator": loop.replay_buffer.generator_state(),
        "collector": loop.collector.generator_state(),
        "returns": list(loop.returns),
    }
    save_checkpoint(
        checkpoints / str(loop.counters.step),
        _tensors(loop) | {"replay": loop.replay_buffer.state_dict()},
        _documents(loop) | {"state": state},
        step=loop.counters.step,
    )
    prune(checkpoints, loop.config.checkpoint.keep)


def last_checkpoint(run_directory: Path) -> Checkpoint:
    """Load and verify the newest checkpoint of a run; CheckpointError where there is none."""
    return load_checkpoint(find_checkpoint(run_directory, "last"))


def restore_run(loop: "TrainingLoop", checkpoint: Checkpoint) -> None:
    """Put a freshly built loop where the checkpoint was; CheckpointError where it does not fit."""
    state = checkpoint.documents.get("state")
    if state is None or not {"agent", "replay"} <= set(checkpoint.tensors):
        raise CheckpointError(
            f"'{checkpoint.folder}' holds a policy but no state to resume from; start a new run "
            f"from it with --train.init_from {checkpoint.folder}"
        )
    loop.agent.load_state_dict(checkpoint.tensors["agent"])
    loop.replay_buffer.load_state_dict(checkpoint.tensors["replay"])
    try:
        known = {f.name for f in fields(Counters)}
        counters = {k: v for k, v in state["counters"].items() if k in known}
        loop.agent.load_generator_state(state["agent_generators"])
        loop.replay_buffer.load_generator_state(state["replay_generator"])
        loop.collector.load_generator_state(state["collector"])
        loop.returns.extend(float(r) for r in state["returns"])
        loop.counters = Counters(**counters)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"state.json of '{checkpoint.folder}' is damaged: {error}") from error
