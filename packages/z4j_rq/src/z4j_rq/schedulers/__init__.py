"""The schedulers that enqueue RQ's jobs at set times; a file a scheduler, each with its hook."""
