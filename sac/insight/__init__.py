"""What TensorBoard shows of a run beside its numbers: histograms, episodes, the graph of an update.

All of it looks at the training from outside: with it or without, a run makes the same bits.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sac.insight.film import episode_gif, image_value
from sac.insight.graph import update_graph
from sac.insight.histograms import histogram_value, update_values
from sac.seeding import Streams, branch, generator, integer_seed

if TYPE_CHECKING:
    from sac.metrics.logger import Logger
    from sac.training.run_state import RunState

__all__ = ["Insight"]


class Insight:
    """Draws a run's state into its event file. `say` tells the user what can't be drawn."""

    def __init__(self, state: "RunState", logger: "Logger", say: Callable[[str], None]) -> None:
        self._state = state
        self._logger = logger
        self._say = say
        self._streams = Streams.from_seed(state.config.seed)
        self._can_film = True

    def graph(self) -> None:
        """Draw the computation of an update and of its gradients."""
        batch_size = self._state.config.train.batch_size
        self._logger.graph(update_graph(self._state.agent, batch_size))

    def histograms(self) -> None:
        """Draw what an update now sees and computes."""
        state = self._state
        # Of the step alone: a resumed run draws what an undisturbed one does.
        stream = branch(self._streams.spare[0], state.counters.step)
        batch = state.replay_buffer.peek(state.config.train.batch_size, generator(stream))
        values = update_values(state.agent, batch, integer_seed(stream))
        shown = [histogram_value(tag, numbers) for tag, numbers in values]
        self._logger.summary(state.counters.step, shown)

    def film(self) -> None:
        """Draw the first episode that an evaluation now plays; a failure is told once."""
        if not self._can_film:
            return
        state = self._state
        seed = integer_seed(self._streams.eval_env)
        try:
            gif = episode_gif(state.agent, state.config.env, seed)
        except Exception as error:  # a picture is not worth a training
            self._can_film = False
            self._say(f"no videos in TensorBoard (logging.videos_every_steps): {error}")
            return
        self._logger.summary(state.counters.step, [image_value(gif)])
