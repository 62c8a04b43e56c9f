"""Docker build caches made visible: what a cache mount's key is, who shares it, and what is wrong with it."""

__version__ = "0.1.0"
