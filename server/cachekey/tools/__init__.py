"""Where a tool keeps its caches here, who decided that, what switches it off."""
