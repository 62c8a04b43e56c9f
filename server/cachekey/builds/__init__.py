"""Who builds which Dockerfile, with what: read from compose, Bake, workflows, Makefiles, scripts."""
