"""Errors that torch has no class for."""


class NotOfferedError(AttributeError, NotImplementedError):
    """A part of torch that this package leaves out, such as double backward or complex tensors."""
