"""A strict stand-in for CuPy: what it refuses and what it does otherwise than NumPy, on a host.

`installed()` puts it in the place of `cupy` and `cupyx`. Its arrays convert to nothing by
themselves, its operands are its arrays and numbers, and it has the functions and keywords that
CuPy has, of which a test with the real package makes sure. `counting()` tells what a piece of code
launches, copies and waits for; `without_synchronization()` fails where it waits.
"""

from tests.cupy_standin.counts import Counts, Synchronized, counting, without_synchronization
from tests.cupy_standin.modules import installed

__all__ = ["Counts", "Synchronized", "counting", "installed", "without_synchronization"]
