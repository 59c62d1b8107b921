"""Randomized ensembled double Q-learning: Chen et al. 2021, arXiv:2101.05982."""

import autograd as torch
from autograd import Tensor
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.critics.soft_q import SoftQCritic
from sac.errors import ConfigError
from sac.seeding import Streams, generator

DEFAULT_MIN_OVER = 2  # M of the paper


class REDQCritic(SoftQCritic):
    """The target is the minimum over a random few of the networks; the policy climbs the mean."""

    is_repeatable = True

    def _prepare(self, config: AgentConfig, streams: Streams, device: torch.device) -> None:
        """Draw the subsets from the stream `critic`."""
        self.min_over = config.min_over or DEFAULT_MIN_OVER
        if self.min_over > config.num_soft_q_nets:
            raise ConfigError(
                f"agent.num_soft_q_nets: redq takes the minimum over {self.min_over} of them "
                f"(agent.min_over), expected at least {self.min_over}, got "
                f"{config.num_soft_q_nets}"
            )
        self.choice = from_numpy_generator(generator(streams.critic), device)

    def target_value(self, *inputs: Tensor) -> Tensor:
        """Return the minimum over `min_over` target networks, the same ones for a whole batch."""
        nets = self.target_soft_q_nets
        draws = torch.rand(nets.networks, generator=self.choice, device=self.choice.device)
        return nets.min(*inputs, rows=draws.argsort()[: self.min_over])

    def value(self, *inputs: Tensor) -> Tensor:
        """Return the mean over all networks."""
        return self.soft_q_nets(*inputs).mean(dim=0)

    def generators(self) -> dict[str, torch.Generator]:
        """Return the generator of the subsets."""
        return {"critic": self.choice}
