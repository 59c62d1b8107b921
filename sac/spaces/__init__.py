"""Observation and action spaces: their arrays for the agent, and their documents in files."""

from sac.spaces.actions import ActionCodec, action_codec
from sac.spaces.documents import space_from_json, space_to_json
from sac.spaces.observations import ObservationEncoder

__all__ = ["ActionCodec", "ObservationEncoder", "action_codec", "space_from_json", "space_to_json"]
