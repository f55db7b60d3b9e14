"""What can be done to Celery's tasks and queues; a file an action."""
