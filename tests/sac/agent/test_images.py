"""Agents that see images: what teaches their encoder, what it reads, and that they learn."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import autograd as torch
from sac import SACAgent, train
from sac.agent.state import described
from sac.agent.variants import CRITICS, image_plan
from sac.config import AgentConfig
from sac.errors import CheckpointError, ConfigError
from sac.networks.encoders import ImageEncoder, ImagePart, PlainEncoder, _image
from sac.spaces import ObservationEncoder, space_to_json
from sac.spaces.stacks import StackedBox
from tests.sac.agent.test_compiled_update import compiled_agent
from tests.sac.agents_for_tests import (
    assert_same_bits,
    make_agent,
    make_batch,
    run_as_written,
)
from tests.sac.images_for_tests import IMAGE, spot
from tests.sac.tiny_runs import tiny_config

SPEED = spaces.Box(-9, 9, (2,), np.float32)
SPACES: dict[str, spaces.Space] = {
    "image": IMAGE,
    "channels first": spaces.Box(0, 255, (3, 36, 40), np.uint8),
    "stack": spaces.Box(0, 255, (2, 36, 38, 3), np.uint8),
    "image and numbers": spaces.Dict(image=IMAGE, speed=SPEED),
    "two images and numbers": spaces.Dict(
        a=SPEED, eye=IMAGE, flag=spaces.Discrete(3), left=spaces.Box(0, 255, (3, 37, 36), np.uint8)
    ),
}


def encoder_of(agent: SACAgent) -> ImageEncoder:
    assert isinstance(agent.encoder, ImageEncoder)
    return agent.encoder


@pytest.mark.parametrize("device", ["cpu", "standin"], indirect=True)
@pytest.mark.parametrize("actions", ["continuous", "discrete"])
@pytest.mark.parametrize("name", SPACES)
def test_contract(name: str, actions: str, device: str) -> None:
    def made(seed: int) -> SACAgent:
        return make_agent(
            actions,
            SPACES[name],
            seed=seed,
            device=device,
            compile="never",
            normalize_observations="numbers" in name,
            max_grad_norm=0.5,
        )

    agent, twin, written, other = (made(seed) for seed in (3, 3, 3, 4))
    run_as_written(written)
    before = agent.state_dict()
    for seed in range(3):
        batch = make_batch(agent, seed)
        for each in (agent, twin, written):
            each.observe(batch.observation)
            each.update(batch)
    after = agent.state_dict()
    assert_same_bits(twin.state_dict(), after)
    assert_same_bits(written.state_dict(), after)
    same = {n for n in before if np.array_equal(before[n], after[n])}
    assert not same, same
    other.load_state_dict(after)
    other.load_generator_state(agent.generator_state())
    for each in (agent, other):
        each.update(make_batch(agent, 3))
    assert_same_bits(other.state_dict(), agent.state_dict())
    observation = agent.observation_encoder.space.sample()
    for deterministic in (False, True):
        assert agent.action_codec.space.contains(agent.act(observation, deterministic))


def test_compiled_updates_are_those_of_numpy() -> None:
    agents = [compiled_agent(observations=IMAGE), make_agent(observations=IMAGE, compile="never")]
    for seed in range(3):
        for agent in agents:
            agent.update(make_batch(agent, seed))
    compiled, plain = (agent.state_dict() for agent in agents)
    for name, array in plain.items():
        np.testing.assert_allclose(compiled[name], array, rtol=2e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize(("critic", "norm"), [("sac", "none"), *((c, "batch") for c in CRITICS)])
def test_the_critics_loss_alone_teaches_the_encoder(critic: Any, norm: Any) -> None:
    space = SPACES["image and numbers"]
    agent = make_agent(observations=space, critic=critic, critic_norm=norm)
    losses, _ = agent.losses(make_batch(agent))
    losses["policy_loss"].backward()
    weights = dict(encoder_of(agent).named_parameters())
    assert all(weight.grad is None for weight in weights.values())
    losses["critic_loss"].backward()
    for name, weight in weights.items():
        assert weight.grad is not None and np.abs(weight.grad.numpy()).max() > 0, name


def test_next_observations_get_no_gradient_and_the_same_encoder() -> None:
    agent = make_agent(observations=IMAGE, random_shift=0)
    batch = agent.transitions(make_batch(agent))
    now, later = agent.encoder.read(batch.observation, batch.next_observation)
    assert now.requires_grad and not later.requires_grad
    np.testing.assert_array_equal(agent.encoder(batch.next_observation).detach(), later)


def test_gradient_of_an_encoder_is_that_of_small_steps() -> None:
    agent = make_agent(observations=SPACES["image and numbers"], encoder="drq", random_shift=0)
    encoder = encoder_of(agent).double()
    rng = np.random.default_rng(0)
    observation = torch.as_tensor(rng.uniform(0, 1, (2, 36 * 36 + 2)))
    mix = torch.as_tensor(rng.normal(size=(2, encoder.features)))

    def loss() -> torch.Tensor:
        return (encoder(observation) * mix).sum()

    loss().backward()
    for weight in encoder.parameters():
        gradient, flat = weight.grad, weight.data.reshape(-1)
        assert gradient is not None
        for place in rng.integers(0, flat.numel(), 3).tolist():
            ends = []
            for step in (1e-6, -1e-6):
                flat[place] += step
                ends.append(loss().item())
                flat[place] -= step
            expected = (ends[0] - ends[1]) / 2e-6
            assert gradient.reshape(-1)[place].item() == pytest.approx(expected, rel=1e-4, abs=1e-7)
            # A ReLU between the ends would show as a difference, and none lies there.


def test_shifts_move_images_alone_and_differ_from_one_to_the_next() -> None:
    agent = make_agent(observations=SPACES["image and numbers"])
    encoder = encoder_of(agent)
    row = np.concatenate([np.ravel(spot(0.0)) / 255, [5, -5]]).astype(np.float32)
    observation = torch.as_tensor(np.tile(row, (64, 1)))
    features, _ = encoder.read(observation, observation)
    assert len(np.unique(features.detach().numpy()[:, 2:].round(5), axis=0)) > 32
    np.testing.assert_array_equal(features.detach().numpy()[:, :2], observation[:, -2:].numpy())
    still = encoder(observation).detach().numpy()
    assert np.allclose(still, still[0], atol=1e-6)  # acting shifts nothing


@pytest.mark.parametrize("name", ["image", "channels first", "stack"])
def test_frames_of_a_stack_become_channels(name: str) -> None:
    shape = SPACES[name].shape
    assert shape is not None
    part = ImagePart(slice(0, math.prod(shape)), shape)
    rows = np.arange(2 * math.prod(shape), dtype=np.float32).reshape(2, -1)
    images = rows.reshape(2, *shape)
    if name == "stack":
        frames = [images[:, i].transpose(0, 3, 1, 2) for i in range(shape[0])]
        expected = np.concatenate(frames, 1)
    else:
        expected = images if name == "channels first" else images.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(_image(torch.as_tensor(rows), part).numpy(), expected)


@pytest.mark.parametrize(
    ("space", "encoder", "kind"),
    [
        (IMAGE, "auto", "nature"),
        (IMAGE, "none", None),
        (IMAGE, "drq", "drq"),
        (spaces.Box(0, 255, (35, 36, 3), np.uint8), "auto", None),
        (spaces.Box(0, 255, (36, 36, 2), np.uint8), "auto", None),
        (spaces.Box(0, 255, (5, 36, 36), np.uint8), "auto", None),
        (StackedBox.of(spaces.Box(0, 255, (5, 36, 36), np.uint8), "reset"), "auto", "nature"),
        (StackedBox.of(spaces.Box(0, 255, (5, 36), np.uint8), "reset"), "auto", None),
        (spaces.Box(0, 1, (36, 36, 3), np.float32), "auto", None),
        (spaces.Box(0, 1, (36, 36, 3), np.float32), "nature", "nature"),
        (SPEED, "auto", None),
        (SPACES["two images and numbers"], "auto", "nature"),
    ],
)
def test_images_are_found(space: spaces.Space, encoder: Any, kind: str | None) -> None:
    plan = image_plan(AgentConfig(encoder=encoder), ObservationEncoder(space))
    assert (None if plan is None else plan.kind) == kind
    agent = make_agent(observations=space, encoder=encoder)
    assert isinstance(agent.encoder, PlainEncoder if kind is None else ImageEncoder)
    if plan is not None:
        assert agent.encoder.features == plan.features
        assert encoder_of(agent).projection.in_features == plan.projected


@pytest.mark.parametrize(
    ("space", "keys", "message"),
    [
        (SPEED, {"encoder": "drq"}, "agent.encoder: drq reads images.*there is none in Box"),
        (spaces.Box(0, 1, (9, 9, 3)), {"encoder": "nature"}, "nature needs larger images"),
        (IMAGE, {"random_shift": 36}, r"agent.random_shift: expected less .* \(36, 36\), got 36"),
    ],
)
def test_what_does_not_fit_is_refused(space: spaces.Space, keys: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_agent(observations=space, **keys)


def test_only_numbers_beside_images_are_standardised() -> None:
    agent = make_agent(observations=SPACES["image and numbers"], normalize_observations=True)
    batch = make_batch(agent, size=64)
    agent.observe(batch.observation)
    seen = agent.observation_input.array(batch.observation)
    np.testing.assert_allclose(seen[:, -2:].std(0), 1, rtol=1e-3)
    np.testing.assert_allclose(seen[:, :-2], batch.observation[:, :-2] / np.float32(255), rtol=1e-5)


def test_an_image_of_other_numbers_is_standardised() -> None:
    space = spaces.Box(0, 1000, (36, 36, 1), np.float32)
    agent = make_agent(observations=space, encoder="nature", normalize_observations=True)
    images = np.random.default_rng(0).uniform(0, 1000, (64, *space.shape)).astype(np.float32)
    agent.observe(images)
    seen = agent.observation_input.array(images)
    np.testing.assert_allclose(seen.std(0), 1, rtol=1e-3)
    assert len(np.unique(seen)) > 0.9 * seen.size  # nothing is cut off


def test_a_described_encoder_larger_than_its_file_is_refused_before_it_is_built() -> None:
    agent = make_agent(observations=IMAGE)
    document = agent.description()
    assert described(document, agent.policy_state_dict())[2] == agent.config
    large = make_agent(observations=spaces.Box(0, 255, (400, 400, 3), np.uint8)).description()
    with pytest.raises(CheckpointError, match="describes a network of"):
        described(large, agent.policy_state_dict())


def test_critics_out_of_all_proportion_are_refused_before_they_are_built() -> None:
    agent = make_agent()
    document = agent.description()
    document["agent"]["critic_hidden_sizes"] = [65536, 65536]
    with pytest.raises(CheckpointError, match=r"soft Q networks of 8\d+ weights, and .* holds \d+"):
        described(document, agent.policy_state_dict())


def test_a_described_encoder_without_images_is_refused() -> None:
    agent = make_agent(observations=IMAGE, encoder="drq")
    document = agent.description()
    document["observation_space"] = space_to_json(SPEED)
    with pytest.raises(CheckpointError, match=r"does not describe a policy: .*drq reads"):
        described(document, agent.policy_state_dict())


RATES: dict[str, Any] = {name: 1e-3 for name in ("policy_lr", "soft_q_lr", "alpha_lr")}


@pytest.mark.parametrize("sign", [False, True])
def test_learns_from_images(tmp_path: Path, sign: bool) -> None:
    settings: dict[str, Any] = {
        "env": {"id": "tests.sac.images_for_tests:Spot-v0", "kwargs": {"sign": sign}},
        "agent": {
            **RATES, "hidden_sizes": [64, 64], "initial_alpha": 0.1, "gamma": 0.0,
            "random_shift": 0,
        },
        "train": {"total_steps": 700, "learning_starts": 100, "batch_size": 64},
        "evaluation": {"every_steps": 700, "episodes": 20},
    }  # fmt: skip
    result = train(tiny_config(tmp_path).merged(settings))
    assert result.evaluation is not None and result.evaluation.mean_return > -1.5
