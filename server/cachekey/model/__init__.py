"""What the files mean: stages, mounts, keys, tool uses, and all documents of a workspace together."""
