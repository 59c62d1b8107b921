"""Boxes whose observations are stacks of frames."""

from typing import Literal, Self, get_args

from gymnasium import spaces

Padding = Literal["reset", "zero"]
PADDINGS: tuple[str, ...] = get_args(Padding)


class StackedBox(spaces.Box):
    """A Box of frames (frames, *frame), the newest last, of Gymnasium's FrameStackObservation.

    In a new episode, the places of frames that have not been are taken by its first one (reset) or
    by zeros (zero). It equals the Box with the same bounds.
    """

    padding: Padding

    @classmethod
    def of(cls, box: spaces.Box, padding: Padding) -> Self:
        """Return a space with the bounds of another."""
        stacked = cls(box.low, box.high, box.shape, box.dtype.type)
        stacked.padding = padding
        return stacked
