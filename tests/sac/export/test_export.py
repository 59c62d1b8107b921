"""Exported policies act as the agent does, and an export that would not is refused."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import sac.export
from sac.agent.agent import SACAgent
from sac.errors import CheckpointError, ConfigError, SACError
from sac.export import export, reader
from sac.export.agreement import check, random_observations
from sac.export.layers import Layer, Policy
from sac.export.reader import NumpyPolicy
from sac.run.checkpoint import save_checkpoint
from tests.sac.agents_for_tests import make_agent
from tests.sac.export.agents import CAMERA, CASES, raw_observations, saved

BOX_CASES = [name for name in CASES if name != "one-hot observations"]
USE_OF_THE_READER = """
import sys
observations, expected = np.load("observations.npy"), np.load("expected.npy")
actions = NumpyPolicy("policy.safetensors")(observations)
assert actions.dtype == expected.dtype, actions.dtype
np.testing.assert_allclose(actions, expected, rtol=0, atol=1e-5)
assert not {"sac", "autograd", "gymnasium"} & set(sys.modules)
"""


def onnx_policy(path: Path) -> Any:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda observations: session.run(None, {"observation": observations})[0]


READERS = {"policy.onnx": onnx_policy, "policy.safetensors": NumpyPolicy}
NAMES = [pytest.param("policy.onnx", marks=pytest.mark.extras), "policy.safetensors"]


def exported(folder: Path, name: str, **keys: Any) -> tuple[SACAgent, Any]:
    if name.endswith("onnx"):
        pytest.importorskip("onnx")
    agent = saved(folder / "checkpoint", **keys)
    export(folder / "checkpoint", folder / name)
    return agent, READERS[name](folder / name)


@pytest.mark.parametrize("case", BOX_CASES)
@pytest.mark.parametrize("name", NAMES)
def test_file_acts_as_the_agent(tmp_path: Path, name: str, case: str) -> None:
    agent, policy = exported(tmp_path, name, **CASES[case])
    for n in (1, 7):
        observations = raw_observations(agent, n)
        expected = agent.action_codec.as_array(agent.act(observations, deterministic=True))
        actions = policy(observations)
        assert actions.dtype == expected.dtype
        assert actions.shape == expected.shape
        unit = max(1, np.abs(expected).max())
        np.testing.assert_allclose(actions / unit, expected / unit, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_other_observation_spaces_go_in_flattened(tmp_path: Path, name: str) -> None:
    agent, policy = exported(tmp_path, name, observations=spaces.Discrete(5))
    actions = policy(np.eye(5, dtype=np.float32))
    np.testing.assert_allclose(actions, agent.act(np.arange(5), deterministic=True), atol=1e-5)
    said = str(export(tmp_path / "checkpoint", tmp_path / name))
    assert "float32 (batch, 5), as gymnasium.spaces.flatten makes it" in said


@pytest.mark.parametrize("name", NAMES)
def test_images_beside_numbers_go_in_flattened(tmp_path: Path, name: str) -> None:
    numbers = {"a": spaces.Box(-1, 1, (2,)), "c": spaces.Discrete(3)}
    space = spaces.Dict({**numbers, "b": CAMERA, "d": spaces.Box(0, 255, (3, 37, 36), np.uint8)})
    agent, policy = exported(tmp_path, name, observations=space)
    space.seed(3)
    for observation in (space.sample(), space.sample()):
        flat = np.asarray(spaces.flatten(space, observation), np.float32)[None]
        expected = agent.act(observation, deterministic=True)
        np.testing.assert_allclose(policy(flat)[0], expected, atol=1e-5)


@pytest.mark.parametrize("beside", [spaces.Discrete(4), spaces.Box(-1.0, 1.0, (2,))], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_each_part_of_uint8_is_divided_as_the_agent_does(
    tmp_path: Path, name: str, beside: spaces.Space[Any]
) -> None:
    space = spaces.Dict(codes=spaces.Box(0, 255, (2, 2, 3), np.uint8), beside=beside)
    agent, policy = exported(tmp_path, name, observations=space)
    assert agent.observation_input.largest.max() > 1
    space.seed(3)
    observations = [space.sample() for _ in range(5)]
    encoded = [agent.observation_encoder.encode(observation) for observation in observations]
    expected = [agent.act(observation, deterministic=True) for observation in observations]
    np.testing.assert_allclose(policy(np.stack(encoded)), expected, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_extreme_actions_are_the_exact_bounds(tmp_path: Path, name: str) -> None:
    bounds = spaces.Box(np.array([-0.1, 0.3], np.float32), np.array([0.7, 1e6], np.float32))
    _, policy = exported(tmp_path, name, actions=bounds)
    actions = policy(np.array([[1e6, -1e6, 1e6], [-1e6, 1e6, -1e6]], np.float32))
    assert set(actions.ravel()) <= {*bounds.low, *bounds.high}


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_the_reader_refuses_observations_that_are_not_finite(tmp_path: Path, number: float) -> None:
    _, policy = exported(tmp_path, "policy.safetensors", normalize_observations=True)
    with pytest.raises(ValueError, match=f"expected finite observations, got {number}"):
        policy(np.array([[0, 0, 0], [0, number, 0]], np.float32))


def test_the_reader_needs_nothing_of_this_library(tmp_path: Path) -> None:
    agent, _ = exported(tmp_path, "policy.safetensors", normalize_observations=True)
    observations = raw_observations(agent, 7)
    np.save(tmp_path / "observations.npy", observations)
    np.save(tmp_path / "expected.npy", agent.act(observations, deterministic=True))
    copy = Path(reader.__file__).read_text(encoding="utf-8") + USE_OF_THE_READER
    command = [sys.executable, "-W", "error", "-c", copy]
    # A folder of its own, and no PYTHONPATH: where the library is not installed, it is not found.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_report_says_what_was_compared(tmp_path: Path) -> None:
    saved(tmp_path / "checkpoint", actions="discrete")
    said = str(export(tmp_path / "checkpoint", tmp_path / "policy.safetensors"))
    assert "on 256 random observations differs from the agent by at most 0.0e+00" in said
    assert "observation: float32 (batch, 3)\naction: int64 (batch)" in said


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_wrong_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, actions: str
) -> None:
    saved(tmp_path / "checkpoint", actions=actions)
    monkeypatch.setitem(reader.LAYERS, "relu", np.negative)
    output = tmp_path / "policy.safetensors"
    with pytest.raises(SACError, match="differs from the agent by"):
        export(tmp_path / "checkpoint", output)
    assert not output.exists()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda actions: actions + 1e-4, id="a little off"),
        pytest.param(lambda actions: actions * np.nan, id="no numbers"),
        pytest.param(lambda actions: actions.astype(np.float64), id="another dtype"),
        pytest.param(lambda actions: actions[:, :1], id="another shape"),
    ],
)
def test_check_sees_small_differences(change: Any) -> None:
    agent = make_agent()
    policy = Policy.of(agent)

    def act(observations: Any) -> Any:
        return agent.act(observations, deterministic=True)

    assert check(act, agent, policy) == 0
    with pytest.raises(SACError, match="nothing was written"):
        check(lambda observations: change(act(observations)), agent, policy)


def test_check_is_on_whole_brightnesses_beside_numbers_that_are_not_too_wide() -> None:
    wide = spaces.Box(-1e6, 1e6, (1,))
    agent = make_agent(observations=spaces.Dict(camera=CAMERA, place=wide))
    observations = random_observations(agent, Policy.of(agent), np.random.default_rng(0))
    assert observations.dtype == np.float32 and observations[:, :-1].max() == 255
    assert 2.5 < np.abs(observations[:, -1]).max() <= 3


FAR = {  # statistics of BatchNorm: mean and variance
    "numbers": (spaces.Box(-np.inf, np.inf, (3,)), 1e4, 1.0),
    "bounded numbers": (spaces.Box(0.9e4, 1.1e4, (3,)), 1e4, 1.0),
    "parts": (spaces.Dict(x=spaces.Box(-np.inf, np.inf, (2,)), y=spaces.Discrete(2)), 1e4, 1.0),
    "a constant": (spaces.Box(-np.inf, np.inf, (3,)), 1000.0, 0.0),
}


@pytest.mark.parametrize("case", FAR)
@pytest.mark.parametrize("name", NAMES)
def test_batch_norm_of_numbers_far_from_zero(tmp_path: Path, name: str, case: str) -> None:
    """What it takes off is not folded into a shift, where float32 would lose the numbers."""
    space, mean, variance = FAR[case]
    if name.endswith("onnx"):
        pytest.importorskip("onnx")
    agent = make_agent(observations=space, policy_norm="batch")
    statistics = agent.policy_state_dict()
    is_number = agent.observation_encoder.numbers()
    for part, value in (("running_mean", mean), ("running_var", variance)):
        (key,) = (key for key in statistics if key.endswith(f"layers.0.{part}"))
        statistics[key] = np.where(is_number, np.float32(value), statistics[key])
    documents = {"policy": agent.description()}
    save_checkpoint(tmp_path / "checkpoint", {"policy": statistics}, documents, step=5)
    agent = SACAgent.load(tmp_path / "checkpoint", device="cpu")
    assert export(tmp_path / "checkpoint", tmp_path / name).largest_difference < 1e-5
    rng = np.random.default_rng(1)
    rows = np.where(is_number, mean + rng.normal(0, np.sqrt(variance), (50, len(is_number))), 0)
    rows = rows.astype(np.float32)
    codec = agent.action_codec
    expected = codec.as_array(codec.to_environment(agent.greedy(rows)))
    np.testing.assert_allclose(READERS[name](tmp_path / name)(rows), expected, atol=2e-6)


def test_check_is_on_whole_numbers_within_bounds() -> None:
    for low, high, expected in ((1000, 2000, (1000, 1510)), (-5, 5, (-5, 5)), (0, 255, (0, 255))):
        agent = make_agent(observations=spaces.Box(low, high, (3,), np.int32))
        numbers = random_observations(agent, Policy.of(agent), np.random.default_rng(0))
        assert expected[0] <= numbers.min() < numbers.max() <= expected[1]
        assert np.ptp(numbers) > 0.9 * (expected[1] - expected[0])


@pytest.mark.parametrize("shape", [(), (3,), (4, 1), (3, 4), (2, 2, 2)])
def test_the_reader_refuses_other_shapes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Also where arithmetic would stretch them to its statistics'."""
    agent, policy = exported(tmp_path, "policy.safetensors", normalize_observations=True)
    assert agent.observation_encoder.shape == (3,)
    with pytest.raises(ValueError, match=r"expected observations of shape \(n, 3\), got"):
        policy(np.zeros(shape))
    assert policy(np.zeros((0, 3))).shape == (0, *agent.action_codec.array_shape)


def test_check_sees_actions_that_do_not_exist() -> None:
    agent = make_agent("discrete")
    policy = Policy.of(agent)
    with pytest.raises(SACError, match="differs from the agent by inf"):
        check(lambda observations: np.full(len(observations), 5), agent, policy)


def test_layers_hold_the_means_alone() -> None:
    agent = make_agent()
    layers = Policy.of(agent).layers
    assert [layer.kind for layer in layers] == [
        *["linear", "relu"] * 2,
        "linear",
        "tanh",
        "rescale",
    ]
    assert isinstance(layers[0], Layer)
    assert layers[4].arrays["weight"].shape == (2, 8)


def test_without_onnx_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "sac.export.onnx_file", raising=False)
    saved(tmp_path / "checkpoint")
    with pytest.raises(
        SACError, match=r'onnx, which is not installed: pip install -e "\.\[onnx\]"'
    ):
        export(tmp_path / "checkpoint", tmp_path / "policy.onnx")
    export(tmp_path / "checkpoint", tmp_path / "policy.safetensors")


@pytest.mark.parametrize(
    ("output", "format", "message"),
    [
        ("policy.pt", None, "ends in .onnx or .safetensors, or --format"),
        ("policy.pt", "torch", "--format: expected onnx or numpy, got 'torch'"),
        ("nowhere/policy.safetensors", None, "the folder '.*nowhere' does not exist"),
        (".", "numpy", "expected the name of a file"),
    ],
)
def test_outputs_that_cannot_be(
    tmp_path: Path, output: str, format: str | None, message: str
) -> None:
    saved(tmp_path / "checkpoint")
    with pytest.raises(ConfigError, match=message):
        export(tmp_path / "checkpoint", tmp_path / output, format=format)


def test_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Expected the folder of a run"):
        export(tmp_path / "nothing", tmp_path / "policy.safetensors")


@pytest.mark.parametrize("is_whole", [True, False])  # or a policy without a manifest
def test_nothing_in_a_checkpoint_is_replaced(tmp_path: Path, is_whole: bool) -> None:
    saved(tmp_path / "best")
    if not is_whole:
        (tmp_path / "best" / "manifest.json").unlink()
    before = (tmp_path / "best" / "policy.safetensors").read_bytes()
    with pytest.raises(ConfigError, match="outside of checkpoints"):
        export(tmp_path, tmp_path / "best" / "policy.safetensors")
    assert (tmp_path / "best" / "policy.safetensors").read_bytes() == before
    for _ in range(2):  # the run can still be read with an export in it
        export(tmp_path, tmp_path / "policy.safetensors")


def test_format_wins_over_the_ending(tmp_path: Path) -> None:
    saved(tmp_path / "checkpoint")
    done = sac.export.export(tmp_path / "checkpoint", tmp_path / "a.bin", format="numpy")
    assert NumpyPolicy(done.output).about["action"]["space"]["type"] == "Box"


def test_the_page_shows_the_reader_word_for_word() -> None:
    page = Path(__file__).parents[3] / "sac" / "README.md"
    assert Path(reader.__file__).read_text(encoding="utf-8") in page.read_text(encoding="utf-8")
