"""CrossQ: no target networks, but batch statistics shared by (s, a) and (s', a').

Source: Bhatt et al. 2024, arXiv:1902.05605.
"""

from collections.abc import Sequence

from autograd import Tensor, enable_grad, no_grad
from autograd.functional.fused import lowest
from sac.config import AgentConfig
from sac.critics.soft_q import SoftQCritic
from sac.critics.transitions import Metrics, Policy, Transitions
from sac.errors import ConfigError
from sac.networks.architecture import Stack


class CrossQCritic(SoftQCritic):
    """The target is of the networks that learn, in the same forward pass."""

    is_repeatable = True
    has_targets = False

    @property
    def target_soft_q_nets(self) -> Stack:  # type: ignore[override]
        """The networks that learn."""
        return self.soft_q_nets

    def _check(self, config: AgentConfig) -> None:
        super()._check(config)
        if not config.critic_norm.startswith("batch") and config.network != "flashsac":
            raise ConfigError(
                "agent.critic: crossq learns without target networks thanks to BatchNorm; set "
                f"agent.critic_norm: batch, got {config.critic_norm}"
            )

    def loss(self, batch: Transitions, policy: Policy, alpha: Tensor) -> tuple[Tensor, Metrics]:
        """Return the loss of SAC, by one forward pass for (s, a) and (s', a')."""
        outputs: list[Tensor] = []

        def next_value(*inputs: Tensor) -> Tensor:
            with enable_grad():
                outputs.append(self.soft_q_nets(*inputs, **self.batch_mode))
            return lowest(outputs[0].detach())

        with no_grad():
            target, _ = self.backup(batch, policy, alpha, next_value)
        return self.measured(batch, outputs[0], target.detach())

    def _joined(self, batch: Transitions, pair: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the same, through which the loss teaches what encodes (s, a)."""
        with enable_grad():
            return super()._joined(batch, pair)
