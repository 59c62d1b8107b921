"""Arrays as safetensors and documents as JSON: reading them never runs code."""

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sac.errors import CheckpointError, UnreadableError

Tensors = dict[str, np.ndarray]
MAX_DOCUMENT_BYTES = 2**26  # the largest, the list of a replay's segments, has a few hundred kB
ARRAY, SCALAR = "__array__", "__scalar__"  # key of an object that stands for an array


def encode_tensors(
    tensors: Mapping[str, np.ndarray], metadata: dict[str, str] | None = None
) -> bytes:
    """Return the bytes of a safetensors file; arrays may have any layout and byte order."""
    import safetensors.numpy

    # safetensors.numpy silently writes wrong values for transposed and strided arrays; and
    # ascontiguousarray makes a 0-d array 1-d, hence the reshape.
    contiguous = {
        name: np.ascontiguousarray(array).reshape(np.shape(array))
        for name, array in tensors.items()
    }
    return safetensors.numpy.save(contiguous, metadata)


def decode_tensors(data: bytes, source: Path) -> Tensors:
    """Return the arrays in the bytes of a safetensors file; an error names `source`."""
    import safetensors
    import safetensors.numpy

    try:
        arrays = safetensors.numpy.load(data)
        size = int.from_bytes(data[:8], "little")
        _parse(data[8 : 8 + size])  # refuses a repeated name, of which the library takes the last
        return arrays
    except (safetensors.SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"'{source}' is not a valid safetensors file: {error}.") from error


def encode_document(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a JSON file; NumPy numbers and arrays become JSON numbers and lists."""
    return (json.dumps(document, indent=2, default=_to_json) + "\n").encode()


def fits_a_document(document: Mapping[str, Any]) -> bool:
    """Return whether `read_document` would take the document's file."""
    return len(encode_document(document)) <= MAX_DOCUMENT_BYTES


def _to_json(value: object) -> object:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} can't be written as JSON: {value!r}")


def decode_document(data: bytes, source: Path) -> dict[str, Any]:
    """Return the JSON object in the bytes of a file; an error names `source`."""
    try:
        document = _parse(data)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"'{source}' is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise CheckpointError(
            f"Expected a JSON object in '{source}', got {type(document).__name__}."
        )
    return document


def _parse(data: bytes) -> Any:
    return json.loads(data, object_pairs_hook=_without_repeats)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a name that appears twice")
    return document


def file_size(path: Path) -> int:
    """Return the size in bytes of a regular file; CheckpointError for anything else."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        status = None
    except OSError as error:
        raise unreadable(path, error) from error
    if status is None or not stat.S_ISREG(status.st_mode):
        raise CheckpointError(f"Expected the file '{path}', but there is none.")
    return status.st_size


def unreadable(path: Path, error: OSError) -> UnreadableError:
    """Return the error for a file that is there and can't be read."""
    return UnreadableError(f"Can't read '{path}': {error.strerror}.")


def read_file(path: Path) -> bytes:
    """Return all bytes of a regular file; CheckpointError if memory has no room for them."""
    size = file_size(path)
    if path.suffix == ".json" and size > MAX_DOCUMENT_BYTES:
        raise CheckpointError(
            f"'{path}' is damaged: expected at most {MAX_DOCUMENT_BYTES} bytes, found {size}."
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    except MemoryError as error:
        raise CheckpointError(f"'{path}' does not fit into memory: {size} bytes.") from error


def read_document(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file."""
    return decode_document(read_file(path), path)


def split_arrays(tree: Any) -> tuple[Any, Tensors]:
    """Split a tree of mappings, lists, JSON values and arrays into JSON and numbered arrays."""
    arrays: Tensors = {}

    def split(node: Any) -> Any:
        if isinstance(node, np.ndarray | np.generic):
            name = str(len(arrays))
            arrays[name] = np.asarray(node)
            return {ARRAY if isinstance(node, np.ndarray) else SCALAR: name}
        if isinstance(node, Mapping):
            return {name: split(child) for name, child in node.items()}
        return [split(child) for child in node] if isinstance(node, list) else node

    return split(tree), arrays


def join_arrays(document: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the tree that `split_arrays` split; KeyError where an array is missing."""
    match document:
        case dict() if document.keys() == {ARRAY}:
            return arrays[document[ARRAY]]
        case dict() if document.keys() == {SCALAR}:
            return arrays[document[SCALAR]][()]
        case dict():
            return {name: join_arrays(child, arrays) for name, child in document.items()}
        case list():
            return [join_arrays(child, arrays) for child in document]
    return document
