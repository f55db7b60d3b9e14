"""The link between an agent and the brain, without I/O and without a clock.

One class serves both sides. A driver feeds received messages to `receive`, writes what
`take_outgoing` returns, and calls `tick` now and then; `now` is always an argument, in
microseconds. The agent's driver:

    link = Link.for_agent(signing_key, nonce, sender)
    link.start(hello, now)
    … link.receive(message, now) → frames to act on; link.pump(now); link.take_outgoing()

The brain's driver receives the `Hello`, looks up the committed position, and answers:

    link = Link.for_brain(signing_key, nonce)
    [hello] = link.receive(message, now)
    link.welcome(position, …)
"""

from __future__ import annotations

from z4j_core import frames
from z4j_core.codec import MSGPACK, Codec, FrameError
from z4j_core.link.errors import (
    ADVICE,
    BAD_FRAME,
    BAD_SIGNATURE,
    SILENCE,
    TOO_LARGE,
    VERSION,
    WRONG_DIRECTION,
    WRONG_STATE,
    CloseReason,
    LinkError,
    LinkMisuse,
)
from z4j_core.link.reliable import Receiver, Sender
from z4j_core.link.states import KNOWN_TO_OTHER_SIDE, RECEIVES, SENDS, Side, State
from z4j_core.signing import (
    MAC_BYTES,
    BadSignature,
    Direction,
    Signer,
    hello_key,
    link_key,
    welcome_key,
)

HEARTBEAT_S = 30
SILENCE_S = 75
Received = frames.AnyFrame | frames.UnknownFrame


class Link:
    """One connection's protocol state. Not thread-safe; raise `LinkError` ends it."""

    def __init__(
        self,
        side: Side,
        signing_key: bytes,
        nonce: bytes,
        sender: Sender | None,
        codec: Codec,
    ) -> None:
        self.side = side
        self.state = State.NEW
        self.is_proven = False
        self.close_reason: CloseReason | None = None
        self.max_frame_bytes = frames.MAX_FRAME_BYTES
        self.window = frames.WINDOW
        self.codec = codec
        self._signing_key = signing_key
        self.nonce = nonce
        self._sender = sender
        self._receiver = Receiver(0)
        self._outgoing: list[bytes] = []
        self._in = Signer(hello_key(signing_key), Direction.TO_BRAIN)
        self._out = self._in
        self._last_heard = 0
        self._last_sent = 0

    @classmethod
    def for_agent(
        cls, signing_key: bytes, nonce: bytes, sender: Sender, codec: Codec = MSGPACK
    ) -> Link:
        """Return the agent's side; `nonce` is 16 fresh random bytes."""
        return cls(Side.AGENT, signing_key, nonce, sender, codec)

    @classmethod
    def for_brain(cls, signing_key: bytes, nonce: bytes, codec: Codec = MSGPACK) -> Link:
        """Return the brain's side for the token whose signing key this is."""
        return cls(Side.BRAIN, signing_key, nonce, None, codec)

    @property
    def position(self) -> int:
        """The brain's side: number of the last reliable frame taken on this link."""
        return self._receiver.position

    def start(self, hello: frames.Hello, now: int) -> None:
        """Agent: greet the brain."""
        self._require(Side.AGENT, State.NEW)
        if hello.nonce != self.nonce:
            raise LinkMisuse("the hello must carry the nonce of its link")
        self.state = State.GREETING
        self._last_heard = now
        self._in = Signer(welcome_key(self._signing_key, self.nonce), Direction.TO_AGENT)
        self._write(hello, now)

    def welcome(
        self,
        hello: frames.Hello,
        position: int,
        project: str,
        server_version: str,
        now: int,
    ) -> None:
        """Brain: answer the hello; `position` is the last committed frame of this epoch."""
        self._require(Side.BRAIN, State.GREETING)
        self._receiver = Receiver(position)
        answer = frames.Welcome(
            version=frames.PROTOCOL_VERSION,
            nonce=self.nonce,
            position=position,
            max_frame_bytes=self.max_frame_bytes,
            max_events=frames.MAX_EVENTS,
            window=self.window,
            heartbeat_s=HEARTBEAT_S,
            project=project,
            server_version=server_version,
            now=now,
        )
        self._out = Signer(welcome_key(self._signing_key, hello.nonce), Direction.TO_AGENT)
        self._write(answer, now)
        self._open(agent_nonce=hello.nonce, brain_nonce=self.nonce)

    def receive(self, message: bytes, now: int) -> list[Received]:
        """Return the frames to act on: none for a repeated one. Raise `LinkError`."""
        if self.state is State.CLOSED:
            return []
        if len(message) > self.max_frame_bytes + MAC_BYTES:
            raise LinkError(TOO_LARGE, ADVICE[TOO_LARGE])
        try:
            frame = self.codec.decode(self._in.verify(message))
        except BadSignature:
            raise LinkError(BAD_SIGNATURE, ADVICE[BAD_SIGNATURE]) from None
        except FrameError as error:
            raise LinkError(BAD_FRAME, str(error)) from None
        self._last_heard = now
        next_state = self._next_state(frame)
        if isinstance(frame, frames.RawEvents | frames.Result | frames.Gap):
            self.is_proven = True
            return [frame] if self._receiver.is_new(frame.seq) else []
        return self._take(frame, next_state)

    def send(self, frame: frames.SendableFrame, now: int) -> None:
        """Queue a frame that is not numbered."""
        if self.state is State.CLOSED:
            return
        if type(frame) not in SENDS[self.side] or self.state is not State.OPEN:
            raise LinkMisuse(f"{self.side.value} cannot send {type(frame).__name__} now")
        self._write(frame, now)

    def pump(self, now: int) -> None:
        """Agent: queue numbered frames as far as the window allows."""
        if self._sender is None or self.state is not State.OPEN:
            return
        for payload in self._sender.take_due(self.window):
            self._outgoing.append(self._out.sign(payload))
            self._last_sent = now

    def close(self, reason: CloseReason, now: int) -> None:
        """Say goodbye, if that is still possible, and close."""
        if self.state is State.CLOSED:
            return
        if self.state is not State.NEW and not (
            self.side is Side.BRAIN and self.state is State.GREETING
        ):
            self._write(frames.Goodbye(reason.code, reason.detail, reason.retry_after_s), now)
        self.state, self.close_reason = State.CLOSED, reason

    def tick(self, now: int) -> bool:
        """Tell whether a heartbeat is due; raise `LinkError` after too long a silence."""
        if self.state is State.CLOSED:
            return False
        if now - self._last_heard > SILENCE_S * 1_000_000 and self._last_heard:
            raise LinkError(SILENCE, ADVICE[SILENCE])
        return self.state is State.OPEN and now - self._last_sent >= HEARTBEAT_S * 1_000_000

    def take_outgoing(self) -> list[bytes]:
        """Return and forget the messages to write, in order."""
        messages, self._outgoing = self._outgoing, []
        return messages

    def _take(self, frame: Received, next_state: State) -> list[Received]:
        if isinstance(frame, frames.Hello):
            if frames.PROTOCOL_VERSION not in frame.versions:
                raise LinkError(VERSION, ADVICE[VERSION])
        elif isinstance(frame, frames.Welcome):
            self._take_welcome(frame)
        elif isinstance(frame, frames.Ack) and self._sender is not None:
            self._sender.acknowledge(frame.position)
        elif isinstance(frame, frames.Goodbye):
            self.close_reason = CloseReason(frame.code, frame.detail, frame.retry_after_s)
        else:
            self.is_proven = True
        self.state = next_state
        return [frame]

    def _take_welcome(self, welcome: frames.Welcome) -> None:
        if welcome.version != frames.PROTOCOL_VERSION:
            raise LinkError(VERSION, ADVICE[VERSION])
        self.max_frame_bytes = welcome.max_frame_bytes
        self.window = max(1, welcome.window)
        if self._sender is not None:
            self._sender.resume(welcome.position)
        self._open(agent_nonce=self.nonce, brain_nonce=welcome.nonce)

    def _open(self, agent_nonce: bytes, brain_nonce: bytes) -> None:
        key = link_key(self._signing_key, agent_nonce, brain_nonce)
        to_brain, to_agent = (
            Signer(key, Direction.TO_BRAIN),
            Signer(key, Direction.TO_AGENT),
        )
        if self.side is Side.AGENT:
            self._out, self._in = to_brain, to_agent
        else:
            self._out, self._in = to_agent, to_brain
        self.state = State.OPEN

    def _next_state(self, frame: Received) -> State:
        legal = RECEIVES.get((self.side, self.state), {})
        next_state = legal.get(type(frame))
        if next_state is None:
            backwards = type(frame) in KNOWN_TO_OTHER_SIDE[self.side]
            code = WRONG_DIRECTION if backwards else WRONG_STATE
            name = type(frame).__name__
            raise LinkError(code, f"{name} is not allowed while the link is {self.state.value}.")
        return next_state

    def _write(self, frame: frames.SendableFrame, now: int) -> None:
        self._outgoing.append(self._out.sign(self.codec.encode(frame)))
        self._last_sent = now

    def _require(self, side: Side, state: State) -> None:
        if self.side is not side or self.state is not state:
            raise LinkMisuse(f"not possible for the {self.side.value} while {self.state.value}")
