"""Open a tearsheet in Chromium: it has to be drawn, without a word on the console and without any request.

Run it with ``python benchmarks/_tearsheet_browser.py``; ``--picture sheet.png`` keeps what is drawn. It needs
``chromium`` and is no part of the tests.
"""

from __future__ import annotations

import argparse
import http.server
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

from bank_python.backtester import make_tearsheet

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-logging=stderr",
    "--disable-background-networking",
)
FEWEST_CHARTS = 5


def page() -> str:
    """Return a tearsheet of ten years with a benchmark, whose title tries to be a script."""
    rng = np.random.default_rng(1)
    dates = np.busday_offset("2016-01-04", np.arange(2_516))
    index = 100.0 * np.cumprod(1.0 + 0.0003 + 0.01 * rng.standard_normal(2_516))
    equity = 1e6 * np.cumprod(1.0 + 0.0004 + 0.008 * rng.standard_normal(2_516))
    title = "<script>console.error('not escaped')</script>"
    return make_tearsheet(equity, dates, benchmark=dict(zip(dates.tolist(), index, strict=True)), title=title).to_html()


class Server(http.server.ThreadingHTTPServer):
    """Serves one page and keeps the paths that are asked for."""

    def __init__(self, content: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content.encode()
        self.asked: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every request with the page."""

    server: Server

    def do_GET(self) -> None:
        """Send the page and note its path."""
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, help="file for a picture of the page")
    parser.add_argument("--dark", action="store_true", help="draw the page as on a dark system")
    options = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("there is no chromium on the path")
    server = Server(page())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as profile:
        url = f"http://127.0.0.1:{server.server_address[1]}/sheet.html"
        more = [f"--user-data-dir={profile}", *(["--blink-settings=preferredColorScheme=0"] if options.dark else [])]
        command = [browser, *FLAGS, *more]
        read = subprocess.run([*command, "--dump-dom", url], capture_output=True, text=True, timeout=120, check=True)
        asked = list(server.asked)
        if options.picture:
            shot = f"--screenshot={options.picture.resolve()}"
            subprocess.run(
                [*command, "--window-size=900,5200", shot, url], capture_output=True, timeout=120, check=True
            )
    said = [line for line in read.stderr.splitlines() if "CONSOLE" in line]
    charts = len(re.findall(r"<svg[^>]*>.*?<path", read.stdout, re.DOTALL))
    print(f"requests {asked}, console {said}, charts {charts}, {len(server.content):,} bytes")
    return int(asked != ["/sheet.html"] or bool(said) or charts < FEWEST_CHARTS)


if __name__ == "__main__":
    sys.exit(main())
