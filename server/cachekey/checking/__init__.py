"""From rules to findings: the engine, suppression, fixing."""
