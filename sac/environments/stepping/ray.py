"""Environments in Ray actors, on this machine or on the nodes of a cluster.

In step, they give the bits of `async`: the same seeds, the same order, the same checks. An actor
can also play by itself, with a player that its owner installs there (`env.max_lag`).
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

from sac.environments.closing import close
from sac.environments.stepping.workers import SALVAGE_SECONDS, Reporting, failure_in
from sac.errors import EnvironmentSetupError, SACError, WorkerLostError, install_command
from sac.seeding import seed_globals

Make = Callable[[], gymnasium.Env]
CLOSING_SECONDS = 5.0
STARTING_SECONDS = 300.0  # for a process and its imports on a busy node


class EnvironmentActor:
    """Holds one environment: the class of an actor."""

    def __init__(self, make: Make, seed: int | None) -> None:
        """`seed` of this process's generators, for constructors that draw."""
        if seed is not None:
            seed_globals(seed)
        self.env = Reporting(make())
        self._player: Any = None

    def spaces(self) -> tuple[gymnasium.Space, gymnasium.Space]:
        """Return the spaces of observations and actions."""
        return self.env.observation_space, self.env.action_space

    def spec(self) -> Any:
        """Return what Gymnasium knows of the environment."""
        return self.env.spec

    def reset(self, seed: int | None, options: dict[str, Any] | None) -> tuple[Any, dict[str, Any]]:
        """Reset the environment."""
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        """Step the environment."""
        return self.env.step(action)

    def call(self, name: str, value: Any, has_value: bool) -> Any:
        """Call a method of the environment's Recorder, after setting its `to_load`."""
        if has_value:
            self.env.set_wrapper_attr("to_load", value)
        return self.env.get_wrapper_attr(name)()

    def install(self, make_player: Callable[..., Any], *arguments: Any) -> None:
        """Give the environment, which then raises what it raises, to a player for `play`."""
        self._player = make_player(self.env.env, *arguments)

    def play(self, *arguments: Any) -> Any:
        """Let the player play."""
        return self._player(*arguments)

    def close(self) -> None:
        """Close the environment."""
        close(self.env)


class RayEnv(VectorEnv):
    """Environments in actors, which are spread over the nodes and take no processor for certain."""

    metadata = {"autoreset_mode": AutoresetMode.DISABLED}  # noqa: RUF012 - Gymnasium's own form

    def __init__(
        self,
        make: Make,
        num_envs: int,
        seed: int | None,
        address: str | None,
        timeout: float | None,
    ) -> None:
        """Start the actors, connecting to a cluster first; SACError where that fails.

        `address`: auto or host:port; None: what this process is connected to, or a Ray of its own.
        """
        asked = "env.vectorization: ray"
        self._ray, self._is_owner = connect(address, asked, "env.ray_address")
        self.num_envs = num_envs
        self._make, self._seed = make, seed
        self.timeout = timeout
        self._class = self._ray.remote(EnvironmentActor).options(
            num_cpus=0, max_restarts=0, scheduling_strategy="SPREAD"
        )
        self.actors: list[Any] = []
        try:
            self.actors = [self._started(index) for index in range(num_envs)]
            spaces = self.get([actor.spaces.remote() for actor in self.actors], STARTING_SECONDS)
        except BaseException as error:
            self.close()
            if isinstance(error, self._ray.exceptions.RayError):
                raise _setup_error(error) from error
            raise
        if any(pair != spaces[0] for pair in spaces):
            self.close()
            raise EnvironmentSetupError("the environments of the actors have different spaces")
        self.spec = self.get(self.actors[0].spec.remote())
        self.single_observation_space, self.single_action_space = spaces[0]
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def _started(self, index: int) -> Any:
        return self._class.remote(self._make, None if self._seed is None else self._seed + index)

    def start_again(self, index: int) -> Any:
        """Return a new actor in place of one that is gone."""
        with contextlib.suppress(Exception):
            self._ray.kill(self.actors[index])
        self.actors[index] = self._started(index)
        return self.actors[index]

    def get(self, references: Any, timeout: float | None = None) -> Any:
        """Return what references stand for; a RayError where that fails."""
        return self._ray.get(references, timeout=timeout)

    def put(self, value: Any) -> Any:
        """Return a reference to a value, which nodes fetch once."""
        return self._ray.put(value)

    def finished(self, references: Sequence[Any], timeout: float | None) -> list[Any]:
        """Wait for one of the references at least; return those that are there."""
        ready, _ = self._ray.wait(list(references), num_returns=1, timeout=timeout)
        return list(ready)

    def is_loss(self, error: BaseException) -> bool:
        """Return whether an error says that an actor, or its node, is gone."""
        return isinstance(error, self._ray.exceptions.RayActorError)

    def close(self, **kwargs: Any) -> None:
        """Close the environments and end the actors."""
        if self.closed:
            return
        self.closed = True
        with contextlib.suppress(Exception):
            self.get([actor.close.remote() for actor in self.actors], CLOSING_SECONDS)
        for actor in self.actors:
            with contextlib.suppress(Exception):
                self._ray.kill(actor)
        if self._is_owner:
            self._ray.shutdown()


class RayWorkers:
    """Steps a RayEnv in step; WorkerLostError if an actor dies or hangs.

    As `AsyncWorkers`: EnvironmentStepError if an environment raises, and either error ends all
    actors. After a loss, `salvaged` holds the recordings of the others, and None for the lost ones.
    """

    def __init__(self, env: RayEnv) -> None:
        self.salvaged: list[Any] | None = None
        self._env = env
        self._space = env.single_observation_space
        self._observations: list[Any] = [None] * env.num_envs

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Reset all environments, or those of the mask in `options`."""
        options = dict(options or {})
        mask = options.pop("reset_mask", np.ones(self._env.num_envs, np.bool_))
        seeds = [None if seed is None else seed + i for i in range(self._env.num_envs)]
        chosen = np.flatnonzero(mask).tolist()
        answers = self._get(
            {i: self._env.actors[i].reset.remote(seeds[i], options or None) for i in chosen}
        )
        infos: dict[str, Any] = {}
        for i, (observation, info) in answers.items():
            self._observations[i] = observation
            infos = self._env._add_info(infos, info, i)
        self._raise_failure(infos)
        return self._batched(), infos

    def step(self, actions: Any) -> Any:
        """Step all environments."""
        one = gymnasium.vector.utils.iterate(self._env.action_space, actions)
        answers = self._get(
            {i: self._env.actors[i].step.remote(action) for i, action in enumerate(one)}
        )
        infos: dict[str, Any] = {}
        rewards, terminated, truncated = [], [], []
        for i, (observation, reward, is_terminated, is_truncated, info) in answers.items():
            self._observations[i] = observation
            rewards.append(reward)
            terminated.append(is_terminated)
            truncated.append(is_truncated)
            infos = self._env._add_info(infos, info, i)
        self._raise_failure(infos)
        ends = np.array(terminated, np.bool_), np.array(truncated, np.bool_)
        return self._batched(), np.array(rewards, np.float64), *ends, infos

    def call_each(self, name: str, values: list[Any] | None, steps: int) -> list[Any]:
        """Call a method of every environment, within the time limit of so many steps."""
        given = [None] * self._env.num_envs if values is None else values
        calls = {
            i: actor.call.remote(name, given[i], values is not None)
            for i, actor in enumerate(self._env.actors)
        }
        return list(self._get(calls, steps).values())

    def _batched(self) -> Any:
        out: Any = create_empty_array(self._space, self._env.num_envs)
        return concatenate(self._space, self._observations, out)

    def _get(self, calls: dict[int, Any], steps: int = 1) -> dict[int, Any]:
        """Return the answers of actors by index."""
        timeout = None if self._env.timeout is None else self._env.timeout * steps
        try:
            return dict(zip(calls, self._env.get(list(calls.values()), timeout), strict=True))
        except TimeoutError as error:
            lost = [i for i, call in calls.items() if not self._env.finished([call], 0)]
            self._give_up(lost)
            raise WorkerLostError(
                f"environment {' and '.join(map(str, lost))} took longer than env.step_timeout, "
                f"{self._env.timeout:g} seconds, and was stopped; raise the limit if it is only "
                "slow"
            ) from error
        except Exception as error:
            if not self._env.is_loss(error):
                raise
            lost = [i for i, call in calls.items() if self._is_lost(call)]
            self._give_up(lost)
            raise WorkerLostError(
                f"the Ray actor of environment {' and '.join(map(str, lost))} died, perhaps with "
                f"its node: {told(error)}"
            ) from error

    def _is_lost(self, call: Any) -> bool:
        try:
            self._env.get(call, SALVAGE_SECONDS)
        except Exception:
            return True
        return False

    def _give_up(self, lost: list[int]) -> None:
        """Ask the others for their recordings, then end all actors."""
        self.salvaged = [None] * self._env.num_envs
        others = [i for i in range(self._env.num_envs) if i not in lost]
        calls = {i: self._env.actors[i].call.remote("recording", None, False) for i in others}
        for i, call in calls.items():
            with contextlib.suppress(Exception):
                self.salvaged[i] = self._env.get(call, SALVAGE_SECONDS)
        self._env.close()

    def _raise_failure(self, infos: dict[str, Any]) -> None:
        failure = failure_in(infos)
        if failure is not None:
            self._env.close()
            raise failure


def connect(address: str | None, asked: str, key: str) -> tuple[Any, bool]:
    """Return Ray, connected, and whether that is to be shut down again; SACError without.

    `asked` and `key`: what the user wrote to get here, and where the address comes from.
    """
    try:
        import ray
    except ImportError as error:
        raise SACError(f"{asked} needs Ray ({error}): {install_command('ray')}") from error
    if ray.is_initialized():
        return ray, False
    here = {"include_dashboard": False} if address is None else {"address": address}
    try:
        ray.init(**here, logging_level="ERROR", log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = "on this machine" if address is None else f"at {key} {address}"
        raise SACError(f"no Ray cluster {where}: {error}") from error
    return ray, True


def _setup_error(error: Exception) -> EnvironmentSetupError:
    return EnvironmentSetupError(f"an environment can't be made in its Ray actor: {told(error)}")


def told(error: BaseException) -> str:
    """Return in a line what an error of Ray says: of a constructor that raised, what it raised."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1 if getattr(error, "actor_init_failed", False) else 0].rstrip(".")
