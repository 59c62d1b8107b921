"""How good a policy is: episodes, their results and statistics, published returns."""
