"""What `manage.py test` runs: it serves a request and publishes, and nothing of it is real."""

from __future__ import annotations

from django.test import SimpleTestCase


class ShopTest(SimpleTestCase):
    def test_an_order_is_taken(self) -> None:
        assert self.client.get("/order/1").status_code == 200
