"""Write the vectors of sealed payloads: `python make_seal.py > seal-v1.json`.

Needs `cryptography`, as only the agent's tests do.
"""

from __future__ import annotations

import json
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from z4j_core.seal import Envelope, SealKey, associated_data, message_key, project_tag

CASES = (
    ("celery", "4d1a7c2e-0000-4000-8000-000000000001", b'[["ada"],{"password":"hunter2"},{}]'),
    ("celery", "empty", b""),
    ("rq", "mïxed – text", bytes(range(256))),
)


def vector(number: int, engine: str, task_id: str, original: bytes) -> dict[str, str]:
    key = SealKey(bytes(range(number, number + 32)))
    project = bytes([0x70 + number]) * 32
    salt, nonce = bytes([0xA0 + number]) * 16, bytes([0xB0 + number]) * 12
    head = Envelope(key.id, project_tag(project), salt, nonce, b"")
    bound = associated_data(head, engine, task_id)
    cipher = AESGCM(message_key(key.secret, salt))
    return {
        "key": key.text(),
        "key_id": key.id.hex(),
        "project_seal_key": project.hex(),
        "project_tag": head.project_tag.hex(),
        "message_key": message_key(key.secret, salt).hex(),
        "engine": engine,
        "task_id": task_id,
        "associated_data": bound.hex(),
        "original": original.hex(),
        "envelope": (head.pack() + cipher.encrypt(nonce, original, bound)).hex(),
    }


if __name__ == "__main__":
    made = [vector(number, *case) for number, case in enumerate(CASES)]
    json.dump(made, sys.stdout, indent=1)
    print()
