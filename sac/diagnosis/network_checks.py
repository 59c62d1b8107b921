"""Checks of the networks: dead units, and gradients that explode or vanish."""

import math

import numpy as np
from numpy.typing import NDArray

from autograd import optim
from sac.diagnosis.evidence import Evidence, Result, fine, ill, unknown
from sac.diagnosis.networks import hidden_layers, network_names, steps_taken

# Runs of HalfCheetah learn well with half of a policy's units asleep.
DEAD_SHARE = 0.8
MOVES = 1e-6  # of a layer's largest output: a dead unit varies by less over a batch
# Adam's steps do not depend on the size of gradients, unless their mean over the weights is near
# Adam's epsilon of 1e-8. SAC still learns with norms in the hundreds, where returns are in the
# thousands; at a hundred times that, one odd batch undoes what was learned.
VANISHING, EXPLODING = 1e-7, 1e5


def dead_units(evidence: Evidence) -> Result:
    """Check that hidden units react to their inputs: a dead one gives the same for all of them."""
    batch = evidence.network_rows()
    if batch is None:
        return unknown("the replay is empty")
    worst, where = 0.0, ""
    for name, outputs in hidden_layers(evidence.agent, batch):
        moves = np.ptp(outputs, axis=0) > MOVES * max(float(np.abs(outputs).max()), 1e-30)
        share = 1 - float(np.mean(moves))
        if share >= worst:
            worst, where = share, name
    if not where:
        return unknown("there is no hidden layer")
    text = f"{worst:.0%} of the units of {where} give the same for {len(batch.reward)} observations"
    if worst <= DEAD_SHARE:
        return fine(text)
    return ill(
        text,
        "start anew with a lower agent.policy_lr and agent.soft_q_lr, agent.max_grad_norm, "
        "agent.normalize_observations: true, or agent.activation: elu",
    )


def gradients(evidence: Evidence) -> Result:
    """Check that gradients neither explode nor vanish, by Adam's running mean of their squares."""
    agent = evidence.agent
    if not (steps_taken(agent.policy_optimizer) and steps_taken(agent.critic.optimizer)):
        return unknown("not all networks have made a step since they began")
    _, beta = evidence.config.agent.adam_betas
    squares = dict(zip(network_names(agent), _squares(agent.critic.optimizer, beta), strict=True))
    if evidence.has_choice:
        squares = {"the policy": _squares(agent.policy_optimizer, beta)[0]} | squares
    means = {name: float(np.mean(row, dtype=np.float64)) for name, row in squares.items()}
    norms = {name: math.sqrt(mean * squares[name].size) for name, mean in means.items()}
    largest = max(norms, key=norms.__getitem__)
    smallest = min(means, key=means.__getitem__)
    text = "norms of about " + ", ".join(f"{norm:.2g} ({name})" for name, norm in norms.items())
    faults = {}
    if not norms[largest] < EXPLODING:
        faults[f"those of {largest} explode"] = (
            "agent.max_grad_norm: 10, a lower agent.reward_scale, or lower learning rates"
        )
    if means[smallest] < VANISHING**2:
        faults[f"those of {smallest} vanish"] = (
            "a higher agent.reward_scale, agent.normalize_observations: true, or "
            "agent.activation: relu (see also dead units and saturated actions)"
        )
    if faults:
        return ill(f"{text}: {' and '.join(faults)}", "; ".join(faults.values()))
    return fine(text)


def _squares(optimizer: optim.Optimizer, beta: float) -> NDArray[np.float32]:
    """Return the mean squares of the gradients in about 1 / (1 - beta) updates, by network."""
    (values,) = optimizer.state_dict()["state"].values()
    return values["exp_avg_sq"].numpy(force=True) / (1 - beta ** steps_taken(optimizer))
