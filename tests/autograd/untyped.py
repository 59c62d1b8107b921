"""The package without its types, for tests that call it with wrong arguments or with `out=`."""

from typing import Any

import autograd

torch: Any = autograd
