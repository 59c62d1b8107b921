"""Episodes as an environment gave them, before anything is encoded."""

import copy
from dataclasses import dataclass, field
from typing import Any

import gymnasium


@dataclass
class PlayedEpisode:
    """The observations, one more than of the rest, and what came of each action."""

    observations: list[Any]
    actions: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    terminated: list[bool] = field(default_factory=list)
    truncated: list[bool] = field(default_factory=list)


class EpisodeKeeper(gymnasium.Wrapper):
    """Keeps copies of all episodes in `episodes`; the last of them may have just begun."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self.episodes: list[PlayedEpisode] = []

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        """Reset, and begin an episode."""
        observation, info = self.env.reset(**arguments)
        self.episodes.append(PlayedEpisode([copy.deepcopy(observation)]))
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and keep what came."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        episode = self.episodes[-1]
        episode.observations.append(copy.deepcopy(observation))
        episode.actions.append(copy.deepcopy(action))
        episode.rewards.append(float(reward))
        episode.terminated.append(bool(terminated))
        episode.truncated.append(bool(truncated))
        return observation, reward, terminated, truncated, info
