"""Where Yahoo's hosts are reached: directly, or through an address named in the environment.

Behind a TLS-inspecting proxy, or for trying a program against a server on one's own machine, every
request to Yahoo has to be connected to another address and its certificate checked against another
authority. Two environment variables say so:

``BANK_PYTHON_YAHOO_CONNECT``
    ``host:port`` that every connection is made to, whatever host and port the URL names (curl's
    ``--connect-to "::host:port"``). The URL, the ``Host`` header and the TLS server name stay Yahoo's.
``BANK_PYTHON_YAHOO_CA``
    A file of PEM certificates to check that address's certificate against.

With neither of them set nothing is changed: no session is made, and yfinance keeps whichever it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bank_python.errors import FeedConfigError, MissingExtraError
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CA_VARIABLE", "CONNECT_VARIABLE", "YahooConnection"]

CONNECT_VARIABLE = "BANK_PYTHON_YAHOO_CONNECT"
CA_VARIABLE = "BANK_PYTHON_YAHOO_CA"
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class YahooConnection:
    """How Yahoo's hosts are reached.

    Parameters
    ----------
    connect_to : str or None
        ``host:port`` that every connection goes to; ``None`` for the host of the URL.
    authority : Path or None
        PEM file of the certificate authorities that are trusted; ``None`` for the usual ones.

    Raises
    ------
    FeedConfigError
        The address is not ``host:port``, or the file is not there.

    Examples
    --------
    >>> YahooConnection.from_environment({})
    YahooConnection(connect_to=None, authority=None)
    >>> YahooConnection.from_environment({"BANK_PYTHON_YAHOO_CONNECT": "127.0.0.1:8443"}).connect_to
    '127.0.0.1:8443'
    """

    connect_to: str | None = None
    authority: Path | None = None

    def __post_init__(self) -> None:
        if self.connect_to is not None and not _is_address(self.connect_to):
            raise FeedConfigError(
                f"{CONNECT_VARIABLE} is {self.connect_to!r}: give host:port, such as 127.0.0.1:8443",
                value=self.connect_to,
            )
        if self.authority is not None and not self.authority.is_file():
            raise FeedConfigError(
                f"{CA_VARIABLE} names {str(self.authority)!r}, which is not a file: give a file of PEM certificates",
                value=self.authority,
            )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> YahooConnection:
        """Read the two variables; an empty one counts as not set."""
        authority = environ.get(CA_VARIABLE)
        return cls(environ.get(CONNECT_VARIABLE) or None, Path(authority) if authority else None)

    def session(self) -> Any:
        """Return a new curl_cffi session that connects so, or ``None`` when nothing is to be changed.

        Raises
        ------
        MissingExtraError
            curl_cffi, which comes with yfinance, is not installed.
        """
        if self.connect_to is None and self.authority is None:
            return None
        try:
            from curl_cffi import CurlOpt, requests
        except ImportError as error:
            raise MissingExtraError(
                f"redirecting Yahoo's hosts needs curl_cffi: {how_to_install('live')}", extra="live"
            ) from error
        options = {} if self.connect_to is None else {CurlOpt.CONNECT_TO: _string_list(f"::{self.connect_to}")}
        # A path is accepted too, though the annotation does not say so.
        verify: Any = True if self.authority is None else str(self.authority)
        # "chrome" is what yfinance's own sessions impersonate: Yahoo turns away clients it does not know.
        return requests.Session(impersonate="chrome", verify=verify, curl_options=options)


def _is_address(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(host and colon) and port.isascii() and port.isdigit() and 0 < int(port) <= _HIGHEST_PORT


def _string_list(text: str) -> Any:
    # curl wants a C string list here and curl_cffi passes the value on as it is, so the list is made with its
    # own binding. It is not freed: curl handles of the session's threads may use it until the program ends.
    from curl_cffi._wrapper import ffi, lib

    return lib.curl_slist_append(ffi.NULL, text.encode())
