"""Pictures of a run for TensorBoard: histograms, episodes, the graph of an update.

They look at the training from outside: a run makes the same bits without them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.environments.limit import with_limit
from sac.evaluation.evaluate import EvaluationStopped, Watch
from sac.insight.film import episode_gif, image_value
from sac.insight.graph import update_graph
from sac.insight.histograms import histogram_value, update_values
from sac.metrics.logger import Logger
from sac.replay.buffer import ReplayBuffer
from sac.seeding import Streams, branch, generator, integer_seed

__all__ = ["Insight"]


@dataclass
class Insight:
    """Draws what an agent learns into the event file of its run."""

    config: Config
    agent: SACAgent
    replay_buffer: ReplayBuffer
    logger: Logger
    tell: Callable[[str], None]  # shows a line to the user
    watch: Watch  # ends a film before its end

    def __post_init__(self) -> None:
        self._streams = Streams.from_seed(self.config.seed)
        self._can_film = True

    def graph(self) -> None:
        """Draw the computation of an update and of its gradients."""
        self.logger.graph(update_graph(self.agent, self.config.train.batch_size))

    def histograms(self, step: int) -> None:
        """Draw the distributions in an update at this step."""
        # By the step alone: a resumed run draws the same as an uninterrupted one.
        stream = branch(self._streams.insight, step)
        batch = self.replay_buffer.peek(self.config.train.batch_size, generator(stream))
        values = update_values(self.agent, batch, integer_seed(stream))
        self.logger.summary(step, [histogram_value(tag, numbers) for tag, numbers in values])

    def film(self, step: int) -> None:
        """Draw the first episode of an evaluation at this step; report a failure once."""
        if not self._can_film:
            return
        try:
            env = with_limit(self.config.env, self.config.evaluation.max_steps)
            seed = integer_seed(self._streams.eval_env)
            gif = episode_gif(self.agent, env, seed, self.watch)
        except EvaluationStopped:
            return
        except Exception as error:  # a picture is not worth a training
            self._can_film = False
            self.tell(f"no videos in TensorBoard (logging.videos_every_steps): {error}")
            return
        self.logger.summary(step, [image_value(gif)])
