"""A Redis that needs no installed server: fakeredis behind a real socket, for the demo only."""

from __future__ import annotations

import threading
from typing import Any

_ADVICE = "The demo's broker needs fakeredis: pip install 'z4j-celery[demo]'."


def start_broker() -> str:
    """Serve on a free loopback port from a daemon thread; return the broker's URL."""
    try:
        from fakeredis import TcpFakeServer
    except ImportError:
        raise SystemExit(_ADVICE) from None
    server: Any = TcpFakeServer(("127.0.0.1", 0), server_type="redis", server_version=(7,))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="demo-broker", daemon=True).start()
    return f"redis://127.0.0.1:{server.server_address[1]}/0"
