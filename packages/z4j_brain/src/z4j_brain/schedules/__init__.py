"""Schedules: which worker reads which store, what it tells, and how that is shown."""
