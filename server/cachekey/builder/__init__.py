"""The room that asks running builders: what is there, what was built, what does a mount save?

Only here other programs are started and sockets opened, and only when ``cachekey builder`` or
``cachekey prove`` is called.
"""
