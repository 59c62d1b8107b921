"""Truncated quantile critics: Kuznetsov et al. 2020, arXiv:2005.04269."""

import autograd as torch
from autograd import Tensor
from autograd.functional.fused import quantile_huber, smallest
from sac.config import AgentConfig
from sac.critics import ActionReading
from sac.critics.soft_q import SoftQCritic, mean_of_rows
from sac.errors import ConfigError


class TQCCritic(SoftQCritic):
    """Networks of quantiles: targets leave out the largest of all, the policy climbs the mean."""

    is_repeatable = True
    gives_values = False

    def _check(self, config: AgentConfig) -> None:
        super()._check(config)
        if config.drop_quantiles >= config.num_quantiles:
            raise ConfigError(
                f"agent.drop_quantiles: expected fewer than agent.num_quantiles "
                f"({config.num_quantiles}), got {config.drop_quantiles}"
            )
        self.kept = (config.num_quantiles - config.drop_quantiles) * config.num_soft_q_nets

    def _outputs(self, reading: ActionReading, config: AgentConfig) -> int:
        return config.num_quantiles

    def losses(self, outputs: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        """Return the quantile Huber loss of each network (networks,); equation 12."""
        return mean_of_rows(quantile_huber(outputs, target), weight)

    def expected(self, outputs: Tensor) -> Tensor:
        """Return the mean of quantiles."""
        return outputs.mean(dim=-1, keepdim=True)

    def value(self, *inputs: Tensor) -> Tensor:
        """Return the mean of all quantiles of all networks, (batch, 1)."""
        return self.expected(self.soft_q_nets(*inputs, **self.mode)).mean(dim=0)

    def target_value(self, *inputs: Tensor) -> Tensor:
        """Return the smallest quantiles of the target networks together, (batch, kept)."""
        outputs = self.target_soft_q_nets(*inputs, **self.batch_mode)
        return smallest(torch.cat(outputs.unbind(), dim=1), self.kept)
