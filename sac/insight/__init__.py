"""What TensorBoard shows of a run beside its numbers: histograms, episodes, the graph of an update.

All of it looks at the training from outside: with it or without, a run makes the same bits.
"""

from collections.abc import Callable

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.insight.film import episode_gif, image_value
from sac.insight.graph import update_graph
from sac.insight.histograms import histogram_value, update_values
from sac.metrics.logger import Logger
from sac.replay.buffer import ReplayBuffer
from sac.seeding import Streams, branch, generator, integer_seed

__all__ = ["Insight"]


class Insight:
    """Draws what an agent learns into the event file of its run.

    Args:
        config: Of the run.
        agent: Who learns.
        replay_buffer: What it learns from.
        logger: Where the drawings go.
        say: Tells the user what can't be drawn.
    """

    def __init__(
        self,
        config: Config,
        agent: SACAgent,
        replay_buffer: ReplayBuffer,
        logger: Logger,
        say: Callable[[str], None],
    ) -> None:
        self._config = config
        self._agent = agent
        self._replay_buffer = replay_buffer
        self._logger = logger
        self._say = say
        self._streams = Streams.from_seed(config.seed)
        self._can_film = True

    def graph(self) -> None:
        """Draw the computation of an update and of its gradients."""
        self._logger.graph(update_graph(self._agent, self._config.train.batch_size))

    def histograms(self, step: int) -> None:
        """Draw what an update at this step sees and computes."""
        # Of the step alone: a resumed run draws what an undisturbed one does.
        stream = branch(self._streams.insight, step)
        batch = self._replay_buffer.peek(self._config.train.batch_size, generator(stream))
        values = update_values(self._agent, batch, integer_seed(stream))
        self._logger.summary(step, [histogram_value(tag, numbers) for tag, numbers in values])

    def film(self, step: int) -> None:
        """Draw the first episode that an evaluation plays at this step; tell of a failure once."""
        if not self._can_film:
            return
        try:
            gif = episode_gif(self._agent, self._config.env, integer_seed(self._streams.eval_env))
        except Exception as error:  # a picture is not worth a training
            self._can_film = False
            self._say(f"no videos in TensorBoard (logging.videos_every_steps): {error}")
            return
        self._logger.summary(step, [image_value(gif)])
