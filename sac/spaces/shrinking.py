"""What makes an observation smaller, by its kind."""

from typing import Any

from gymnasium import Space, spaces

WRAPPERS = "gymnasium.wrappers"


def shrinking_advice(space: Space) -> str:
    """Return what makes observations of a space smaller, in words."""
    match space:
        case spaces.Dict() | spaces.Tuple():
            is_dict = isinstance(space, spaces.Dict)
            parts: Any = space.spaces if is_dict else dict(enumerate(space.spaces))
            sizes = {name: spaces.flatdim(part) for name, part in parts.items()}
            name = max(sizes, key=sizes.__getitem__)
            part = f"the largest is {name} with {sizes[name]:,} features"
            return (
                f"env.ignore_observations leaves parts out ({part}), {WRAPPERS}."
                "TransformObservation makes them smaller"
            )
        case spaces.Box() if len(space.shape) > 1:
            return (
                f"{WRAPPERS}.GrayscaleObservation and ResizeObservation make an image smaller, "
                "FrameStackObservation with a smaller stack_size a stack of them"
            )
        case spaces.Box():
            return f"{WRAPPERS}.TransformObservation picks or sums up what matters"
    return (
        f"{WRAPPERS}.TransformObservation puts a smaller code in the place of one-hots, such as "
        "coordinates or binary digits"
    )
