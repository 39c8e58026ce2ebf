"""The page of a tearsheet in a real browser: it is drawn, says nothing on the console, and asks for nothing else.

``.ci/run`` installs Chromium; where there is none the test is skipped.
"""

from __future__ import annotations

import http.server
import re
import shutil
import subprocess
import threading

import numpy as np
import pytest

from bank_python.backtester import Backtester, MomentumBacktest, make_tearsheet

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-logging=stderr",
    "--disable-background-networking",
)
FEWEST_CHARTS = 5
TITLE = "<script>console.error('not escaped')</script>"
HEADER = b"\x89PNG\r\n\x1a\n"


class Server(http.server.ThreadingHTTPServer):
    """Serves one page and keeps the paths that are asked for."""

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content.encode()
        self.asked = []


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every request with the page."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_):
        """Stay silent."""


def ten_years():
    rng = np.random.default_rng(1)
    dates = np.busday_offset("2016-01-04", np.arange(2_516))
    index = 100.0 * np.cumprod(1.0 + 0.0003 + 0.01 * rng.standard_normal(2_516))
    equity = 1e6 * np.cumprod(1.0 + 0.0004 + 0.008 * rng.standard_normal(2_516))
    return make_tearsheet(equity, dates, benchmark=dict(zip(dates.tolist(), index, strict=True)), title=TITLE)


def a_run():
    closes = {name: 100.0 + np.cumsum(np.random.default_rng(i).standard_normal(300)) for i, name in enumerate("AB")}
    return Backtester(MomentumBacktest(["A", "B"], top_n=1, weight=0.9), data=closes).run().tearsheet()


@pytest.mark.slow
@pytest.mark.parametrize("sheet", [ten_years, a_run])
def test_a_browser_draws_the_page_and_has_nothing_to_complain_about(sheet, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("there is no Chromium")
    server = Server(sheet().to_html())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, picture = f"http://127.0.0.1:{server.server_address[1]}/sheet.html", tmp_path / "sheet.png"
    command = [browser, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}"]
    read = subprocess.run([*command, "--dump-dom", url], capture_output=True, text=True, timeout=120, check=True)
    asked = list(server.asked)
    shot = [*command, "--window-size=900,5200", f"--screenshot={picture}", url]
    subprocess.run(shot, capture_output=True, timeout=120, check=True)
    server.shutdown()
    server.server_close()
    assert asked == ["/sheet.html"]
    assert [line for line in read.stderr.splitlines() if "CONSOLE" in line] == []
    assert len(re.findall(r"<svg[^>]*>.*?<path", read.stdout, re.DOTALL)) >= FEWEST_CHARTS
    assert picture.read_bytes().startswith(HEADER)
    assert len(server.content) <= 300_000
