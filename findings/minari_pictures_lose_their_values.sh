#!/usr/bin/env bash
# Minari 0.5.4 keeps uint8 observations as JPEG unless it is told not to: what is read back differs.
#
# It does so where a Box of 0 to 255 has 2 or 3 dimensions, the first two of at least 32, and says
# nothing when the data set is read. `jpeg_encoding=False` keeps every value; the choice is in the
# documentation of the argument alone.
# Seen with minari 0.5.4, gymnasium 1.4.0, numpy 2.4.6, pillow 13.0.0 on CPython 3.11.7:
# values differ by up to 230.
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet "minari[hdf5]==0.5.4" gymnasium==1.4.0 numpy==2.4.6 pillow==13.0.0

MINARI_DATASETS_PATH="$folder" "$python" -W ignore - << 'PYTHON'
import minari
import numpy as np
from gymnasium.spaces import Box, Discrete
from minari.data_collector.episode_buffer import EpisodeBuffer

space = Box(0, 255, (64, 64, 3), np.uint8)
pictures = [np.random.default_rng(i).integers(0, 256, space.shape, np.uint8) for i in range(2)]


def difference(name, **options):
    episode = EpisodeBuffer(
        id=0, observations=list(pictures), actions=[np.int64(0)], rewards=[0.0],
        terminations=[True], truncations=[False], infos={},
    )
    data = minari.create_dataset_from_buffers(
        name, [episode], observation_space=space, action_space=Discrete(2), **options
    )
    read = next(data.iterate_episodes()).observations
    return int(np.abs(read.astype(int) - np.array(pictures).astype(int)).max())


lossy, exact = difference("usual-v0"), difference("exact-v0", jpeg_encoding=False)
print(f"largest difference: {lossy} as usual, {exact} with jpeg_encoding=False")
raise SystemExit(not (lossy > 0 and exact == 0))
PYTHON
