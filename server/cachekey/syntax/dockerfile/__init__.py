"""Dockerfile text to trees."""
