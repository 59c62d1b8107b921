"""The doctor's checks during a training: each finding is reported once and saved."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.diagnosis import Evidence, draw, examine
from sac.diagnosis.witness import Witness
from sac.environments.probe import Probe, checker_fault
from sac.errors import told
from sac.metrics.findings import read_findings, write_findings
from sac.metrics.history import History
from sac.metrics.table import read_columns
from sac.replay.buffer import ReplayBuffer
from sac.run.layout import METRICS_FILE


@dataclass
class Watch:
    """Looks at a run at each of its evaluations, and changes nothing in the training."""

    config: Config
    agent: SACAgent
    replay_buffer: ReplayBuffer
    run_directory: Path  # of findings.csv, which exists once there are findings
    tell: Callable[[str], None]  # shows a line to the user
    resume_step: int | None = None  # of a resumed run, which drops the findings of later steps

    def __post_init__(self) -> None:
        last = -1 if self.resume_step is None else self.resume_step
        found = read_findings(self.run_directory)
        self._findings = [row for row in found if int(row["step"]) <= last]
        self._is_written = len(self._findings) == len(found)
        # Of all that the run logs; a file that grows with it is not read at each evaluation.
        self.history = History(read_columns(self.run_directory / METRICS_FILE))
        self._probe: Probe | None = None
        self._is_probed = False

    def look(self, step: int, witness: Witness) -> None:
        """Run the checks at a step, after an evaluation in `witness`."""
        try:
            evidence = Evidence(
                config=self.config,
                agent=self.agent,
                step=step,
                history=self.history,
                batch=draw(self.replay_buffer, self.agent, step),
                episodes=witness.played,
                environment_seconds=witness.seconds_per_step,
                probe=self._probed(),
            )
            for name, result in examine(evidence).items():
                if result.state == "ill":
                    self._note(step, name, result.text, result.remedy)
        except Exception as error:  # help must not end a training
            self._note(step, "doctor", f"it failed: {told(error)}", "")
        self._write()

    def _probed(self) -> Probe | None:
        """Return what Gymnasium's checker says, asked once; None for environments elsewhere."""
        env = self.config.env
        if not self._is_probed:
            self._is_probed = True
            may_make_another = self.config.evaluation.env == "copy"
            if env.id and env.vectorization == "sync" and may_make_another:
                self._probe = Probe(checker_fault(env), reach=None)
        return self._probe

    def _note(self, step: int, name: str, finding: str, remedy: str) -> None:
        if any(row["check"] == name for row in self._findings):
            return
        row = {"step": str(step), "check": name, "finding": finding, "remedy": remedy}
        self._findings.append(row)
        advice = f" (remedy: {remedy})" if remedy else ""
        self.tell(f"warning at step {step:,}: {name}: {finding}{advice}")
        self._is_written = False

    def _write(self) -> None:
        if not self._is_written:
            with suppress(OSError):  # such as a full disk: the next look tries again
                write_findings(self.run_directory, self._findings)
                self._is_written = True
