"""What a run goes on from: built anew, saved to disk, restored from it."""

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sac.agent.agent import SACAgent
from sac.agent.loss_guard import CURES
from sac.agent.state import State, described
from sac.config import Config
from sac.disk.encoding import fits_a_document, join_arrays, split_arrays
from sac.environments import VectorEnvironment
from sac.errors import CheckpointError, ConfigError, DiskError, DivergenceError, SACError
from sac.evaluation.evaluate import check_spaces_fit
from sac.exploration.noise import noise_for
from sac.exploration.random_actions import RandomActions
from sac.replay.buffer import ReplayBuffer
from sac.replay.demonstrations import Demonstrations
from sac.replay.storage.interface import Storage
from sac.run.checkpoint import (
    REPLAY,
    Checkpoint,
    check_replay,
    find_checkpoint,
    is_absent,
    load_checkpoint,
    prune,
    replay_documents,
    save_checkpoint,
    step_folders,
)
from sac.run.layout import BEST_FOLDER, CHECKPOINTS_FOLDER, REPLAY_FOLDER
from sac.run.saved_replay import new_replay, place_batches
from sac.seeding import Streams, branch, integer_seed
from sac.training.actors import ActorCollector
from sac.training.collector import Collector, unsaved_notes
from sac.training.demonstrations import demonstrations_for, restore_demonstrations
from sac.training.hindsight import hindsight_for

EVALUATION = "evaluation"  # document beside the best agent
RETURNS_SHOWN = 20  # episodes that the displayed mean return is taken over


@dataclass
class Counters:
    """How far a run is. Steps are environment transitions, however many environments make them."""

    step: int = 0
    episodes: int = 0
    updates_owed: Fraction = Fraction(0)  # the part of an update that steps have earned so far
    best_return: float | None = None  # of the evaluations, once there was one
    rollbacks: int = 0  # returns to a checkpoint after a number that was not finite
    evaluation_due: bool = False  # that of this step was left before its end
    evaluation_waits: bool = False  # for the end of an episode (evaluation.env: same)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {**vars(self), "updates_owed": str(self.updates_owed)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Counters":
        """Return what `to_json` was called on."""
        best_return = document["best_return"]
        if best_return is not None and not isfinite(best_return):  # none is better than NaN
            best_return = None
        return cls(
            int(document["step"]),
            int(document["episodes"]),
            Fraction(document["updates_owed"]),
            None if best_return is None else float(best_return),
            int(document["rollbacks"]),
            bool(document.get("evaluation_due", False)),
            bool(document["evaluation_waits"]),
        )


class Best(NamedTuple):
    """A copy of an agent."""

    tensors: dict[str, Any]
    documents: dict[str, Any]
    step: int


@dataclass
class RunState:
    """The agent, what it learns from, where that comes from, and how far the run is."""

    config: Config
    agent: SACAgent
    replay_buffer: ReplayBuffer
    collector: Collector
    environment: VectorEnvironment
    counters: Counters = field(default_factory=Counters)
    returns: deque[float] = field(default_factory=lambda: deque(maxlen=RETURNS_SHOWN))
    metrics: dict[str, Any] = field(default_factory=dict)  # of the last update
    evaluation_environment: VectorEnvironment | None = None
    before_evaluation: list[Any] | None = None  # its snapshot
    demonstrations: Demonstrations | None = None

    @classmethod
    def new(
        cls,
        config: Config,
        environment: VectorEnvironment,
        evaluation_environment: VectorEnvironment | None = None,
        storage: Storage | None = None,
        weights: State | None = None,
    ) -> "RunState":
        """Build all of it at step 0, each part with a stream of random numbers of its own.

        The replay lies in memory, or in `storage`. The agent begins with `weights`, those of
        `train.init_from`; CheckpointError where they do not fit.
        """
        streams = Streams.from_seed(config.seed)
        spaces = environment.observation_space, environment.action_space
        agent = SACAgent(
            *spaces,
            config.agent,
            seed=config.seed,
            device=config.device,
            compile=config.train.compile,
        )
        if weights is not None:
            _begin_with(agent, weights)
        encoder, codec = agent.observation_encoder, agent.action_codec
        replay_buffer = new_replay(config, environment.num_envs, encoder, codec, storage)
        place_batches(config, agent.device, replay_buffer)
        replay_buffer.hindsight = hindsight_for(
            config, replay_buffer.rings, environment, evaluation_environment
        )
        random_actions = RandomActions(
            codec,
            environment.num_envs,
            config.train.random_action_repeat,
            integer_seed(streams.random_actions),
        )
        noise_size = agent.policy_net.noise_size
        noise = noise_for(
            config.train.noise,
            environment.num_envs,
            noise_size,
            streams.noise,
            config.train.noise_steps,
        )
        kind = ActorCollector if config.env.max_lag else Collector
        collector = kind(
            environment,
            agent,
            replay_buffer,
            random_actions=random_actions,
            noise=noise,
            discount=config.agent.gamma if config.agent.normalize_rewards else None,
        )
        if isinstance(collector, ActorCollector):
            collector.begin(config)
        state = cls(config, agent, replay_buffer, collector, environment)
        state.evaluation_environment = evaluation_environment
        state.demonstrations = demonstrations_for(config, environment, agent)
        return state

    def open_replay(self, run_directory: Path) -> None:
        """Keep the replay in a run's folder; what its checkpoints refer to waits for `restore`."""
        try:
            self.replay_buffer.storage.open(run_directory / REPLAY_FOLDER)
        except OSError as error:
            raise SACError(f"Can't use '{run_directory}': {error.strerror}.") from error

    def metric_numbers(self) -> dict[str, float]:
        """Return the metrics as numbers: an update leaves tensors, which cost nothing unread."""
        return {name: self.metric_number(name) for name in self.metrics}

    def metric_number(self, name: str) -> float:
        """Return the mean of what was last measured by this name."""
        return float(np.mean(_host(self.metrics[name])))

    def check_finite(self) -> None:
        """Raise DivergenceError where weights or moments no longer are numbers."""
        for name, array in self.agent.state_dict().items():
            if not np.isfinite(array).all():
                raise DivergenceError(
                    f"the training diverged before step {self.counters.step:,}: {name} of the "
                    f"agent is not finite; {CURES}",
                    quantity=f"{name} of the agent",
                )

    def renew_noise(self, rollbacks: int) -> None:
        """Go on with other random numbers: the same ones after the same number of rollbacks."""
        streams = Streams.from_seed(self.config.seed)
        self.agent.renew_noise(streams, rollbacks)
        self.replay_buffer.reseed(branch(streams.replay, rollbacks))
        if self.demonstrations is not None:
            self.demonstrations.replay_buffer.reseed(branch(streams.demonstrations, rollbacks))
        self.collector.renew_noise(streams, rollbacks)
        self.counters.rollbacks = rollbacks

    def best(self, mean_return: float) -> Best:
        """Return the agent as it is now, with its return, for `save_best`."""
        documents = self._documents() | {EVALUATION: {"mean_return": mean_return}}
        return Best(self._weights(), documents, self.counters.step)

    def save(self, run_directory: Path) -> None:
        """Save all that the run goes on from, and remove the oldest checkpoints beyond `keep`."""
        checkpoints = run_directory / CHECKPOINTS_FOLDER
        priorities, demonstrations = self.replay_buffer.priorities, self.demonstrations
        tree = {
            "counters": self.counters.to_json(),
            "returns": list(self.returns),
            "metrics": self.metric_numbers(),
            "agent": self.agent.generator_state(),
            "replay": self.replay_buffer.generator_state(),
            "priorities": None if priorities is None else priorities.state(),
            "demonstrations": None if demonstrations is None else demonstrations.state(),
            "collector": self.collector.state(),
            "evaluation": (
                self.before_evaluation
                if self.counters.evaluation_due
                else self._evaluation_snapshot()
            ),
        }
        state, arrays = split_arrays(tree)
        if not fits_a_document(state):  # what can't be read again is worth less than the rest
            state, arrays = split_arrays(_without_episodes(tree))
        tensors = self._weights() | {"state": arrays}
        documents = self._documents() | {"state": state}
        storage, step = self.replay_buffer.storage, self.counters.step
        documents[REPLAY] = self._commit_replay(run_directory)
        storage.hold(step, documents[REPLAY]["tables"])
        try:
            updates = self.agent.compilation.name
            save_checkpoint(checkpoints / str(step), tensors, documents, step=step, updates=updates)
        except DiskError:
            if is_absent(run_directory, step):
                storage.release([step])
            raise
        prune(checkpoints, self.config.checkpoint.keep)
        storage.release(storage.held() - step_folders(run_directory).keys())

    def begin_evaluation(self) -> None:
        """Let what is saved before the evaluation has ended be as if it had never begun."""
        self.before_evaluation = self._evaluation_snapshot()
        self.counters.evaluation_due = True

    def _evaluation_snapshot(self) -> list[Any] | None:
        evaluation = self.evaluation_environment
        return None if evaluation is None else evaluation.snapshot()

    def _commit_replay(self, run_directory: Path) -> dict[str, Any]:
        try:
            return self.replay_buffer.commit()
        except OSError as error:
            raise DiskError(
                f"Can't write the replay of '{run_directory}': {error.strerror}. Make room there."
            ) from error

    def _weights(self) -> dict[str, Any]:
        return {"policy": self.agent.policy_state_dict(), "agent": self.agent.state_dict()}

    def _documents(self) -> dict[str, Any]:
        return {"policy": self.agent.description(), "config": self.config.to_dict()}

    def restore(self, checkpoint: Checkpoint) -> list[str]:
        """Go where a saved run was; SACError where it does not fit this one, then useless.

        Returns what could not be brought back, in words for the user.
        """
        found = checkpoint.documents.keys()
        if "agent" not in checkpoint.tensors or not found >= {"policy", "state", REPLAY}:
            raise CheckpointError(
                f"'{checkpoint.folder}' holds a policy but no state to resume from; start a new "
                f"run from it with --train.init_from {checkpoint.folder}"
            )
        trained = described(checkpoint.documents["policy"], checkpoint.tensors["policy"])
        check_spaces_fit(*trained[:2], self.environment)
        self._check_replay_fits(checkpoint)
        self.agent.load_state_dict(checkpoint.tensors["agent"])
        self._restore_replay(checkpoint)
        try:
            tree = join_arrays(checkpoint.documents["state"], checkpoint.tensors["state"])
            return self._restore_rest(tree)
        except (
            AttributeError,
            IndexError,
            KeyError,
            TypeError,
            ValueError,
            ArithmeticError,
        ) as error:
            raise CheckpointError(
                f"state.json of '{checkpoint.folder}' is damaged: {error!r}"
            ) from error

    def _restore_rest(self, tree: dict[str, Any]) -> list[str]:
        moved = self.agent.load_generator_state(tree["agent"])
        self.replay_buffer.load_generator_state(tree["replay"])
        if self.replay_buffer.priorities is not None:
            self.replay_buffer.priorities.load_state(tree["priorities"])
        self.demonstrations = restore_demonstrations(
            self.config, self.environment, self.agent, self.demonstrations, tree["demonstrations"]
        )
        self.returns.extend(float(r) for r in tree["returns"])
        self.counters = Counters.from_json(tree["counters"])
        self.metrics = {str(name): float(value) for name, value in tree["metrics"].items()}
        evaluation: dict[int, str] = {}
        if self.evaluation_environment is not None:
            evaluation = self.evaluation_environment.load_snapshot(tree["evaluation"])
        lost = self.collector.load_state(tree["collector"])
        return [
            *moved,
            *(
                f"the episode of environment {index} could not be gone on with and ends "
                f"truncated: {reason}"
                for index, reason in lost.items()
            ),
            *(
                f"the state of the evaluation's environment could not be brought back: {reason}"
                for reason in evaluation.values()
            ),
            *(
                f"environment {index}: {', '.join(names)}: looks bound to the process that set it, "
                "and was not brought back"
                for index, names in self.environment.left_as_they_are.items()
            ),
            *unsaved_notes(self.environment),
        ]

    def _restore_replay(self, checkpoint: Checkpoint) -> None:
        for step, document in replay_documents(checkpoint.folder.parent.parent).items():
            with suppress(CheckpointError):  # of a checkpoint that nobody can go on from
                self.replay_buffer.storage.hold(step, document.get("tables"))
        self.replay_buffer.load(checkpoint.documents[REPLAY])

    def _check_replay_fits(self, checkpoint: Checkpoint) -> None:
        saved = Config.from_dict(checkpoint.documents["config"])
        for key, wanted, found in (
            ("env.num_envs", saved.env.num_envs, self.config.env.num_envs),
            ("train.buffer_size", saved.train.buffer_size, self.config.train.buffer_size),
        ):
            if wanted != found:
                raise ConfigError(
                    f"{key}: a resumed run keeps its own, expected {wanted}, got {found}; start a "
                    f"new run with --train.init_from {checkpoint.folder} to change it"
                )


def _without_episodes(tree: dict[str, Any]) -> dict[str, Any]:
    """Return what is saved of a run without the environments: their episodes end truncated."""
    collector = dict(tree["collector"])
    if (environment := collector["environment"]) is not None:
        recordings = [None] * len(environment["recordings"])
        collector["environment"] = environment | {"recordings": recordings}
    return tree | {"collector": collector, "evaluation": None}


def save_best(run_directory: Path, best: Best) -> None:
    """Save an agent under `best/`: enough to evaluate and to start from, not to resume.

    DiskError where it can't be written.
    """
    save_checkpoint(run_directory / BEST_FOLDER, best.tensors, best.documents, step=best.step)


def last_checkpoint(run_directory: Path) -> Checkpoint:
    """Load and verify the newest checkpoint of a run; CheckpointError where there is none."""
    checkpoint = load_checkpoint(find_checkpoint(run_directory, "last"))
    check_replay(checkpoint, run_directory)
    return checkpoint


def _begin_with(agent: SACAgent, weights: State) -> None:
    try:
        agent.load_weights(weights)
    except CheckpointError as error:
        raise CheckpointError(f"train.init_from: {error}") from error


def _host(value: Any) -> Any:
    return value.numpy(force=True) if hasattr(value, "numpy") else value
