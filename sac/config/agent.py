"""The keys of the section `agent`, with their defaults, meanings and ranges."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from sac.config.fields import Option, check_fields, count
from sac.errors import ConfigError

rate = partial(Option, above=0, at_most=1)
log_std = partial(Option, at_least=-100, at_most=10)


# Defaults without another source are from Haarnoja et al. 2018, arXiv:1812.05905, appendix D. SB3,
# PFRL and most others use them too.
@dataclass(frozen=True)
class AgentConfig:
    """The algorithm: networks, optimizers, temperature."""

    gamma: Annotated[float, Option("Discount per environment step.", at_least=0, at_most=1)] = 0.99
    tau: Annotated[float, rate("Share of online weights mixed into the target per update.")] = 0.005
    hidden_sizes: Annotated[Sequence[int], count("Units of each hidden layer.", at_most=2**16)] = (
        256,
        256,
    )
    activation: Annotated[
        Literal["relu", "tanh", "elu", "gelu", "silu", "leaky_relu"],
        Option("Activation of the hidden layers."),
    ] = "relu"
    critic_hidden_sizes: Annotated[
        Sequence[int] | None,
        count("The same of the soft Q networks; null: hidden_sizes.", at_most=2**16),
    ] = None
    network: Annotated[
        Literal["mlp", "simba", "flashsac"],
        Option(
            "Kind of all networks: mlp, or residual blocks, one for each hidden size, with "
            "LayerNorm (simba) or BatchNorm (flashsac)."
        ),
    ] = "mlp"
    encoder: Annotated[
        Literal["auto", "none", "nature", "drq"],
        Option(
            "Convolutions that policy and soft Q networks share, and the critic's loss teaches: "
            "nature, or drq, which takes five times as long; auto: nature for images of uint8 from "
            "36x36 up; none: pixels are features like others."
        ),
    ] = "auto"
    random_shift: Annotated[
        int,
        count(
            "With an encoder: pixels by which updates shift images at random, at most.",
            at_least=0,
            at_most=1000,
        ),
    ] = 4
    critic_norm: Annotated[
        Literal["none", "layer", "rms", "batch", "batch_renorm"],
        Option(
            "Normalisation in soft Q networks (mlp): layer or rms before each activation, or batch "
            "before each layer, by statistics shared by (s, a) and (s', a'); batch_renorm corrects "
            "these towards the running ones after 100,000 updates."
        ),
    ] = "none"
    policy_norm: Annotated[
        Literal["none", "layer", "rms", "batch", "batch_renorm"],
        Option("The same in the policy; batch: by running statistics where it acts."),
    ] = "none"
    critic_dropout: Annotated[
        float,
        Option(
            "Share of each hidden layer of soft Q networks (mlp) that an update drops.",
            at_least=0,
            at_most=0.9,
        ),
    ] = 0.0
    unit_weights: Annotated[
        bool | Literal["hidden"],
        Option(
            "Scale the rows of all weights back to norm 1 after each step; hidden: but for those "
            "of the outputs."
        ),
    ] = False
    critic: Annotated[
        str,
        Option(
            "How values are learned: sac takes the minimum of all soft Q networks; redq takes that "
            "of a random few for the target, and the policy climbs their mean (it learns from "
            "many: num_soft_q_nets 10, updates_per_step 20); tqc learns quantiles and leaves out "
            "the largest; categorical learns shares of atoms by cross-entropy, hl_gauss values by "
            "the same; crossq is sac without target networks."
        ),
    ] = "sac"
    # Two prevent overestimation (Fujimoto et al. 2018, arXiv:1802.09477).
    num_soft_q_nets: Annotated[int, count("Soft Q networks.", at_most=100)] = 2
    min_over: Annotated[
        int | None,
        count(
            "With redq: how many random target networks the minimum is over; null: 2.", at_most=100
        ),
    ] = None
    num_quantiles: Annotated[
        int, count("With tqc: quantiles of each soft Q network.", at_most=1000)
    ] = 25
    # Less where values are hardly overestimated: 0 on HalfCheetah, 5 on Hopper in the paper.
    drop_quantiles: Annotated[
        int,
        count("With tqc: the largest quantiles left out, for each network.", at_least=0),
    ] = 2
    num_atoms: Annotated[
        int,
        count(
            "With categorical and hl_gauss: atoms, or bins, of a value.", at_least=2, at_most=1000
        ),
    ] = 101
    value_bound: Annotated[
        float,
        Option(
            "With categorical and hl_gauss: atoms lie between plus and minus this soft value; with "
            "normalize_rewards: no sum of discounted rewards up to now is larger.",
            above=0,
        ),
    ] = 5.0
    entropy_in_target: Annotated[
        bool,
        Option(
            "Whether targets include the entropy of the next action, as in SAC; false: the critic "
            "learns returns of rewards alone, and entropy counts in the policy's loss only."
        ),
    ] = True
    policy_lr: Annotated[float, rate("Adam's learning rate of the policy.")] = 3e-4
    soft_q_lr: Annotated[float, rate("Adam's learning rate of the soft Q networks.")] = 3e-4
    alpha_lr: Annotated[float, rate("Adam's learning rate of the temperature.")] = 3e-4
    final_lr_fraction: Annotated[
        float,
        Option(
            "What is left of all learning rates, which fall linearly, at the last transition.",
            at_least=0,
            at_most=1,
        ),
    ] = 1.0
    policy_delay: Annotated[
        int, count("Updates of the soft Q networks for each one of the policy and of alpha.")
    ] = 1
    adam_betas: Annotated[
        Sequence[float],
        Option(
            "How slowly the two moments of Adam change, for policy and soft Q networks.",
            at_least=0,
            at_most=0.99999,
        ),
    ] = (0.9, 0.999)
    weight_decay: Annotated[
        float, Option("Decoupled weight decay of these (AdamW); 0: Adam.", at_least=0, at_most=1)
    ] = 0.0
    alpha: Annotated[
        Literal["auto"] | float,
        Option("Temperature; auto learns the one that meets target_entropy.", above=0),
    ] = "auto"
    initial_alpha: Annotated[float, Option("Temperature that auto starts from.", above=0)] = 1.0
    alpha_per_part: Annotated[
        bool,
        Option(
            "Whether each part of a Dict or Tuple of actions has a temperature of its own, which "
            "meets its own target; with alpha and target_entropy auto."
        ),
    ] = False
    # Continuous: arXiv:1812.05905, appendix D. Discrete: half of log n; publications use 0.2 and
    # 0.98. On CartPole, at 0.1 and 0.2 alpha goes to 0, and policies that held the pole for 500
    # steps forget it again; near 1 the policy is a coin toss. At 0.5 it keeps visiting its own
    # mistakes, and its most likely actions, which evaluations take, stay right.
    target_entropy: Annotated[
        Literal["auto"] | float,
        Option(
            "Policy entropy in nats that alpha is learned for; auto: minus the number of action "
            "dimensions, for discrete actions 0.5 times log(number of actions); of several parts "
            "the sum."
        ),
    ] = "auto"
    target_std: Annotated[
        float | None,
        Option(
            "In place of target_entropy, the standard deviation of a Gaussian, before its tanh, "
            "with as much entropy; null: target_entropy counts. For continuous actions, of which "
            "none have more entropy than uniform ones, whose it is near 0.484.",
            above=0,
            at_most=0.48,
        ),
    ] = None
    # The clamp keeps exp(log_std) within float32; the authors' code uses -20 and 2.
    log_std_min: Annotated[float, log_std("Lower clamp of the log standard deviation.")] = -20.0
    log_std_max: Annotated[float, log_std("Upper clamp of the log standard deviation.")] = 2.0
    # -3 in SB3; with many features, or in short trainings, less may do better.
    gsde_log_std: Annotated[
        float | None,
        Option(
            "Generalised state-dependent exploration (arXiv:2005.05719): noise is linear in the "
            "policy's last features, and this is the log standard deviation of its weights at "
            "first; null: noise of its own in each step. train.noise: held keeps the weights for "
            "some steps. For continuous actions.",
            at_least=-20,
            at_most=2,
        ),
    ] = None
    max_grad_norm: Annotated[
        float | None,
        Option("Clip each network's gradient to this norm; null: no clipping.", above=0),
    ] = None
    normalize_observations: Annotated[
        bool, Option("Standardise observations by their running mean and variance.")
    ] = False
    normalize_rewards: Annotated[
        bool,
        Option(
            "Divide the rewards that are learned from by the standard deviation of their "
            "discounted sum up to now, so that none is above value_bound; a return to come may be, "
            "where rewards are largest early. Those of hindsight are not among them."
        ),
    ] = False
    reward_scale: Annotated[
        float,
        Option(
            "Factor on the rewards that are learned from, not on logged ones; also on normalised "
            "ones.",
            above=0,
        ),
    ] = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "agent.")
        if self.log_std_min >= self.log_std_max:
            raise ConfigError(
                f"agent.log_std_min: expected a number below agent.log_std_max "
                f"({self.log_std_max:g}), got {self.log_std_min:g}"
            )
        if len(self.adam_betas) != 2:
            raise ConfigError(
                f"agent.adam_betas: expected two numbers, got {list(self.adam_betas)}"
            )
        if self.target_std is not None and self.target_entropy != "auto":
            raise ConfigError(
                f"agent.target_std: stands in place of agent.target_entropy, which is "
                f"{self.target_entropy:g}; leave one of them out"
            )
        if self.alpha_per_part and (self.alpha, self.target_entropy) != ("auto", "auto"):
            raise ConfigError(
                f"agent.alpha_per_part: learns each part's alpha for its own target, so expected "
                f"agent.alpha and agent.target_entropy auto, got {self.alpha} and "
                f"{self.target_entropy}"
            )
        if self.gsde_log_std is not None and self.unit_weights is True:
            raise ConfigError(
                "agent.gsde_log_std: agent.unit_weights would scale the noise's weights, too; "
                "leave one of them out, or set agent.unit_weights: hidden"
            )
        self._check_networks()

    def _check_networks(self) -> None:
        """Raise ConfigError for settings that a kind of networks has no use for."""
        if self.network == "mlp":
            return
        for key in ("critic_norm", "policy_norm", "critic_dropout"):
            value = getattr(self, key)
            if value not in ("none", 0.0):
                raise ConfigError(
                    f"agent.{key}: the blocks of agent.network {self.network} have a form of their "
                    f"own; leave {key} out, or set agent.network: mlp, got {value}"
                )
        for key in ("hidden_sizes", "critic_hidden_sizes"):
            sizes = getattr(self, key)
            if sizes is not None and len(set(sizes)) != 1:
                raise ConfigError(
                    f"agent.{key}: expected one width for each residual block, all the same, such "
                    f"as [256, 256], got {list(sizes)}"
                )
