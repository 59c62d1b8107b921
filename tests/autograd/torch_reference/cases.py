"""All the cases, collected from the modules of their families."""

import importlib
from pathlib import Path

from tests.autograd.torch_reference.registry import CASES

for _path in sorted(Path(__file__).parent.glob("cases_*.py")):
    importlib.import_module(f"{__package__}.{_path.stem}")

__all__ = ["CASES"]
