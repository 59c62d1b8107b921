"""A trained policy as a list of layers, the source of every export format."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sac.agent.agent import SACAgent
from sac.networks.observation_input import CLIP, NormalizedObservationInput
from sac.spaces import space_to_json


@dataclass(frozen=True)
class Layer:
    """A step from observation to action: its kind, and its arrays."""

    kind: str
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """The deterministic policy, from a raw observation to an action in the environment's units.

    The layers turn observations (n, *observation_shape), flattened to float32 (n, features), into
    actions (n, *action_shape); of a Dict or Tuple of actions each is one row, the parts in the
    order of the space. `is_encoded`: the observation space is no Box, so that observations
    must have passed `gymnasium.spaces.flatten`.
    """

    layers: list[Layer]
    observation_shape: tuple[int, ...]
    observation_dtype: np.dtype
    is_encoded: bool
    action_shape: tuple[int, ...]
    action_dtype: np.dtype
    spaces: dict[str, Any]  # of observation and action, as JSON

    @classmethod
    def of(cls, agent: SACAgent) -> "Policy":
        """Return the policy of an agent."""
        encoder, codec = agent.observation_encoder, agent.action_codec
        observation = space_to_json(encoder.space)
        is_encoded = observation["type"] != "Box"
        return cls(
            layers=[*_input_layers(agent), *_network_layers(agent), Layer(*codec.output_step())],
            observation_shape=encoder.shape,
            observation_dtype=np.dtype(encoder.dtype if is_encoded else encoder.space.dtype),
            is_encoded=is_encoded,
            action_shape=codec.array_shape,
            action_dtype=codec.array_dtype,
            spaces={"observation": observation, "action": space_to_json(codec.space)},
        )


def _input_layers(agent: SACAgent) -> list[Layer]:
    layers, statistics = [], agent.observation_input
    if statistics.has_uint8:
        layers.append(Layer("scale", {"factor": statistics.uint8_factor}))
    if isinstance(statistics, NormalizedObservationInput):
        arrays = {
            "mean": statistics.shift,
            "factor": statistics.factor,
            "limit": np.array(CLIP, np.float32),
        }
        layers.append(Layer("standardise", arrays))
    return layers


def _network_layers(agent: SACAgent) -> list[Layer]:
    """Return encoder and policy network; of a Gaussian's outputs the means alone."""
    return [
        Layer(kind, {name: tensor.numpy(force=True) for name, tensor in tensors.items()})
        for kind, tensors in [*agent.encoder.steps(), *agent.policy_net.mode_steps()]
    ]
