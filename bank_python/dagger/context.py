"""Whose a batch or a scenario is: the thread, the task and the generator that opened it.

A ``with`` block can be left before it is over: an asyncio task awaits in it, a generator yields in it, a thread dies in
it. An :class:`Opener` tells whether the code that runs now is inside such a block or only came by meanwhile. A function
decorated with :func:`contextlib.contextmanager` opens on behalf of the code that enters it.
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
    """Another look at a graph: the values that one context sees in the place of the graph's own."""

    @property
    def host(self) -> object:
        """The state of the graph that is looked at."""

    @property
    def is_alive(self) -> bool:
        """Whether it is open for somebody."""

    def is_open(self) -> bool:
        """Whether the running code sees it."""

    def outcome(self, node: Node) -> Outcome:
        """Return the node's outcome in this view."""


VIEWS: ContextVar[tuple[View, ...]] = ContextVar("bank_python_dagger_views", default=())
"""The views that this context has opened, the innermost last."""


BATCHES: ContextVar[tuple[object, ...]] = ContextVar("bank_python_dagger_batches", default=())
"""The batches that this context was made in, so that a thread which was given the context does not wait for them."""

_WAITING: dict[int, Opener] = {}
"""By number of a thread that waits for another's batch, whose batch it is."""


class Opener:
    """The code that opened a ``with`` block, as it can be recognised later.

    Parameters
    ----------
    frame : frame, optional
        The frame that entered the block.
    """

    __slots__ = ("_code", "_frame", "_task", "_thread", "number")

    def __init__(self, frame: FrameType | None) -> None:
        self._thread = weakref.ref(_this_thread())
        self.number = get_ident()  # of the thread
        self._task = _running_task()
        frame = _on_behalf_of(frame)
        suspends = frame is not None and bool(frame.f_code.co_flags & _SUSPENDS)
        # Not the frame itself: it would keep alive what is in it, the block included.
        self._frame: int | None = id(frame) if suspends else None
        self._code: CodeType | None = frame.f_code if suspends and frame is not None else None

    @classmethod
    def of_caller(cls) -> Self:
        """Return the opener of a block whose ``__enter__`` this is called from."""
        frame = inspect.currentframe()
        try:
            enter = None if frame is None else frame.f_back
            return cls(None if enter is None else enter.f_back)
        finally:
            del frame  # a frame that refers to itself is not collected at once

    @property
    def is_alive(self) -> bool:
        """Whether the thread is still running."""
        return self._thread() is not None

    @property
    def is_in_this_thread(self) -> bool:
        """Whether the running thread is the opener's."""
        return self._thread() is _this_thread()

    def owns_the_running_code(self) -> bool:
        """Whether the running code is the opener's own: its thread, its task, and called by its generator."""
        return self.is_in_this_thread and self._task in (None, _running_task()) and self._is_on_the_stack()

    def lets_the_running_code_see(self) -> bool:
        """Whether code of a context in which the block is open is inside it: all but the caller of a generator."""
        return self._frame is None or not self.is_in_this_thread or self._is_on_the_stack()

    @contextlib.contextmanager
    def waited_for(self) -> Iterator[bool]:
        """Note that the running thread waits for the opener; false if the opener waits for the running thread."""
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
    """Stands for a thread, and ends with it: numbers of threads are used again, and not all have a Thread object."""

    __slots__ = ("__weakref__",)


_OF_THREAD = threading.local()


def _this_thread() -> _ThreadMark:
    mark: _ThreadMark | None = getattr(_OF_THREAD, "mark", None)
    if mark is None:
        mark = _OF_THREAD.mark = _ThreadMark()
    return mark


def _running_task() -> object | None:
    """Return the asyncio task that runs now, if one does; nothing is imported for that."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        task: object | None = asyncio.current_task()
    except RuntimeError:  # no event loop is running
        return None
    return task


def _on_behalf_of(frame: FrameType | None) -> FrameType | None:
    """Return the frame whose ``with`` statement it is: past other context managers that open it on its behalf."""
    while frame is not None:
        caller = frame.f_back
        is_contextlib = frame.f_code.co_filename == contextlib.__file__ or frame.f_code.co_name in _ENTERS
        enters = caller is not None and caller.f_code.co_filename == contextlib.__file__
        if is_contextlib or (enters and frame.f_code.co_flags & _SUSPENDS):
            frame = caller
        else:
            return frame
    return None
