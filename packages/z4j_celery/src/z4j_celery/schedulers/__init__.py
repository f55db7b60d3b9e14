"""Celery's schedulers: celery beat itself, django-celery-beat and celery-redbeat."""
