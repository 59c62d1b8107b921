"""Encoders: from the parts of an observation to the features that policy and critic share.

A new one is a line of CONVOLUTIONS, and its name in `agent.encoder`.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import Tensor, nn, no_grad, optim
from autograd.functional.fused import random_shift
from autograd.generator import from_numpy_generator
from sac.errors import ConfigError
from sac.networks.architecture import Described

# Channels, kernel and stride of each layer.
CONVOLUTIONS: Mapping[str, Sequence[tuple[int, int, int]]] = {
    "nature": ((32, 8, 4), (64, 4, 2), (64, 3, 1)),  # Mnih et al. 2015
    "drq": ((32, 3, 2), (32, 3, 1), (32, 3, 1), (32, 3, 1)),  # Yarats et al. 2020, arXiv:2004.13649
}
FEATURES = 50  # of all images together: arXiv:1910.01741, appendix B
EPSILON = 1e-5  # of the LayerNorm


@dataclass(frozen=True)
class ImagePart:
    """An image, or a stack of images, among the parts of an observation."""

    columns: slice  # of the flattened observation
    shape: tuple[int, ...]  # as the space says; of a stack the frames come first

    @property
    def is_last(self) -> bool:
        """Whether channels come last, not before height and width."""
        return self.shape[-1] <= self.shape[-3]

    @property
    def channels_first(self) -> tuple[int, int, int]:
        """Channels, those of all frames together, height and width."""
        a, b, c = self.shape[-3:]
        channels, height, width = (c, a, b) if self.is_last else (a, b, c)
        return math.prod(self.shape[:-3]) * channels, height, width


@dataclass(frozen=True)
class Plan:
    """What an encoder reads of an observation of so many columns; ConfigError where it can't."""

    kind: str
    images: Sequence[ImagePart]
    columns: int
    shift: int  # pixels

    def __post_init__(self) -> None:
        for image in self.images:
            if min(self._outputs(image)) < 1:
                raise ConfigError(
                    f"agent.encoder: {self.kind} needs larger images than {image.shape}; set "
                    "agent.encoder: none, or enlarge them with gymnasium.wrappers.ResizeObservation"
                )
            sides = image.channels_first[1:]
            if self.shift >= min(sides):
                raise ConfigError(
                    f"agent.random_shift: expected less than the sides of images, {sides}, got "
                    f"{self.shift}"
                )

    @property
    def others(self) -> NDArray[np.int64]:
        """The columns that belong to no image."""
        free = np.ones(self.columns, np.bool_)
        for image in self.images:
            free[image.columns] = False
        return np.flatnonzero(free)

    @property
    def features(self) -> int:
        """How many features policy and critic get."""
        read = sum(image.columns.stop - image.columns.start for image in self.images)
        return self.columns - read + FEATURES

    @property
    def projected(self) -> int:
        """How many numbers the convolutions of all images give."""
        return sum(math.prod(self._outputs(image)) for image in self.images)

    def _outputs(self, image: ImagePart) -> tuple[int, int, int]:
        channels, height, width = image.channels_first
        for made, kernel, stride in CONVOLUTIONS[self.kind]:
            channels = made
            height, width = ((side - kernel) // stride + 1 for side in (height, width))
        return channels, height, width


class PlainEncoder(nn.Module):
    """Gives the networks all features as they are."""

    is_repeatable = True
    optimizer: optim.Optimizer | None = None

    def __init__(self, features: int) -> None:
        """Take the number of features of an observation."""
        super().__init__()
        self.features = features
        self.numbers = np.arange(features)  # the columns that belong to no image

    def forward(self, observation: Tensor) -> Tensor:
        """Return an observation (batch, features)."""
        return observation

    def read(self, observation: Tensor, next_observation: Tensor) -> tuple[Tensor, Tensor]:
        """Return what an update learns from."""
        return observation, next_observation

    def generators(self) -> dict[str, torch.Generator]:
        """Return no generator."""
        return {}

    def steps(self) -> Described:
        """Return no step."""
        return []


class ImageEncoder(nn.Module):
    """Convolutions of each image, projected together to features beside those of other parts.

    The loss of the critic teaches it; the policy takes the features without a gradient (Yarats et
    al. 2019, arXiv:1910.01741). Features of next observations are its own, without a gradient
    (Yarats et al. 2021, arXiv:2107.09645), so that it has no target copy. Batches are augmented by
    random shifts (arXiv:2004.13649).
    """

    is_repeatable = True

    def __init__(
        self,
        plan: Plan,
        weights: np.random.Generator,
        shifts: np.random.Generator,
        device: torch.device,
        new_optimizer: Callable[[nn.Module], optim.Optimizer],
    ) -> None:
        """Draw the weights from `weights`, and the shifts of images from `shifts`."""
        super().__init__()
        self.features = plan.features
        self._images, self._padding = plan.images, plan.shift
        source = from_numpy_generator(weights)
        self.convolutions = nn.ModuleList(
            _convolutions(plan.kind, image.channels_first[0], source) for image in plan.images
        )
        self.projection = nn.Linear(plan.projected, FEATURES, generator=source)
        self.norm = nn.LayerNorm(FEATURES, eps=EPSILON)
        self.numbers = plan.others
        has_numbers = len(self.numbers) > 0
        self._others = torch.as_tensor(self.numbers, device=device) if has_numbers else None
        self.shifts = from_numpy_generator(shifts, device)
        self.to(device)
        self.optimizer: optim.Optimizer | None = new_optimizer(self)

    def forward(self, observation: Tensor) -> Tensor:
        """Return the features (batch, features) of observations (batch, columns)."""
        return self._features(observation, [_image(observation, part) for part in self._images])

    def read(self, observation: Tensor, next_observation: Tensor) -> tuple[Tensor, Tensor]:
        """Return what an update learns from: the features of augmented observations."""
        features = self._augmented(observation)
        with no_grad():
            return features, self._augmented(next_observation)

    def _augmented(self, observation: Tensor) -> Tensor:
        images = [self._shifted(_image(observation, part)) for part in self._images]
        return self._features(observation, images)

    def _shifted(self, image: Tensor) -> Tensor:
        if not self._padding:
            return image
        offsets = torch.randint(
            0, 2 * self._padding + 1, (len(image), 2), generator=self.shifts, device=image.device
        )
        return random_shift(image, offsets, self._padding)

    def _features(self, observation: Tensor, images: Sequence[Tensor]) -> Tensor:
        seen = [net(image) for net, image in zip(self.convolutions, images, strict=True)]
        joined = seen[0] if len(seen) == 1 else torch.cat(seen, 1)
        features = torch.tanh(self.norm(self.projection(joined)))
        if self._others is None:
            return features
        return torch.cat([observation.index_select(1, self._others), features], 1)

    def generators(self) -> dict[str, torch.Generator]:
        """Return the generator of the shifts."""
        return {"augmentation": self.shifts}

    def steps(self) -> Described:
        """Return the steps of `forward`, each as its kind and its arrays."""
        return list(self._steps())

    def _steps(self) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
        several = len(self._images) > 1 or self._others is not None
        if self._others is not None:
            yield from (("fork", {}), ("take", {"columns": self._others}), ("swap", {}))
        for number, (part, net) in enumerate(zip(self._images, self.convolutions, strict=True)):
            is_last = number == len(self._images) - 1
            if not is_last:
                yield "fork", {}
            if several:
                yield "take", {"columns": torch.arange(part.columns.start, part.columns.stop)}
            yield (
                "image",
                {"shape": torch.tensor(part.shape), "is_last": torch.tensor(part.is_last)},
            )
            for layer in net[:-1]:
                if isinstance(layer, nn.Conv2d):
                    stride = torch.tensor(layer.stride)
                    yield "conv", {"weight": layer.weight, "bias": layer.bias, "stride": stride}
                else:
                    yield "relu", {}
            yield "flatten", {}
            if not is_last:
                yield "swap", {}
        yield from (("concat", {}) for _ in self._images[1:])
        yield "linear", {"weight": self.projection.weight, "bias": self.projection.bias}
        norm = {"weight": self.norm.weight, "bias": self.norm.bias, "eps": torch.tensor(EPSILON)}
        yield "layer_norm", norm
        yield "tanh", {}
        if self._others is not None:
            yield "concat", {}


Encoder = PlainEncoder | ImageEncoder


def _convolutions(kind: str, channels: int, source: torch.Generator) -> nn.Sequential:
    layers: list[nn.Module] = []
    for made, kernel, stride in CONVOLUTIONS[kind]:
        layers += [nn.Conv2d(channels, made, kernel, stride, generator=source), nn.ReLU()]
        channels = made
    return nn.Sequential(*layers, nn.Flatten())


def _image(observation: Tensor, part: ImagePart) -> Tensor:
    """Return the images (batch, channels, height, width) in observations (batch, columns).

    The frames of a stack become channels.
    """
    batch, frames = len(observation), math.prod(part.shape[:-3])
    images = observation[:, part.columns].reshape(batch, frames, *part.shape[-3:])
    if not part.is_last:
        return images.reshape(batch, *part.channels_first)
    channels, height, width = part.channels_first
    # The channels stay last in memory, where convolutions want them.
    images = images[:, 0] if frames == 1 else images.permute(0, 2, 3, 1, 4)
    return images.reshape(batch, height, width, channels).permute(0, 3, 1, 2)
