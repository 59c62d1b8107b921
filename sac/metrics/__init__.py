"""What a run logs: a table, TensorBoard event files and pages, findings."""
