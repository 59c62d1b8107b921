"""How good a policy is: episodes, results, statistics, published returns."""
