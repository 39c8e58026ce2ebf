"""``prop_desk.py`` as a program: in a pipe, as a picture, and in a real terminal (tmux)."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bank_python.desk import TRADERS, build_desk, build_view
from bank_python.desk.live.picture import svg, write_picture
from bank_python.desk.output_file import check_target
from bank_python.errors import DeskError

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "prop_desk.py")]
PATIENCE = 40.0
TITLES = ["FIRM", "TRADERS", "MARKET", "POSITIONS", "ENGINE"]


def environment(**changes):
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "LINES"}}
    return {**kept, "PYTHONIOENCODING": "utf-8", **changes}


def run(*arguments, **changes):
    return subprocess.run(
        [*PROGRAM, *arguments],
        env=environment(**changes),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


def lines_of(done):
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


def until(there, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (found := there()):
        assert time.monotonic() < end, f"not there after {patience} s"
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (["--once", "--plain"], {}),
        ([], {}),
        (["--once"], {"NO_COLOR": "1"}),
        (["--once"], {"FORCE_COLOR": "1", "TERM": "xterm-256color"}),
    ],
)
def test_one_plain_frame_down_a_pipe(arguments, variables):
    lines = lines_of(run(*arguments, COLUMNS="80", LINES="24", **variables))
    assert [len(line) for line in lines] == [80] * 24
    shown = "\n".join(lines)
    assert "\x1b" not in shown
    assert [title for title in TITLES if f"╭ {title} " not in shown] == []


def test_the_frame_has_the_size_asked_for_and_never_less_than_the_least():
    assert [len(line) for line in lines_of(run("--once", COLUMNS="200", LINES="60"))] == [200] * 60
    assert [len(line) for line in lines_of(run("--once", COLUMNS="20", LINES="5"))] == [80] * 24


def test_the_same_seed_shows_the_same_figures():
    first, second, other = (
        [line for line in lines_of(run("--once", "--seed", seed, COLUMNS="80", LINES="24")) if "evaluated" not in line]
        for seed in ("3", "3", "4")
    )
    assert first == second
    assert first != other


@pytest.mark.parametrize("arguments", [["--once", "--json"], ["--json"]])
def test_the_view_as_one_line_of_json(arguments):
    [line] = lines_of(run(*arguments, "--seed", "3"))
    view = json.loads(line, parse_constant=pytest.fail)
    assert [trader["name"] for trader in view["traders"]][:2] == ["Alice", "Bob"]
    assert view["risk"]["scenarios"] == 10_000
    shown = run("--once", "--seed", "3", COLUMNS="200", LINES="60").stdout.decode()
    firm, risk = view["firm"], view["risk"]
    for figure in (f"Value $ {firm['value']:,.0f}", f"P&L $ {firm['pnl']:+,.0f}", f"VaR $ {risk['var_99']:,.0f}"):
        assert figure in shown


def texts_of(document):
    """Return the texts of an SVG document, which must be well-formed XML, with ordinary blanks."""
    root = ET.fromstring(document)  # noqa: S314 - written by the program itself
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return ["".join(text.itertext()).replace("\xa0", " ") for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_frame_as_an_svg_picture(tmp_path):
    picture = tmp_path / "desk.svg"
    picture.write_text("an older picture")
    done = run("--svg", str(picture), "--seed", "3", "--ticks", "2", COLUMNS="80")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    document = picture.read_text(encoding="utf-8")
    shown = "\n".join(texts_of(document))
    expected = ["bank_python", *TITLES, *(trader.name for trader in TRADERS), "VaR $", "shares -10%"]
    assert [word for word in expected if word not in shown] == []
    assert document.count("http") == document.count("http://www.w3.org/2000/svg")  # no fonts from the network
    assert [path.name for path in tmp_path.iterdir()] == ["desk.svg"]


@pytest.mark.parametrize(
    ("name", "says"),
    [("missing/desk.svg", "there is no folder"), (".", "not a regular file"), ("/dev/null", "regular")],
)
def test_a_picture_that_cannot_be_written_is_an_error_before_the_desk_is_built(tmp_path, name, says):
    done = run("--once", "--svg", str(tmp_path / name))
    assert (done.returncode, done.stdout) == (1, b"")
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("error: cannot write ")
    assert says in line
    assert list(tmp_path.iterdir()) == []


def test_a_picture_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    view = build_view(build_desk(seed=7))
    target = tmp_path / "desk.svg"
    write_picture(view, target, plain=True)
    before = target.read_bytes()

    def full_disk(path, text, encoding):
        path.write_bytes(text[:10].encode())
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(DeskError, match=r"cannot write .*desk\.svg: No space left on device"):
        write_picture(view, target)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("desk.svg", before)]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_picture_in_a_folder_without_permission(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(DeskError, match="permission denied"):
        check_target(folder / "desk.svg")


def test_names_in_a_picture_are_escaped():
    view = build_view(build_desk(seed=7))
    first, *others = view.traders
    view = replace(view, traders=(replace(first, name="<A&B>"), *others))
    assert any("<A&B>" in text for text in texts_of(svg(view)))


def test_ascii_where_nothing_else_can_be_written():
    done = run("--once", PYTHONIOENCODING="ascii", COLUMNS="80", LINES="24")
    assert done.stdout.isascii()
    assert [len(line) for line in lines_of(done)] == [80] * 24


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--live", "--once"], "exclude each other"),
        (["--live", "--json"], "exclude each other"),
        (["--live", "--svg", "desk.svg"], "exclude each other"),
        (["--live", "--ticks", "2"], "exclude each other"),
        (["--json", "--svg", "desk.svg"], "exclude each other"),
        (["--ticks", "0"], "--ticks"),
        (["--refresh", "0"], "--refresh"),
        (["--feed", "nonsense"], "nonsense"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, says):
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert done.stdout == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_live_down_a_pipe_is_plain_frames_until_told_to_stop(number):
    with subprocess.Popen(
        [*PROGRAM, "--live", "--refresh", "0.2"],
        env=environment(COLUMNS="80", LINES="24"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        try:
            seen = [program.stdout.readline().decode() for _ in range(72)]
            program.send_signal(number)
            rest, complaints = program.communicate(timeout=PATIENCE)
        finally:
            program.kill()
    assert (program.returncode, complaints) == (0, b"")
    whole = "".join(seen) + rest.decode()
    assert "\x1b" not in whole
    assert whole.count("╭ FIRM ") >= 3
    assert len(whole.splitlines()) % 24 == 0  # it stops between two frames


def test_nobody_reads_on():
    reader, writer = os.pipe()
    with subprocess.Popen(
        [*PROGRAM, "--live", "--refresh", "0.1"],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
    ) as program:
        os.close(writer)
        try:
            assert os.read(reader, 100)
            os.close(reader)
            assert (program.communicate(timeout=PATIENCE)[1], program.returncode) == (b"", 0)
        finally:
            program.kill()


# --- on a terminal ---------------------------------------------------------------------------------


class Terminal:
    """A terminal of tmux's, with a shell in it."""

    def __init__(self, folder, width=80, height=24):
        self.command = ["tmux", "-S", f"{folder}/socket", "-f", "/dev/null"]
        self.env = environment(TERM="xterm-256color", ENV="", PS1="$ ", LC_ALL="C.UTF-8")
        self.tmux("new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(ROOT), "sh")

    def tmux(self, *arguments):
        done = subprocess.run(
            [*self.command, *arguments], env=self.env, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        return done.stdout

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self, *, styles=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if styles else []))

    def says(self, pattern):
        return until(lambda: re.search(pattern, self.screen()))

    def start(self, arguments="", variables=""):
        self.type(f"clear; {variables} {sys.executable} prop_desk.py {arguments}; echo left with $?", "Enter")
        self.says("(?s)╭ FIRM .*╭ ENGINE ")

    def is_as_before(self):
        """Whether the main screen, its cursor, and the line discipline are back."""
        self.type("clear; stty -a", "Enter")
        self.says(r"(?<!-)\bicanon\b")
        self.says(r"(?<!-)\becho\b")
        return self.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]


@pytest.fixture
def terminal():
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed: it plays the terminal")
    folder = tempfile.mkdtemp(prefix="desk")  # tmp_path is too long for a socket's name
    box = Terminal(folder)
    try:
        yield box
    finally:
        box.tmux("kill-server")
        shutil.rmtree(folder)


def tick_on(screen):
    return int(re.search(r"tick ([\d,]+)", screen).group(1).replace(",", ""))


def test_live_on_a_terminal_goes_on_follows_its_size_and_leaves_it_as_it_was(terminal):
    terminal.start("--live --refresh 0.3")
    first = terminal.screen()
    assert [len(line) for line in first.splitlines()] == [80] * 24
    until(lambda: tick_on(terminal.screen()) >= tick_on(first) + 2)
    assert "\x1b[3" in terminal.screen(styles=True)
    terminal.tmux("resize-window", "-x", "200", "-y", "60")
    terminal.says(r"delta 1%.*\n.*Tech/semis trend")
    assert [len(line) for line in until(lambda: whole(terminal.screen(), 60))] == [200] * 60
    terminal.tmux("resize-window", "-x", "60", "-y", "20")
    terminal.says("The desk needs 80x24, this is 60x20")
    terminal.tmux("resize-window", "-x", "80", "-y", "24")
    terminal.says("╭ FIRM ")
    terminal.type("x")
    terminal.type("q")
    terminal.says("left with 0")
    assert terminal.is_as_before()


@pytest.mark.slow
def test_a_back_test_that_another_process_stores_shows_on_the_live_desk(terminal, tmp_path):
    path = tmp_path / "desk.db"
    terminal.tmux("resize-window", "-x", "120", "-y", "44")
    terminal.start(f"--live --refresh 0.3 --db {path}")
    assert "BACK-TESTS" not in terminal.screen()
    done = run("backtest", "--strategy", "macro", "--tickers", "SPY", "--db", str(path))
    assert done.returncode == 0, done.stderr
    terminal.says(r"╭ BACK-TESTS .*\n│ MacroBacktest +[+-]?\d+\.\d\d%~ +-?\d+\.\d\d ")
    assert [len(line) for line in until(lambda: whole(terminal.screen(), 44))] == [120] * 44
    terminal.type("q")
    terminal.says("left with 0")
    assert terminal.is_as_before()


@pytest.mark.slow
def test_tails_show_on_the_live_desk_and_a_key_renews_them(terminal, tmp_path):
    path = tmp_path / "desk.db"
    assert run("config", "--set", "tails_every", "inf", "--db", str(path)).returncode == 0
    terminal.tmux("resize-window", "-x", "120", "-y", "44")
    terminal.start(f"--live --refresh 1 --scenarios 500 --db {path}")
    bob = r"│ (Bob +[\d.]+ .*-\d+\.\d fragile) "
    # The histories of 56 symbols come first, a quarter of a second at each refresh.
    first = until(lambda: re.search(bob, terminal.screen()), 3.0 * PATIENCE).group(1)
    tick = tick_on(terminal.screen())
    until(lambda: tick_on(terminal.screen()) >= tick + 2)
    assert first in terminal.screen()  # only when asked for
    assert "only when asked for" in json.loads(run("--once", "--json", "--db", str(path)).stdout)["tails"]["pace"]
    terminal.type("t")
    until(lambda: first not in terminal.screen())
    terminal.type("q")
    terminal.says("left with 0")
    assert terminal.is_as_before()


def whole(screen, height):
    lines = screen.splitlines()
    return lines if len(lines) == height and lines[-1].startswith("╰") else None


@pytest.mark.parametrize(("keys", "arguments"), [("C-c", "--live"), ("C-c", ""), ("q", "--live --plain")])
def test_a_key_ends_it(terminal, keys, arguments):
    terminal.start(arguments)
    if "--plain" in arguments:
        assert "\x1b" not in terminal.screen(styles=True)
    terminal.type("C-z")  # does nothing: the shell would be left on the desk's screen
    terminal.type(keys)
    terminal.says("left with 0")
    assert "Traceback" not in terminal.screen()
    assert terminal.is_as_before()


def test_once_on_a_terminal_leaves_room_for_the_prompt(terminal):
    terminal.tmux("resize-window", "-x", "90", "-y", "40")
    terminal.type(f"clear; {sys.executable} prop_desk.py --once", "Enter")
    terminal.says(r"(?s)\A╭ FIRM .*╭ ENGINE .*\n[$#] *\n*\Z")
    lines = terminal.screen().splitlines()
    assert sum(line.startswith(("╭", "│", "╰")) for line in lines) == 39
    assert "\x1b[3" in terminal.screen(styles=True)
