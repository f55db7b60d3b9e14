"""A Flask application with a factory; Celery is imported with the first order."""

from __future__ import annotations

import os

from flask import Flask

from z4j_flask import Z4J

z4j = Z4J()


def create_app() -> Flask:
    app = Flask(__name__)
    z4j.init_app(app)

    @app.get("/")
    def pid() -> str:
        return str(os.getpid())

    @app.get("/order/<int:number>")
    def order(number: int) -> str:
        from flask_shop.work import pack

        return str(pack.delay(number).id)

    return app
