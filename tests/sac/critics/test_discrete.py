"""How soft Q networks take choices: as outputs or as one-hots."""

import itertools

import numpy as np

import autograd as torch
from sac.critics import JOINT_LIMIT, is_summed, reading_for
from sac.critics.discrete import ChoicesAsInput, ChoicesAsOutput
from sac.spaces import action_codec
from tests.sac.agents_for_tests import ACTION_SPACES, make_agent, make_batch, set_output


def test_joint_choices_are_counted_by_the_last_first() -> None:
    reading = ChoicesAsOutput(3, 1, (2, 3, 2))
    assert (reading.inputs, reading.outputs) == (4, 12)
    rows = list(itertools.product(range(2), range(3), range(2)))
    action = torch.tensor(np.array([[0.5, *row] for row in rows], np.float32))
    values = torch.tensor(np.tile(np.arange(12, dtype=np.float32), (2, 12, 1)))
    chosen = reading.chosen(values, action)
    assert chosen.shape == (2, 12, 1) and chosen[1, :, 0].tolist() == list(range(12))
    observation = torch.zeros(12, 3)
    assert [part.shape for part in reading.arguments(observation, action)] == [(12, 3), (12, 1)]


def test_choices_become_one_hots_after_the_continuous_columns() -> None:
    reading = ChoicesAsInput(3, 1, (2, 3))
    assert (reading.inputs, reading.outputs) == (9, 1)
    _, taken = reading.arguments(torch.zeros(1, 3), torch.tensor([[0.5, 1.0, 2.0]]))
    assert taken.tolist() == [[0.5, 0, 1, 0, 0, 1]]


def test_joint_choices_are_summed_up_to_the_limit() -> None:
    assert JOINT_LIMIT == 256
    for name, expected in {"choices": True, "many choices": False, "whole": False}.items():
        codec = action_codec(ACTION_SPACES[name])
        assert is_summed(codec, gives_values=True) is expected
        assert not is_summed(codec, gives_values=False)
        assert reading_for(codec, 3, is_exact=expected).inputs == {
            "choices": 3, "many choices": 3 + 28, "whole": 3 + 2,
        }[name]  # fmt: skip


def test_update_by_hand() -> None:
    """Constant networks: the loss is that of Q[chosen] against r + discount (E[Q] + alpha H)."""
    agent = make_agent("choices", alpha=0.2, soft_q_lr=1e-9)
    q = np.linspace(-1, 1, 12)
    odds = np.array([[0.5, 0.3, 0.2], [0.4, 0.3, 0.2, 0.1]], dtype=object)
    set_output(agent.policy_net, np.log(np.concatenate([*odds]).astype(float)).tolist())
    for nets in (agent.critic.soft_q_nets, agent.critic.target_soft_q_nets):
        for network in range(2):
            set_output(nets, q.tolist(), network)
    batch = make_batch(agent)
    metrics = agent.update(batch)
    joint = np.outer(*(np.array(each, float) for each in odds)).ravel()
    value = joint @ q - 0.2 * (joint @ np.log(joint))
    target = batch.reward + batch.discount * value
    chosen = q[(4 * batch.action[:, 0] + batch.action[:, 1]).astype(int)][:, None]
    loss = float(metrics["q1_loss"])
    np.testing.assert_allclose(loss, 0.5 * np.mean((chosen - target) ** 2), rtol=1e-4)
    np.testing.assert_allclose(float(metrics["policy_loss"]), -value, rtol=1e-4)
