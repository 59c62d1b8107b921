"""The network of a policy."""

from sac.config import AgentConfig
from sac.networks.architecture import Architecture


def policy_network(config: AgentConfig) -> Architecture:
    """Return the shape of a policy's network."""
    return Architecture(
        kind=config.network,
        sizes=config.hidden_sizes,
        activation=config.activation,
        norm=config.policy_norm,
        unit_rows=config.unit_weights,
    )
