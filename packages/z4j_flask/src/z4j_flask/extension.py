"""The extension."""

from __future__ import annotations

from flask import Flask

import z4j_agent


class Z4J:
    """Reports what an application publishes. It may serve several applications."""

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Read the settings ``Z4J_…`` of the application and attach what is installed.

        Starts nothing: every command line of Flask makes its application too. An application
        that is being tested is left alone.
        """
        app.extensions["z4j"] = self
        if not app.testing:
            z4j_agent.configure(app.config)
            z4j_agent.register()
