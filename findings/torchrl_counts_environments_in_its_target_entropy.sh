#!/usr/bin/env bash
# TorchRL's SACLoss aims at 8 times the negative entropy where 8 environments step together.
#
# "auto" is minus the number of elements of the action spec that it is given. The `action_spec` of a
# vectorised environment has the number of environments as its first dimension, and that is counted:
# the same policy and the same task get another temperature. Nothing is said. The environment's
# `action_spec_unbatched` gives the entropy of the paper, minus the number of dimensions.
# Seen with torchrl 0.14.1, tensordict 0.14.3, gymnasium 1.4.0, torch 2.14.1 on CPython 3.11.7:
#   1 environment: action_spec -1
#   8 environments: action_spec -8, action_spec_unbatched -1
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet torchrl==0.14.1 tensordict==0.14.3 gymnasium==1.4.0 torch==2.14.1

said=$(cd "$folder" && "$python" -W ignore - 2> errors <<'END'
import torch
from tensordict.nn import NormalParamExtractor, TensorDictModule
from torchrl.envs import GymEnv, SerialEnv
from torchrl.modules import MLP, ProbabilisticActor, TanhNormal, ValueOperator
from torchrl.objectives import SACLoss


def target_entropy(spec):
    net = torch.nn.Sequential(MLP(3, 2, num_cells=[8]), NormalParamExtractor())
    actor = ProbabilisticActor(
        TensorDictModule(net, in_keys=["observation"], out_keys=["loc", "scale"]),
        in_keys=["loc", "scale"],
        spec=spec,
        distribution_class=TanhNormal,
    )
    critic = ValueOperator(MLP(4, 1, num_cells=[8]), in_keys=["observation", "action"])
    return f"{SACLoss(actor, critic, action_spec=spec).target_entropy.item():g}"


one = GymEnv("Pendulum-v1")
eight = SerialEnv(8, lambda: GymEnv("Pendulum-v1"))
print("1 environment: action_spec", target_entropy(one.action_spec))
print(
    f"8 environments: action_spec {target_entropy(eight.action_spec)}, "
    f"action_spec_unbatched {target_entropy(eight.action_spec_unbatched)}"
)
END
) || { tail -n 3 "$folder/errors"; exit 1; }
echo "$said"
grep -qx "1 environment: action_spec -1" <<< "$said"
grep -qx "8 environments: action_spec -8, action_spec_unbatched -1" <<< "$said"
