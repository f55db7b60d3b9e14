"""What the agent accepted, kept in files: it outlives the process, and the next one sends it.

`records` is the format, `place` the folders and their locks, `journal` what a living process
writes, `recovery` what is read back, `adoption` how another process sends it. See docs/spool.md.
"""
