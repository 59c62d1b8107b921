"""The replay: rows, how batches are drawn, and where the rows lie."""
