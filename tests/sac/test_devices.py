"""Learning on a GPU: as on the CPU, without ever waiting, and with checkpoints for either."""

import collections
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import autograd as torch
from sac import Config, SACAgent, evaluate, train
from sac.config import AgentConfig
from sac.replay.batch import Batch
from tests.cupy_standin import counting
from tests.on_devices import no_waiting
from tests.sac.agents_for_tests import make_agent, make_batch
from tests.sac.tiny_runs import metrics, saved_arrays, tiny_config

MAX_LAUNCHES = 120  # of an update at 17 observations, 6 actions and two hidden layers of 256
UPDATES = 5


def large_agent(device: str) -> SACAgent:
    """An agent of the size of HalfCheetah's."""
    return SACAgent(
        spaces.Box(-np.inf, np.inf, (17,), np.float32),
        spaces.Box(-1.0, 1.0, (6,), np.float32),
        AgentConfig(),
        seed=3,
        device=device,
    )


def placed(batch: Batch, device: str) -> Any:
    """The batch as a replay on the device gives it."""
    return batch.map(lambda array: torch.tensor(array, device=device))


def test_an_update_launches_few_kernels(cuda: str) -> None:
    agent = large_agent(cuda)
    batches = [placed(make_batch(agent, seed, size=256), cuda) for seed in range(3)]
    agent.update(batches[0])  # makes the moments and compiles the kernels
    agent.update(batches[1])
    with counting() as counts, no_waiting(cuda):
        agent.update(batches[2])
    names = collections.Counter(counts.kernels).most_common()
    assert counts.launches <= MAX_LAUNCHES, names
    assert (counts.to_device, counts.to_host, counts.synchronizations) == (0, 0, [])


@pytest.mark.parametrize(
    "keys",
    [{}, {"alpha": 0.2}, {"max_grad_norm": 0.5}, {"normalize_observations": True},
     {"activation": "elu"}, {"reward_scale": 0.1}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_no_update_waits(actions: str, keys: dict[str, Any], cuda: str) -> None:
    agent = make_agent(actions, device=cuda, **keys)
    agent.observe(make_batch(agent).observation)
    agent.update(placed(make_batch(agent, UPDATES), cuda))  # the first looks whether steps differ
    batches = [placed(make_batch(agent, seed), cuda) for seed in range(UPDATES)]
    with no_waiting(cuda):
        seen = [agent.update(batch) for batch in batches]
    assert all(np.isfinite(float(m["policy_loss"])) for m in seen)


@pytest.fixture
def same_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same normal numbers for every agent and device, whose own streams differ."""
    draws: dict[int, np.random.Generator] = {}

    def randn(*shape: int, generator: torch.Generator, device: Any = "cpu") -> torch.Tensor:
        numbers = draws.setdefault(id(generator), np.random.default_rng(0))
        return torch.tensor(numbers.standard_normal(shape).astype("f4"), device=device)

    monkeypatch.setattr(torch, "randn", randn)


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_updates_follow_those_of_the_cpu(actions: str, cuda: str, same_noise: None) -> None:
    here, there = (make_agent(actions, device=device) for device in ("cpu", cuda))
    for seed in range(UPDATES):
        batch = make_batch(here, seed)
        expected, found = here.update(batch), there.update(batch)
        for name, value in expected.items():
            mine = found[name]
            if isinstance(value, torch.Tensor):
                assert isinstance(mine, torch.Tensor) and mine.device.type == cuda
                value, mine = value.numpy(), mine.cpu().numpy()
            np.testing.assert_allclose(mine, value, rtol=1e-4, atol=1e-5, err_msg=name)
    theirs = there.state_dict()
    for name, array in here.state_dict().items():
        scale = max(1e-6, float(np.abs(array).max()))
        assert np.abs(theirs[name] - array).max() <= 1e-4 * scale, name


MOVES = [("cpu", "cuda"), ("cuda", "cpu")]


@pytest.mark.parametrize(("first", "second"), MOVES)
def test_a_run_is_resumed_on_another_device(
    first: str, second: str, cuda: str, tmp_path: Path
) -> None:
    assert cuda == "cuda"
    changes = {"env": {"id": "Pendulum-v1"}, "device": first}
    run = train(tiny_config(tmp_path, changes)).run_directory
    before = saved_arrays(run, "agent")
    loaded = SACAgent.load(run, checkpoint="last", device=second)
    for name, array in loaded.policy_state_dict().items():
        np.testing.assert_array_equal(array, saved_arrays(run, "policy")[name])
    on = {"train": {"total_steps": 80}, "device": second}
    assert train(resume=run, overrides=on).step == 80
    assert Config.load(run / "config.yaml").device == second
    after = saved_arrays(run, "agent")
    assert int(after["updates"]) == int(before["updates"]) + 20
    assert all(np.isfinite(array).all() for array in after.values())
    assert evaluate(run, episodes=1, device=first).episodes == 1


@pytest.mark.parametrize("buffer_device", ["cpu", "cuda"])
def test_a_resume_on_the_same_device_is_exact(
    buffer_device: str, cuda: str, tmp_path: Path
) -> None:
    train_keys = {"buffer_device": buffer_device, "total_steps": 40}
    changes = {"device": cuda, "env": {"id": "Pendulum-v1"}, "checkpoint": {"every_steps": 20}}
    whole = train(tiny_config(tmp_path / "a", changes | {"train": train_keys})).run_directory
    cut = train(
        tiny_config(tmp_path / "b", changes | {"train": train_keys | {"total_steps": 20}})
    ).run_directory
    other = "cuda" if buffer_device == "cpu" else "cpu"  # which changes no result
    train(resume=cut, overrides={"train": {"total_steps": 40, "buffer_device": other}})
    expected, found = saved_arrays(whole, "agent"), saved_arrays(cut, "agent")
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_a_policy_acts_alike_on_either_device(cuda: str) -> None:
    here, there = (make_agent(device=device) for device in ("cpu", cuda))
    observations = make_batch(here, size=64).observation
    np.testing.assert_allclose(
        there.greedy(observations), here.greedy(observations), rtol=1e-4, atol=1e-6
    )


def test_a_short_training(cuda: str, tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path, {"device": cuda, "env": {"num_envs": 2}})).run_directory
    rows = metrics(run)
    assert all(np.isfinite(float(cell)) for row in rows for cell in row.values())
    assert any("train/q1_loss" in row for row in rows)
    assert any(float(row.get("time/gpu_memory_mb") or 0) > 0 for row in rows)


@pytest.mark.gpu
def test_speed_of_updates(capsys: pytest.CaptureFixture[str]) -> None:
    """No bound, as it is of no use without the card's name: prints milliseconds an update."""
    from tests.on_devices import device_of

    with device_of("gpu") as device:
        agent = large_agent(device)
        batches = [placed(make_batch(agent, seed, size=256), device) for seed in range(8)]
        for batch in batches:
            agent.update(batch)
        torch.cuda.synchronize()
        start = time.perf_counter()
        for i in range(200):
            agent.update(batches[i % 8])
        torch.cuda.synchronize()
        each = (time.perf_counter() - start) / 200
        with capsys.disabled():
            print(f"\n{torch.cuda.get_device_name()}: {1000 * each:.2f} ms an update")
