"""The workload of `z4j demo`: a real Celery worker, a broker inside one process, honest tasks.

`python -m z4j_celery.demo` runs it against the server that `Z4J_URL` and `Z4J_TOKEN` name, until
its standard input is closed or it gets SIGINT or SIGTERM.
"""
