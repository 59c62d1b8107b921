"""The keys of the section `train`, with their defaults, meanings and ranges."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from sac.config.fields import Option, check_fields, count
from sac.errors import ConfigError


@dataclass(frozen=True)
class HindsightConfig:
    """Hindsight replay (arXiv:1707.01495)."""

    strategy: Annotated[
        Literal["future"], Option("Which goals: those that the same episode reached later.")
    ] = "future"
    goals: Annotated[int, count("Goals that are replaced for each that stays.", at_most=1000)] = 4

    def __post_init__(self) -> None:
        check_fields(self, "train.hindsight.")


# Rows are numbered in int32, with room for the observations kept aside.
BUFFER_LIMIT = 2**30


@dataclass(frozen=True)
class TrainConfig:
    """The length and the data of training; steps are transitions of all environments together."""

    total_steps: Annotated[int, count("Transitions to collect in all.")] = 100_000
    # A few episodes of most tasks. The 10,000 of MuJoCo papers would be most of a short run.
    learning_starts: Annotated[
        int,
        count(
            "Transitions of random actions before the first update; by default a tenth of "
            "total_steps where total_steps is at most 1000.",
            at_least=0,
        ),
    ] = 1000
    # More than 1 carries a reward back faster, where rewards are rare or late. The actions on the
    # way are those of older policies, so that many steps learn of what is no longer done.
    n_step: Annotated[
        int, count("Rewards in a target, before it bootstraps from the next value.", at_most=1000)
    ] = 1
    random_action_repeat: Annotated[
        int,
        count(
            "Steps that a random action before learning_starts is held for; more reach further, "
            "where a first reward is far.",
            at_most=10_000,
        ),
    ] = 1
    # Where a body must be swung or driven somewhere, noise that changes slowly goes further.
    noise: Annotated[
        Literal["white", "pink", "repeated", "held"],
        Option(
            "Noise of the policy's actions while collecting: white, new in each step; pink, with a "
            "power of 1/f over up to 1,000 steps of an episode; repeated, held for random times of "
            "up to 16 steps; held, for noise_steps."
        ),
    ] = "white"
    # In SB3 Zoo's settings for gSDE, 64 steps, or 8.
    noise_steps: Annotated[
        int, count("With noise: held, steps that a draw is held for.", at_most=10_000)
    ] = 64
    batch_size: Annotated[int, count("Transitions in an update.", at_most=10**7)] = 256
    buffer_size: Annotated[
        int,
        count(
            "Transitions kept to learn from, over all environments; the oldest make room.",
            at_most=BUFFER_LIMIT,
        ),
    ] = 1_000_000
    # 0.6 in arXiv:1511.05952, for games. Where rewards are dense, uniform draws do as well.
    priority_alpha: Annotated[
        float,
        Option(
            "Prioritised replay: a transition is drawn in proportion to its TD error to this power "
            "(0.6 is usual); 0: all are drawn alike.",
            at_least=0,
            at_most=1,
        ),
    ] = 0.0
    priority_beta: Annotated[
        float,
        Option(
            "How much of the bias of priorities the weights of losses take away at first; it rises "
            "to all of it, 1, over the run.",
            at_least=0,
            at_most=1,
        ),
    ] = 0.4
    # For goals that random actions hardly reach, where other transitions have nothing to tell.
    hindsight: Annotated[
        HindsightConfig | None,
        Option(
            "Hindsight replay, for environments with goals and compute_reward (Gymnasium-Robotics'"
            " interface): {strategy: future, goals: 4} draws 4 of 5 transitions with a goal that "
            "their own episode reached with them or later; null: all as they were."
        ),
    ] = None
    buffer_device: Annotated[
        Literal["auto", "cpu", "cuda"],
        Option(
            "Where a GPU takes its batches from: cuda keeps a copy of the transitions in its "
            "memory, cpu sends each batch, auto keeps a copy where it takes at most half of what "
            "is free. No result depends on it."
        ),
    ] = "auto"
    updates_per_step: Annotated[
        float, Option("Gradient updates per transition, also fractions.", above=0, at_most=1000)
    ] = 1.0
    reset_at: Annotated[
        Sequence[int],
        count(
            "Transitions at which all networks and optimizers start anew and learn on from the "
            "replay, against plasticity that is lost at many updates_per_step."
        ),
    ] = ()
    compile: Annotated[
        Literal["auto", "always", "never"],
        Option(
            "Whether updates on the CPU run in compiled kernels, 1.2 to 3 times as fast as NumPy, "
            "most where networks are small: auto does where there is a C compiler (or the extra "
            "'fast'), always fails where there is none, never leaves it to NumPy. Results agree "
            "but for rounding."
        ),
    ] = "auto"
    stop_at_return: Annotated[
        float | None,
        Option(
            "Mean return of an evaluation that ends the run; null: none. A run that has reached "
            "it goes on when it is resumed with null, or with more than its best."
        ),
    ] = None
    on_divergence: Annotated[
        Literal["stop", "rollback"],
        Option(
            "When a loss, weight, observation, reward or action is not finite: stop with an error, "
            "or rollback, which goes on from the last checkpoint with other random numbers, at "
            "most 3 times. A run that stopped does that when it is resumed."
        ),
    ] = "stop"
    demonstrations: Annotated[
        str | None,
        Option(
            "Transitions to learn from beside the run's own: the folder of a run, whose replay is "
            "taken, or the folder or id of a Minari data set (extra minari)."
        ),
    ] = None
    # Half and half: arXiv:2302.02948.
    demonstration_fraction: Annotated[
        float | None,
        Option(
            "Part of every batch that is drawn from the demonstrations; 0 puts them into the "
            "replay before the run begins; null: 0.5.",
            at_least=0,
            at_most=1,
        ),
    ] = None
    init_from: Annotated[
        str | None, Option("Run or checkpoint whose trained weights a new run starts from.")
    ] = None

    def __post_init__(self) -> None:
        check_fields(self, "train.")
        if self.learning_starts > self.total_steps:
            raise ConfigError(
                f"train.learning_starts: expected at most train.total_steps "
                f"({self.total_steps}), got {self.learning_starts}"
            )
        if self.buffer_size < self.batch_size:
            raise ConfigError(
                f"train.buffer_size: expected at least train.batch_size "
                f"({self.batch_size}), got {self.buffer_size}"
            )
        if self.hindsight is not None and self.n_step > 1:
            raise ConfigError(
                f"train.n_step: expected 1 with train.hindsight, got {self.n_step}: the steps on "
                "the way were taken for another goal, which may have been reached before"
            )
        self._check_demonstrations()

    def _check_demonstrations(self) -> None:
        fraction = self.demonstration_fraction
        if fraction is not None and self.demonstrations is None:
            raise ConfigError(
                f"train.demonstration_fraction: expected train.demonstrations beside it, got "
                f"{fraction:g} of none"
            )
        is_drawn = self.demonstrations is not None and fraction != 0
        if is_drawn and not 0 < self.demonstration_share < self.batch_size:
            raise ConfigError(
                f"train.demonstration_fraction: expected a part of train.batch_size "
                f"({self.batch_size}) that leaves one transition at least on each side, got "
                f"{0.5 if fraction is None else fraction:g}"
            )

    @property
    def never_learns(self) -> bool:
        """Whether the run ends before its first update."""
        return self.learning_starts >= self.total_steps

    def is_goal(self, mean_return: float) -> bool:
        """Return whether an evaluation with this mean return ends the run."""
        return self.stop_at_return is not None and mean_return >= self.stop_at_return

    @property
    def demonstration_share(self) -> int:
        """Return how many transitions of a batch are demonstrations."""
        if self.demonstrations is None:
            return 0
        fraction = 0.5 if self.demonstration_fraction is None else self.demonstration_fraction
        return int(fraction * self.batch_size + 0.5)
