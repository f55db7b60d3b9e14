"""A FastAPI application with a lifespan of its own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request

import z4j_fastapi


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
    if "BROKER_URL" in os.environ:
        import shop_tasks  # noqa: F401
    yield {"greeting": "hello"}


app = FastAPI(lifespan=lifespan)
z4j_fastapi.init_app(app)


@app.get("/")
async def pid() -> int:
    return os.getpid()


@app.get("/greeting")
async def greeting(request: Request) -> str:
    return str(request.state.greeting)


@app.get("/order/{number}")
def order(number: int) -> str:
    from shop_tasks import pack

    import z4j_celery.auto  # noqa: F401

    return str(pack.delay(number).id)
