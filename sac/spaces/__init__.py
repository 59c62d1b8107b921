"""Observation and action spaces: what the agent sees, does, and keeps of them in a file."""

from sac.spaces.actions import ActionCodec, action_codec
from sac.spaces.documents import space_from_json, space_to_json
from sac.spaces.observations import ObservationEncoder

__all__ = [
    "ActionCodec",
    "ObservationEncoder",
    "action_codec",
    "space_from_json",
    "space_to_json",
]
