"""Durable files and folders, their encoding, and the lock of a run."""
