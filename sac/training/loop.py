"""The training loop: collect, update, log, evaluate, checkpoint."""

import math
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import autograd as torch
from sac.diagnosis.live import Watch
from sac.diagnosis.witness import Witness
from sac.environments import VectorEnvironment
from sac.errors import DivergenceError, SACError
from sac.evaluation.evaluate import (
    EvaluationResult,
    EvaluationStopped,
    NotFiniteEvaluation,
    count_cut,
    run_episodes,
)
from sac.insight import Insight
from sac.metrics.logger import Logger
from sac.run.layout import CHECKPOINTS_FOLDER
from sac.seeding import Streams, integer_seed
from sac.terminal import reports
from sac.terminal.interrupt import InterruptGuard
from sac.terminal.progress import Progress
from sac.training.collector import Collected
from sac.training.divergence import RecentBatches, explained
from sac.training.report import Report, described
from sac.training.run_state import RunState
from sac.training.saving import Rescuing, Saver

TELL_SECONDS = 60.0  # between lines on an evaluation that takes long


@dataclass(frozen=True)
class Outputs:
    """Where a run reports and saves."""

    run_directory: Path
    logger: Logger
    progress: Progress


class TrainingLoop:
    """Trains from a run's state to `total_steps`; `evaluation` is the result of the last one.

    `stopped` says why it ended before, where no signal did that.

    `evaluation_environment` is None where `evaluation.env` is same or none. `saved_step` is the
    step of the checkpoint that a resumed run starts from.
    """

    def __init__(
        self,
        state: RunState,
        evaluation_environment: VectorEnvironment | None,
        outputs: Outputs,
        saved_step: int | None = None,
    ) -> None:
        config = state.config
        self.config = config
        self.state = state
        self.outputs = outputs
        self.evaluation_environment = evaluation_environment
        self.evaluation_seed = integer_seed(Streams.from_seed(config.seed).eval_env)
        # Decimal as in the file: by binary fractions, 0.29 of 100 updates would be 28.
        self.updates_per_step = Fraction(str(config.train.updates_per_step))
        self.evaluation: EvaluationResult | None = None
        self.stopped: str | None = None
        self._news: dict[str, Any] = {}  # of the next report
        tell = outputs.progress.message
        watched = config, state.agent, state.replay_buffer
        self.watch = Watch(*watched, outputs.run_directory, tell, resume_step=saved_step)
        outputs.logger.followers.append(self.watch.history.add)
        self._insight = Insight(*watched, outputs.logger, tell, self._watch)
        self._interrupt = InterruptGuard()
        self._tell_at = math.inf
        self._is_new = saved_step is None
        self._saver = Saver(state, outputs.run_directory, outputs.logger, tell, saved_step)
        self._saver.find_best()
        self._recent = RecentBatches()
        drawings = (
            (config.logging.histograms_every_steps, self._insight.histograms),
            (config.logging.videos_every_steps, self._insight.film),
        )
        self._drawings = [(every, draw) for every, draw in drawings if every]

    @property
    def best_return(self) -> float | None:
        """Return the mean return of the agent under `best/`."""
        return self._saver.best_return

    def run(self, interrupt: InterruptGuard) -> Iterator[Report]:
        """Train until `total_steps`, a signal or a stop; save at the beginning and the end.

        A report follows each step, and one the end. Whoever closes the iterator before loses
        nothing.
        DivergenceError, with the likely cause, for a number that is not finite: then the run is to
        go back to a checkpoint.
        """
        self._interrupt = interrupt
        try:
            yield from self._run(interrupt)
        except DivergenceError as error:
            step = self.state.counters.step
            raise explained(error, self.state.agent, self._recent, step) from error
        except GeneratorExit:
            self._rescue("left before its end")
            raise

    def _run(self, interrupt: InterruptGuard) -> Iterator[Report]:
        config, counters = self.config, self.state.counters
        if self._is_new:
            self._insight.graph()
        self._checkpoint()
        self._news.clear()
        self._start_clock()
        if counters.evaluation_due:
            counters.evaluation_due = False
            self._evaluate_if(True, is_last=counters.step >= config.train.total_steps)
            self._saver.saved_step = None  # what is saved of this step is no longer all
        while counters.step < config.train.total_steps and not self._is_ended():
            before = counters.step
            self._collect()
            self._update(before)
            self.outputs.progress.update(counters.step, self._shown)
            is_last = counters.step >= config.train.total_steps
            if is_last or self._due(config.logging.every_steps, before):
                self._log()
            self._draw(before, is_last)
            self._evaluate_when_due(before, is_last=is_last)
            if interrupt.wants_checkpoint:
                interrupt.wants_checkpoint = False
                self._checkpoint(is_last=False)
                if self._saver.saved_step == counters.step:
                    self.outputs.progress.message(f"SIGUSR1: saved at step {counters.step:,}")
            if self._due(config.checkpoint.every_steps, before):
                self._checkpoint(is_last=False)
            yield self._report()
        self._checkpoint()
        self._tell_early_end()
        yield self._report(is_end=True)

    def _is_ended(self) -> bool:
        return self.stopped is not None or self._interrupt.received is not None

    def _report(self, *, is_end: bool = False) -> Report:
        state, run_directory = self.state, self.outputs.run_directory
        report = Report(
            state.counters.step,
            state.agent,
            run_directory,
            **self._news,
            is_end=is_end,
            _read=state.metric_numbers,
            _log=self.outputs.logger.log_own,
            _stop=self._stop,
        )
        self._news.clear()
        return report

    def _stop(self, reason: str) -> None:
        self.stopped = str(reason) if self.stopped is None else self.stopped

    def _tell_early_end(self) -> None:
        number, step = self._interrupt.received, self.state.counters.step
        reason = self.stopped if number is None else signal.Signals(number).name
        if reason is not None and step < self.config.train.total_steps:
            best = self.state.counters.best_return
            at_goal = best is not None and self.config.train.is_goal(best)
            self.outputs.progress.message(
                f"stopped at step {step:,} ({reason}) and saved: resume "
                f"{self.outputs.run_directory}{' with another goal' * at_goal} to go on"
            )

    def _due(self, every: int, before: int) -> bool:
        """Return whether a multiple of `every` lies in this iteration's steps."""
        return every > 0 and self.state.counters.step // every > before // every

    def _collect(self) -> None:
        state = self.state
        random = state.counters.step < self.config.train.learning_starts
        state.environment.waits_at_ends = state.counters.evaluation_waits
        with self._rescuing():
            collected = state.collector.collect(random=random)
        while state.collector.incidents:
            self.outputs.progress.message(state.collector.incidents.pop(0))
        state.counters.step += collected.transitions
        if collected.episodes:
            self._count_episodes(collected)

    def _count_episodes(self, collected: Collected) -> None:
        returns = [episode.episode_return for episode in collected.episodes]
        lengths = [episode.length for episode in collected.episodes]
        counters = self.state.counters
        counters.episodes += len(returns)
        self._news["episodes"] = collected.episodes
        self.state.returns.extend(returns)
        metrics = {
            "rollout/episode_return": np.mean(returns),
            "rollout/episode_length": np.mean(lengths),
        }
        successes = [e.success for e in collected.episodes if e.success is not None]
        if successes:
            metrics["rollout/success_rate"] = np.mean(successes)
        self.outputs.logger.log(counters.step, metrics)

    def _update(self, before: int) -> None:
        state, train, counters = self.state, self.config.train, self.state.counters
        new = counters.step - max(before, train.learning_starts)
        owed = counters.updates_owed + max(0, new) * self.updates_per_step
        updates, counters.updates_owed = divmod(owed, 1)
        own = train.batch_size - train.demonstration_share
        self._reset(before)
        self.state.agent.anneal(min(1.0, counters.step / train.total_steps))
        for _ in range(updates):
            batch = state.replay_buffer.sample(own, counters.step / train.total_steps)
            if state.demonstrations is not None:
                batch = state.demonstrations.add_to(batch, state.replay_buffer.uniform_weight)
            self._recent.add(state.agent, batch)
            metrics = state.agent.update(batch)
            state.replay_buffer.learned(metrics)
            state.metrics = state.metrics | metrics

    def _reset(self, before: int) -> None:
        """Let the agent start anew after the transitions that `train.reset_at` names.

        It does before the next update, so that the last step of a training never does.
        """
        step = self.state.counters.step
        for number, at in enumerate(sorted(self.config.train.reset_at), start=1):
            if before <= at < step:
                self.state.agent.reset(Streams.from_seed(self.config.seed), number)
                self.outputs.progress.message(f"step {before:,}: all networks start anew")

    def _shown(self) -> dict[str, Any]:
        """Return the numbers that the progress shows beside the step."""
        state = self.state
        numbers: dict[str, Any] = {
            "episodes": state.counters.episodes,
            "updates": state.agent.updates,
        }
        if state.returns:
            numbers["mean_return"] = sum(state.returns) / len(state.returns)
        if "alpha" in state.metrics:
            numbers["alpha"] = state.metric_number("alpha")
        return numbers

    def _start_clock(self) -> None:
        self._clock = time.perf_counter(), self.state.counters.step, self.state.agent.updates

    def _log(self) -> None:
        since, step, updates = self._clock
        seconds = max(time.perf_counter() - since, 1e-9)
        counters = self.state.counters
        rates = {
            "time/env_steps_per_second": (counters.step - step) / seconds,
            "time/updates_per_second": (self.state.agent.updates - updates) / seconds,
        }
        device = self.state.agent.device
        if device.type == "cuda":
            rates["time/gpu_memory_mb"] = torch.cuda.memory_allocated(device) / 1e6
        self._check_finite()
        train = {f"train/{name}": value for name, value in self.state.metric_numbers().items()}
        incidents = {
            "train/rollbacks": float(counters.rollbacks),
            "rollout/worker_restarts": float(self.state.collector.restarts),
        }
        incidents |= self.state.collector.measured(seconds)
        self.outputs.logger.log(counters.step, train | rates | incidents)
        self._start_clock()

    def _draw(self, before: int, is_last: bool) -> None:
        for every, draw in self._drawings:
            if is_last or self._due(every, before):
                draw(self.state.counters.step)
                self._start_clock()

    def _evaluate_when_due(self, before: int, *, is_last: bool) -> None:
        is_due = is_last or self._due(self.config.evaluation.every_steps, before)
        self._evaluate_if(is_due, is_last=is_last)

    def _evaluate_if(self, is_due: bool, *, is_last: bool) -> None:
        where, counters = self.config.evaluation.env, self.state.counters
        if where == "copy" and is_due:
            assert self.evaluation_environment is not None
            self._evaluate(self.evaluation_environment)
        elif where == "same":
            counters.evaluation_waits |= is_due
            if counters.evaluation_waits and (is_last or self.state.collector.is_between_episodes):
                counters.evaluation_waits = False
                with self.state.collector.lent():
                    self._evaluate(self.state.environment)

    def _evaluate(self, environment: VectorEnvironment) -> None:
        counters = self.state.counters
        witness = Witness(environment, self.config.agent.gamma)
        self.state.begin_evaluation()
        self._tell_at = time.monotonic() + TELL_SECONDS
        try:
            with self._rescuing():
                result = run_episodes(
                    self.state.agent,
                    witness,
                    episodes=self.config.evaluation.episodes,
                    seed=self.evaluation_seed,
                    deterministic=True,
                    watch=self._watch,
                )
        except EvaluationStopped:  # a resumed run makes it
            return
        except NotFiniteEvaluation as error:
            self._check_finite()  # an agent that diverged may be the cause
            counters.evaluation_due = False
            self.outputs.progress.message(f"warning: {error}. This evaluation counts for nothing")
            return
        counters.evaluation_due = False
        result = replace(result, checkpoint_step=counters.step)
        self.evaluation = self._news["evaluation"] = result
        before = counters.best_return
        best = result.mean_return if before is None else max(before, result.mean_return)
        metrics = {
            "eval/mean_return": result.mean_return,
            "eval/std_return": result.std_return,
            "eval/best_return": best,
        }
        if result.success_rate is not None:
            metrics["eval/success_rate"] = result.success_rate
        self.outputs.logger.log(counters.step, metrics)
        reports.send(reports.Evaluated(counters.step, result.mean_return))
        cut = count_cut(result, environment, self.config.evaluation.max_steps)
        self.outputs.progress.message(described(result, counters.step, cut))
        counters.best_return = best
        self._saver.best(result.mean_return)
        if self.config.train.is_goal(result.mean_return):
            self._stop(
                f"mean return {result.mean_return:.2f} of train.stop_at_return "
                f"{self.config.train.stop_at_return:g}"
            )
        self.watch.look(counters.step, witness)
        self._start_clock()

    def _watch(self, finished: int, steps: int) -> bool:
        """Tell now and then how far an evaluation is; return whether a signal has ended it."""
        if (now := time.monotonic()) >= self._tell_at:
            self._tell_at = now + TELL_SECONDS
            self.outputs.progress.message(
                f"evaluation at step {self.state.counters.step:,}: {finished} of "
                f"{self.config.evaluation.episodes} episodes so far, in {steps:,} steps"
            )
        return self._interrupt.received is not None

    def _checkpoint(self, *, is_last: bool = True) -> None:
        """Save; if the disk fails, a checkpoint that `is_last` ends the run with an error."""
        self._check_finite()
        step, saved = self.state.counters.step, self._saver.saved_step
        if is_last:
            self._saver.checkpoint()
        else:
            self._saver.try_checkpoint()
        if self._saver.saved_step == step != saved:
            self._news["checkpoint"] = self.outputs.run_directory / CHECKPOINTS_FOLDER / str(step)
        self._start_clock()

    def _check_finite(self) -> None:
        self._recent.read(self.state.agent)
        self.state.check_finite()

    def _rescuing(self) -> Rescuing:
        return Rescuing(self._rescue)

    def _rescue(self, how: str = "stopped by an error") -> None:
        step = self.state.counters.step
        if step == 0:
            return
        try:
            self._checkpoint()
        except SACError as error:  # the error that is being raised says more
            text = f"could not be saved: {error}"
        else:
            text = f"is saved in {self.outputs.run_directory}, to be resumed"
        self.outputs.progress.message(f"{how}; all until step {step:,} {text}")
