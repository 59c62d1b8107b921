"""Record what torch answers in every case.

Run it from the repository's root, in an environment with torch:

    python -m tests.autograd.torch_reference.generate
"""

import warnings

import torch

from tests.autograd.torch_reference.cases import CASES
from tests.autograd.torch_reference.recording import REFERENCE, record, write_reference


def main() -> None:
    """Run all cases through torch and write the reference file."""
    warnings.simplefilter("error")
    results = {}
    for name, case in CASES.items():
        try:
            results[name] = record(case(torch))
        except Exception as error:
            raise SystemExit(f"{name}: {type(error).__name__}: {error}") from error
    write_reference(results, torch.__version__)
    print(f"{len(results)} cases, {REFERENCE.stat().st_size / 1000:.0f} kB: {REFERENCE.name}")


if __name__ == "__main__":
    main()
