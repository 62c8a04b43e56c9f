"""Text to trees that never fail, every token with its exact span."""
