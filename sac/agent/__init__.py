"""The soft actor-critic agent."""

from sac.agent.agent import SACAgent

__all__ = ["SACAgent"]
