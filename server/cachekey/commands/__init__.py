"""What the programs of a RUN are, with everything around them taken off."""
