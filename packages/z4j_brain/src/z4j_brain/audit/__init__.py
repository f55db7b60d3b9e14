"""The audit log: who did what. `recording.record` is the one way in, `verifying` the proof."""
