"""What a person does on more than one page."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from server import PROJECT, Client


def enter(page: Page, client: Client) -> None:
    """Open the dashboard with the client's session: each password costs the server 0.2 s."""
    url = client.server.url
    for name, value in client.http.cookies.items():
        page.context.add_cookies([{"name": name, "value": value, "url": url}])
    page.goto(f"{url}/p/{PROJECT}")
    expect(page.get_by_role("link", name="Tasks", exact=True).first).to_be_visible()
