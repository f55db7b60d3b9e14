"""z4j framework plugin for Django.

Turn it on with ``INSTALLED_APPS = ["z4j_django", …]`` and the settings `Z4J_URL` and `Z4J_TOKEN`,
in Django's settings or in the environment. Nothing happens unless `Z4J_URL` is set.
"""

__version__ = "0.1.0"
