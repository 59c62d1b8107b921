"""All that a replay holds, to be compared."""

import numpy as np

from sac.replay.buffer import ReplayBuffer

COLUMNS = ("observation", "action", "reward", "terminated", "truncated")


def contents(buffer: ReplayBuffer) -> dict[str, np.ndarray]:
    """Return the rows in use, ring after ring, what follows them, and the counters."""
    rings = buffer.rings
    rows = rings.used_rows()
    places, columns = rings.table.locate(rows), rings.table.columns
    next_rows, aside = rings.next_rows(rows)
    counters = {name: np.array(numbers) for name, numbers in rings.state_dict().items()}
    stored = {name: columns[name].take(places, axis=0) for name in COLUMNS}
    return {**stored, "next_row": next_rows, "aside": aside, **counters}
