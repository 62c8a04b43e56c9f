"""JSONC text to trees."""
