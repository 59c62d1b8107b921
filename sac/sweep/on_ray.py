"""Trainings on the nodes of a Ray cluster, each in a process that an actor watches."""

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sac.config import Config
from sac.environments.stepping.ray import connect
from sac.errors import SACError
from sac.run.layout import CONFIG_FILE
from sac.sweep.child import Event, LocalChild
from sac.sweep.folder import begin_run
from sac.sweep.plan import THREAD_VARIABLES
from sac.sweep.processes import Run


class Host:
    """Starts a training on the node where this object lives: an actor's class.

    A training whose actor ends, with its node or with the sweep, saves a checkpoint and ends.
    """

    def __init__(self, run_directory: str, config: str, threads: int) -> None:
        """Begin or go on with the run in a directory; `config` in YAML, for one that begins."""
        begin_run(Path(run_directory), Config.from_yaml(config))
        command = [sys.executable, "-m", "sac", "train", "--resume", run_directory]
        self._folder = tempfile.TemporaryDirectory(prefix="sac-reports-")
        file = Path(self._folder.name) / "reports.jsonl"
        self._child = LocalChild(command, dict.fromkeys(THREAD_VARIABLES, str(threads)), file)

    def poll(self) -> tuple[list[Event], int | None]:
        """Return what the training told since the last call, and its exit status at the end."""
        status = self._child.status  # first: what was told before it ended comes below
        told = self._child.new()
        if status is not None:
            self._folder.cleanup()
        return told, status

    def send_signal(self, number: int) -> None:
        """Send the training a signal, unless it has ended."""
        if self._child.status is None:
            self._child.send_signal(number)


class RemoteChild:
    """A training on some node, which begins once there is room for it."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor
        self._poll = actor.poll.remote()
        self.status: int | None = None

    def new(self) -> list[Event]:
        """Return what it told since the last call; OSError where the node or the actor is gone."""
        ready, _ = self._ray.wait([self._poll], timeout=0)
        if not ready:
            return []
        try:
            events, self.status = self._ray.get(self._poll)
        except self._ray.exceptions.ActorUnavailableError:
            events = []  # perhaps for a moment
        except self._ray.exceptions.RayTaskError as error:  # it could not begin
            raise SACError(f"a trial can't begin: {error.cause}") from error
        except self._ray.exceptions.RayActorError as error:
            reason = str(error).splitlines()[0]
            raise OSError(f"nothing is heard of it any more: {reason}") from error
        self._poll = self._actor.poll.remote()
        return list(events)

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        self._actor.send_signal.remote(number)

    def kill(self) -> None:
        """End it with a checkpoint, as far as that is saved in time."""
        self._ray.kill(self._actor)


class Cluster:
    """A Ray cluster that this process is connected to."""

    def __init__(self, ray: Any, cpus_per_trial: int) -> None:
        self._ray, self._cpus = ray, cpus_per_trial
        self._host = ray.remote(Host)

    @property
    def room(self) -> int:
        """How many trials the cluster's processors have room for at a time, one at least."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)) // self._cpus)

    def start(self, run: Run) -> RemoteChild:
        """Start a run on a node with room; its directory lies beside those of other trials."""
        directory = Path(run.command[-1])
        config = (directory / CONFIG_FILE).read_text(encoding="utf-8")
        actor = self._host.options(num_cpus=self._cpus, max_restarts=0)
        return RemoteChild(self._ray, actor.remote(str(directory), config, self._cpus))

    def blind_nodes(self, folder: Path) -> list[str]:
        """Return the addresses of the nodes that do not see a file of this machine's `folder`."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        probe = folder / f".probe-{uuid.uuid4().hex}"
        probe.touch()
        try:
            look = self._ray.remote(num_cpus=0)(os.path.exists)
            found = {
                node["NodeManagerAddress"]: look.options(
                    scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                ).remote(str(probe))
                for node in self._ray.nodes()
                if node["Alive"]
            }
            return [address for address, seen in found.items() if not self._ray.get(seen)]
        finally:
            probe.unlink()


@contextmanager
def connected(address: str | None, cpus_per_trial: int) -> Iterator[Cluster]:
    """Connect to a cluster, or start one on this machine, for as long as the block lasts.

    SACError without Ray, and where there is no such cluster.
    """
    ray, is_owner = connect(address, "--backend ray", "--address")
    try:
        yield Cluster(ray, cpus_per_trial)
    finally:
        if is_owner:
            ray.shutdown()
