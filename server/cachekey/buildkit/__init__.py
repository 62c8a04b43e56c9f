"""What the builder does: scope, mounts, refusals, keys and owners."""
