"""What is given to others: a policy with its card, and episodes that it has played."""
