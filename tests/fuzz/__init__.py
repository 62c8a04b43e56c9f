"""Texts that nobody has written, and what must hold for each of them.

``make fuzz SECONDS=600`` tries as many as fit; ``make test`` tries the same few every time.
"""
