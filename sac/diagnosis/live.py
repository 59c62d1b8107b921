"""The doctor's checks in a training that runs: each illness is told once, and written down."""

from collections.abc import Callable
from pathlib import Path

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.diagnosis import Evidence, draw, examine
from sac.diagnosis.witness import Witness
from sac.environments.probe import Probe, checker_fault
from sac.metrics.findings import read_findings, write_findings
from sac.metrics.table import read_columns
from sac.replay.buffer import ReplayBuffer
from sac.run.layout import METRICS_FILE


class Watch:
    """Looks at a run at each of its evaluations; nothing that the training uses is changed.

    Args:
        config: Of the run.
        agent: Who learns.
        replay_buffer: What it learns from.
        run_directory: Where `findings.csv` goes; without findings there is none.
        tell: Shows a line to the user.
        resume_step: What was found after it is found anew. None for a new run.
    """

    def __init__(
        self,
        config: Config,
        agent: SACAgent,
        replay_buffer: ReplayBuffer,
        run_directory: Path,
        tell: Callable[[str], None],
        *,
        resume_step: int | None = None,
    ) -> None:
        self._config = config
        self._agent = agent
        self._replay_buffer = replay_buffer
        self._run_directory = run_directory
        self._tell = tell
        last = -1 if resume_step is None else resume_step
        self._findings = [row for row in read_findings(run_directory) if int(row["step"]) <= last]
        self._probe: Probe | None = None
        self._is_probed = False

    def look(self, step: int, witness: Witness) -> None:
        """Run the checks at a step, after an evaluation that `witness` saw."""
        try:
            self._look(step, witness)
        except Exception as error:  # what is only there to help must not end a training
            self._note(step, "doctor", f"it failed: {type(error).__name__}: {error}", "")

    def _look(self, step: int, witness: Witness) -> None:
        evidence = Evidence(
            config=self._config,
            agent=self._agent,
            step=step,
            history=read_columns(self._run_directory / METRICS_FILE),
            batch=draw(self._replay_buffer, self._agent, step),
            episodes=witness.played,
            environment_seconds=witness.seconds_per_step,
            probe=self._probed(),
        )
        for name, result in examine(evidence).items():
            if result.state == "ill":
                self._note(step, name, result.text, result.remedy)

    def _probed(self) -> Probe | None:
        """Return what Gymnasium's checker says, once; of an environment in this process alone."""
        env = self._config.env
        if not self._is_probed:
            self._is_probed = True
            if env.id and env.vectorization == "sync":
                self._probe = Probe(checker_fault(env), reach=None)
        return self._probe

    def _note(self, step: int, name: str, finding: str, remedy: str) -> None:
        if any(row["check"] == name for row in self._findings):
            return
        row = {"step": str(step), "check": name, "finding": finding, "remedy": remedy}
        self._findings.append(row)
        advice = f" (remedy: {remedy})" if remedy else ""
        self._tell(f"warning at step {step:,}: {name}: {finding}{advice}")
        write_findings(self._run_directory, self._findings)
