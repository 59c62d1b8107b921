"""Bytes that survive: files and folders, encoding, the lock of a run."""
