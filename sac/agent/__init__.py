"""The soft actor-critic agent."""
