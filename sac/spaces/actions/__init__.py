"""Actions: what the policy gives, what the replay stores, what an environment takes."""
