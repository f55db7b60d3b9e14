"""The leader's periodic work: partitions, and the removal of what is older than its retention."""
