"""The training loop: collect, update, log, evaluate, checkpoint."""

import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from sac.agent import SACAgent
from sac.collector import Collector
from sac.config import Config
from sac.environments import VectorEnvironment
from sac.evaluation import EvaluationResult, run_episodes
from sac.interrupt import InterruptGuard
from sac.logger import Logger
from sac.progress import Progress
from sac.replay_buffer import ReplayBuffer
from sac.run_state import Counters, save_best, save_run
from sac.seeding import Streams, generator, integer_seed

RETURNS_SHOWN = 20  # episodes that the displayed mean return is taken over


class TrainingLoop:
    """One run: the agent, where its transitions come from, and how far it is.

    Steps are environment transitions, however many environments make them.
    """

    def __init__(
        self,
        config: Config,
        run_directory: Path,
        environment: VectorEnvironment,
        evaluation_environment: VectorEnvironment,
    ) -> None:
        """Build agent, replay and collector, each with a stream of random numbers of its own."""
        streams = Streams.from_seed(config.seed)
        self.config = config
        self.run_directory = run_directory
        self.environment = environment
        self.evaluation_environment = evaluation_environment
        self.evaluation_seed = integer_seed(streams.eval_env)
        self.agent = SACAgent(
            environment.observation_space,
            environment.action_space,
            config.agent,
            seed=config.seed,
            device=config.device,
        )
        encoder, codec = self.agent.observation_encoder, self.agent.action_codec
        self.replay_buffer = ReplayBuffer(
            config.train.buffer_size,
            environment.num_envs,
            encoder.shape,
            encoder.dtype,
            codec.shape,
            codec.dtype,
            generator(streams.replay),
        )
        self.collector = Collector(
            environment,
            self.agent,
            self.replay_buffer,
            random_seed=integer_seed(streams.random_actions),
        )
        self.counters = Counters()
        self.metrics: dict[str, Any] = {}
        self.returns: deque[float] = deque(maxlen=RETURNS_SHOWN)
        self.evaluation: EvaluationResult | None = None

    def run(self, logger: Logger, progress: Progress, interrupt: InterruptGuard) -> None:
        """Train until `total_steps`, or until a signal came; end with a checkpoint either way."""
        config, counters = self.config, self.counters
        self._start_clock()
        while counters.step < config.train.total_steps and interrupt.received is None:
            before = counters.step
            self._collect(logger)
            self._update()
            self._show(progress)
            is_last = counters.step >= config.train.total_steps
            if is_last or self._due(config.logging.every_steps, before):
                self._log(logger)
            if is_last or self._due(config.evaluation.every_steps, before):
                self._evaluate(logger, progress)
            if is_last or self._due(config.checkpoint.every_steps, before):
                self._checkpoint(logger)
        if interrupt.received is not None:
            self._checkpoint(logger)

    def _due(self, every: int, before: int) -> bool:
        """Whether a multiple of `every` lies in this iteration's steps."""
        return every > 0 and self.counters.step // every > before // every

    def _collect(self, logger: Logger) -> None:
        counters = self.counters
        random = counters.step < self.config.train.learning_starts
        collected = self.collector.collect(random=random)
        counters.step += collected.transitions
        if collected.episodes:
            returns = [e.episode_return for e in collected.episodes]
            lengths = [e.length for e in collected.episodes]
            counters.episodes += len(returns)
            self.returns.extend(returns)
            logger.log(
                counters.step,
                {
                    "rollout/episode_return": np.mean(returns),
                    "rollout/episode_length": np.mean(lengths),
                },
            )

    def _update(self) -> None:
        train = self.config.train
        due = int((self.counters.step - train.learning_starts) * train.updates_per_step)
        while self.agent.updates - self.counters.updates_before < due:
            self.metrics = self.agent.update(self.replay_buffer.sample(train.batch_size))

    def _show(self, progress: Progress) -> None:
        numbers: dict[str, Any] = {
            "episodes": self.counters.episodes,
            "updates": self.agent.updates,
        }
        if self.returns:
            numbers["mean_return"] = sum(self.returns) / len(self.returns)
        if "alpha" in self.metrics:
            numbers["alpha"] = self.metrics["alpha"]
        progress.update(self.counters.step, **numbers)

    def _start_clock(self) -> None:
        self._clock = time.perf_counter(), self.counters.step, self.agent.updates

    def _log(self, logger: Logger) -> None:
        since, step, updates = self._clock
        seconds = time.perf_counter() - since
        rates = {
            "time/env_steps_per_second": (self.counters.step - step) / seconds,
            "time/updates_per_second": (self.agent.updates - updates) / seconds,
        }
        # The update leaves its metrics as tensors; here, where they are wanted, they turn numbers.
        train = {f"train/{name}": np.mean(_host(v)) for name, v in self.metrics.items()}
        logger.log(self.counters.step, train | rates)
        self._start_clock()

    def _evaluate(self, logger: Logger, progress: Progress) -> None:
        result = run_episodes(
            self.agent,
            self.evaluation_environment,
            episodes=self.config.evaluation.episodes,
            seed=self.evaluation_seed,
            deterministic=True,
        )
        self.evaluation = result
        step = self.counters.step
        logger.log(
            step, {"eval/mean_return": result.mean_return, "eval/std_return": result.std_return}
        )
        progress.message(
            f"evaluation at step {step:,}: mean return {result.mean_return:.2f} "
            f"+- {result.std_return:.2f} over {result.episodes} episodes"
        )
        if result.mean_return > self.counters.best_return:
            self.counters.best_return = result.mean_return
            save_best(self)
        self._start_clock()

    def _checkpoint(self, logger: Logger) -> None:
        logger.flush()
        save_run(self)
        self._start_clock()


def _host(value: Any) -> Any:
    return value.numpy(force=True) if hasattr(value, "numpy") else value
