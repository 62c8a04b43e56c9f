"""Cachekey's answers compared with what real builders do."""
