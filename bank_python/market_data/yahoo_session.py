"""The connection to Yahoo's hosts: direct, or to another address given by environment variables.

Behind a TLS-inspecting proxy, and in tests against a local server, requests to Yahoo must connect to another address,
whose certificate is issued by another authority. Two environment variables configure this:

``BANK_PYTHON_YAHOO_CONNECT``
    ``host:port`` of all connections, whatever the host and port in the URL (curl's ``--connect-to "::host:port"``).
    The URL, the ``Host`` header and the TLS server name remain those of Yahoo.
``BANK_PYTHON_YAHOO_CA``
    File of PEM certificates of the trusted authorities.

If neither is set, no session is created, and yfinance uses its own.
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
    """Address and certificates of the connection to Yahoo's hosts.

    Parameters
    ----------
    connect_to : str or None
        Address ``host:port`` of all connections; ``None`` for the host of the URL.
    authority : Path or None
        PEM file of the trusted certificate authorities; ``None`` for the default ones.

    Raises
    ------
    FeedConfigError
        The address is not ``host:port``, or the file does not exist.

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
        """Return the connection configured by the two environment variables; an empty one counts as not set."""
        authority = environ.get(CA_VARIABLE)
        return cls(environ.get(CONNECT_VARIABLE) or None, Path(authority) if authority else None)

    def session(self) -> Any:
        """Return a new curl_cffi session with this connection, or ``None`` if it is the default one.

        Raises
        ------
        MissingExtraError
            The package curl_cffi, a dependency of yfinance, is not installed.
        """
        if self.connect_to is None and self.authority is None:
            return None
        try:
            from curl_cffi import CurlOpt, requests
        except ImportError as error:
            raise MissingExtraError(
                f"another address for Yahoo's hosts needs the package curl_cffi: {how_to_install('live')}", extra="live"
            ) from error
        options = {} if self.connect_to is None else {CurlOpt.CONNECT_TO: _string_list(f"::{self.connect_to}")}
        # curl_cffi accepts a path too, although its annotation is bool.
        verify: Any = True if self.authority is None else str(self.authority)
        # As in yfinance's own sessions: Yahoo rejects clients that do not look like a browser.
        return requests.Session(impersonate="chrome", verify=verify, curl_options=options)


def _is_address(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(host and colon) and port.isascii() and port.isdigit() and 0 < int(port) <= _HIGHEST_PORT


def _string_list(text: str) -> Any:
    # curl expects a C string list here and curl_cffi passes the value on unchanged, so the list is built with its
    # C binding. It is not freed: curl handles in the session's threads may use it until the program ends.
    from curl_cffi._wrapper import ffi, lib

    return lib.curl_slist_append(ffi.NULL, text.encode())
