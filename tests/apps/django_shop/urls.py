"""Who serves, and an order."""

from __future__ import annotations

import os

from django.http import HttpRequest, HttpResponse
from django.urls import path


def pid(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(os.getpid()))


def order(request: HttpRequest, number: int) -> HttpResponse:
    from shop_tasks import pack

    return HttpResponse(pack.delay(number).id)


urlpatterns = [path("", pid), path("order/<int:number>", order)]
