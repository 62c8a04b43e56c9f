"""A Dockerfile's meaning: stages, runs, and what each mount is for."""
