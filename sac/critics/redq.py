"""Randomized ensembled double Q-learning: Chen et al. 2021, arXiv:2101.05982."""

import autograd as torch
from autograd import Tensor
from sac.config import AgentConfig
from sac.critics.soft_q import SoftQCritic
from sac.errors import ConfigError

DEFAULT_MIN_OVER = 2  # M of the paper


class REDQCritic(SoftQCritic):
    """The target is the minimum over a random few of the networks; the policy climbs the mean."""

    is_repeatable = True

    has_choices = True

    def _check(self, config: AgentConfig) -> None:
        """Raise ConfigError for fewer networks than a minimum is over."""
        self.min_over = config.min_over or DEFAULT_MIN_OVER
        if self.min_over > config.num_soft_q_nets:
            raise ConfigError(
                f"agent.num_soft_q_nets: redq takes the minimum over {self.min_over} of them "
                f"(agent.min_over), expected at least {self.min_over}, got "
                f"{config.num_soft_q_nets}"
            )

    def target_value(self, *inputs: Tensor) -> Tensor:
        """Return the minimum over `min_over` target networks, the same ones for a whole batch."""
        nets, noise = self.target_soft_q_nets, self.noise
        assert noise is not None
        draws = torch.rand(nets.networks, generator=noise, device=noise.device)
        return nets.min(*inputs, rows=draws.argsort()[: self.min_over], **self.batch_mode)

    def value(self, *inputs: Tensor) -> Tensor:
        """Return the mean over all networks."""
        return self.soft_q_nets(*inputs, **self.mode).mean(dim=0)
