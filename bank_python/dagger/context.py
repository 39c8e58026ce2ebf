"""Ownership of batches and scenarios: the thread, asyncio task and generator that opened a ``with`` block.

Other code can run while a ``with`` block is open: an asyncio task may await in it, a generator may yield in it, and the
thread may end in it. An :class:`Opener` tells whether the running code is inside the block. A function decorated with
:func:`contextlib.contextmanager` opens a block on behalf of the code that enters it.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import threading
import weakref
from contextvars import ContextVar
from threading import get_ident
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType
    from typing import Self

    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome

__all__ = ["BATCHES", "VIEWS", "Opener", "View"]

_ENTERS = ("__enter__", "__aenter__")
_SUSPENDS = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


class View(Protocol):
    """A view of a graph: outcomes that one context sees in place of the graph's own."""

    @property
    def host(self) -> object:
        """State of the graph that is viewed."""

    @property
    def is_alive(self) -> bool:
        """Whether the view is still open in some context."""

    def is_open(self) -> bool:
        """Whether the running code sees the graph through the view."""

    def outcome(self, node: Node) -> Outcome:
        """Return the outcome of a node in this view."""

    def peek(self, node: Node) -> Outcome:
        """Return the outcome of a node in this view if it is known, else ``None``; nothing is evaluated."""


VIEWS: ContextVar[tuple[View, ...]] = ContextVar("bank_python_dagger_views", default=())
"""Views that this context has opened, the innermost last."""


BATCHES: ContextVar[tuple[object, ...]] = ContextVar("bank_python_dagger_batches", default=())
"""Batches that were open when this context was created; a thread that runs in a copy of it must not wait for them."""

_WAITING: dict[int, Opener] = {}
"""Openers of the batches that threads are waiting for, by identifier of the waiting thread."""


class Opener:
    """The code that opened a ``with`` block, in a form in which it can be recognised later.

    Parameters
    ----------
    frame : frame, optional
        Stack frame that entered the block.
    """

    __slots__ = ("_code", "_frame", "_task", "_thread", "number")

    def __init__(self, frame: FrameType | None) -> None:
        self._thread = weakref.ref(_this_thread())
        self.number = get_ident()  # of the thread
        self._task = _running_task()
        frame = _on_behalf_of(frame)
        suspends = frame is not None and bool(frame.f_code.co_flags & _SUSPENDS)
        # The identifier, not the frame itself, which would keep its local variables and so the block alive.
        self._frame: int | None = id(frame) if suspends else None
        self._code: CodeType | None = frame.f_code if suspends and frame is not None else None

    @classmethod
    def of_caller(cls) -> Self:
        """Return the opener of a block; to be called from the ``__enter__`` of the block."""
        frame = inspect.currentframe()
        try:
            enter = None if frame is None else frame.f_back
            return cls(None if enter is None else enter.f_back)
        finally:
            del frame  # a frame that refers to itself is freed only by the garbage collector

    @property
    def is_alive(self) -> bool:
        """Whether the thread is still running."""
        return self._thread() is not None

    @property
    def is_in_this_thread(self) -> bool:
        """Whether the running thread is the opener's."""
        return self._thread() is _this_thread()

    def owns_running_code(self) -> bool:
        """Whether the running code belongs to the opener: same thread, same task, and called by its generator."""
        return self.is_in_this_thread and self._task in (None, _running_task()) and self._is_on_the_stack()

    def is_visible_to_running_code(self) -> bool:
        """Whether running code whose context has the block open is inside it; the caller of a generator is not."""
        return self._frame is None or not self.is_in_this_thread or self._is_on_the_stack()

    @contextlib.contextmanager
    def waited_for(self) -> Iterator[bool]:
        """Register that the running thread waits for the opener; yield False if the opener waits for this thread."""
        ahead: Opener | None = self
        while ahead is not None and not ahead.is_in_this_thread:
            ahead = _WAITING.get(ahead.number) if ahead.is_alive else None
        _WAITING[get_ident()] = self
        try:
            yield ahead is None
        finally:
            del _WAITING[get_ident()]

    def _is_on_the_stack(self) -> bool:
        if self._frame is None:
            return True
        frame = inspect.currentframe()
        while frame is not None:
            if id(frame) == self._frame and frame.f_code is self._code:
                return True
            frame = frame.f_back
        return False


class _ThreadMark:
    """An object that lives as long as its thread; identifiers are reused, and not every thread has a Thread object."""

    __slots__ = ("__weakref__",)


_OF_THREAD = threading.local()


def _this_thread() -> _ThreadMark:
    mark: _ThreadMark | None = getattr(_OF_THREAD, "mark", None)
    if mark is None:
        mark = _OF_THREAD.mark = _ThreadMark()
    return mark


def _running_task() -> object | None:
    """Return the running asyncio task, if there is one, without importing asyncio."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        task: object | None = asyncio.current_task()
    except RuntimeError:  # no event loop is running
        return None
    return task


def _on_behalf_of(frame: FrameType | None) -> FrameType | None:
    """Return the frame with the ``with`` statement, skipping the frames of context managers that wrap the block."""
    while frame is not None:
        caller = frame.f_back
        is_contextlib = frame.f_code.co_filename == contextlib.__file__ or frame.f_code.co_name in _ENTERS
        enters = caller is not None and caller.f_code.co_filename == contextlib.__file__
        if is_contextlib or (enters and frame.f_code.co_flags & _SUSPENDS):
            frame = caller
        else:
            return frame
    return None
