"""Tests of the room that asks builders, against recorded answers; real ones are in tests/buildkit."""
