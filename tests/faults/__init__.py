"""Real processes, killed, cut and starved by schedules that a seed makes; see docs/faults.md."""
