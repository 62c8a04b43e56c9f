"""All documents together: settings, places, the index of keys."""
