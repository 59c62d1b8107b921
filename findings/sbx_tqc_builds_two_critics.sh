#!/usr/bin/env bash
# SBX 0.28.0's TQC takes n_critics, builds two critics all the same, and with five truncates nothing.
#
# The policy computes how many target quantiles to keep from n_critics: 5 * 25 less 5 * 2 are 115. The
# two critics that are built give 50, so that the slice of the 115 smallest keeps every one of them.
# Nothing is said. sb3-contrib's TQC, with the same settings, builds five and drops ten.
# Seen with sbx-rl 0.28.0, jax 0.10.2, stable-baselines3 2.9.2, gymnasium 1.4.0 on CPython 3.11.7:
#   critics: 2, quantiles of all: 50, kept of them: 115
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet sbx-rl==0.28.0 jax==0.10.2 stable-baselines3==2.9.2 gymnasium==1.4.0

said=$(JAX_PLATFORMS=cpu "$python" - <<'END'
from sbx import TQC

policy = {"n_critics": 5, "n_quantiles": 25}
model = TQC("MlpPolicy", "Pendulum-v1", policy_kwargs=policy, top_quantiles_to_drop_per_net=2)
critics = [name for name in vars(model.policy) if name.startswith("qf") and name.endswith("_state")]
quantiles = len(critics) * model.policy.n_quantiles
print(f"critics: {len(critics)}, quantiles of all: {quantiles}, kept of them: {model.policy.n_target_quantiles}")
END
)
echo "$said"
grep -q "critics: 2, quantiles of all: 50, kept of them: 115" <<< "$said"
