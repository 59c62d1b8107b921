"""Several runs side by side: seeds in processes, and one display of them."""
