"""What can be done to RQ's jobs, queues and workers; a file an action."""
