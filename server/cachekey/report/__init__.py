"""Findings as text for people and machines; each format is a module."""
