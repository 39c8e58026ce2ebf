"""``prop_desk.py COMMAND`` as a program: files, owners, environment, exit codes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from bank_python.cli import main
from bank_python.cli import run as run_program
from bank_python.cli.desk import desk_program
from bank_python.cli.options import DB_VARIABLE
from bank_python.desk import Desk, build_desk

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "prop_desk.py")]
PATIENCE = 40.0
COMMANDS = [
    *("risk", "tails", "pnl", "pnl-attr", "stress", "mc", "volsurface", "optimize", "frontier", "rebalance", "config"),
    *("trade", "order", "orders", "kill", "resume", "audit", "signals", "backtest", "tearsheet", "verify"),
]


def environment(**changes):
    unset = {"NO_COLOR", "COLUMNS", "LINES", DB_VARIABLE}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return {**kept, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80", **changes}


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs the program in this process, which has imported everything already."""

    def in_this_process(*arguments, **changes):
        monkeypatch.delenv(DB_VARIABLE, raising=False)
        for name, value in {"COLUMNS": "80", **changes}.items():
            monkeypatch.setenv(name, str(value))
        monkeypatch.setattr(sys, "argv", ["prop_desk.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_program(desk_program())
        said = capsys.readouterr()
        return Done(ended.value.code or 0, said.out, said.err)

    return in_this_process


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("stored") / "desk.db"
    build_desk(seed=7, db=path).close()
    return path


def test_help_lists_the_commands(run):
    done = subprocess.run(
        [*PROGRAM, "--help"], env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [name for name in COMMANDS if f"│ {name} " not in done.stdout] == []
    for name in COMMANDS:
        assert "prop_desk.py " + name in run(name, "--help").stdout.partition("Example")[2], name


def test_help_does_not_load_the_desk():
    """The commands are declared without what they compute with, which takes a second to load."""
    program = "import sys, bank_python.cli.desk as cli; cli.desk_program(); print('bank_python.desk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_installed_command_has_the_same_ones(run, monkeypatch, capsys, stored):
    monkeypatch.setattr(sys, "argv", ["bank-python", "desk", "pnl", "--json", "--db", str(stored)])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out == run("pnl", "--json", "--db", stored).stdout


def test_a_new_desk_in_memory_says_that_nothing_is_kept(run):
    done = run("pnl", "--json", "--seed", "3", "--ticks", "0")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "a new desk in memory, of which nothing is kept; --db FILE, or BANK_PYTHON_DB=FILE, names one that is"
    ]
    [line] = done.stdout.splitlines()
    assert json.loads(line)["pnl"] == 0.0


def test_options_may_come_before_the_command_or_from_the_environment(run, stored):
    before = run("--db", stored, "--json", "pnl", "--ticks", 1)
    after = run("pnl", "--json", "--ticks", 1, BANK_PYTHON_DB=stored)
    assert (before.returncode, before.stderr) == (after.returncode, after.stderr) == (0, "")
    assert before.stdout == after.stdout
    assert json.loads(before.stdout)["pnl"] != 0.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--live", "pnl"], "--live belongs to the live desk"),
        (["riks"], "Did you mean 'risk'?"),
        (["mc", "--model", "gauss"], "gauss"),
        (["config", "--set", "max_vega"], "--set"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(run, arguments, said):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_backtest_is_stored_and_its_tearsheet_shown_again(run, stored, tmp_path):
    options = [
        "--strategy",
        "macro",
        "--tickers",
        "SPY",
        "--start",
        "2025-06-02",
        "--capital",
        "50000",
        "--fill",
        "close",
    ]
    done = run("backtest", *options, "--db", stored, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    [row] = json.loads(done.stdout)["backtests"]
    page = tmp_path / "sheet.html"
    again = run("tearsheet", "--db", stored, "--html", page, "--json")
    assert json.loads(again.stdout)["key"] == row["key"]
    assert json.loads(again.stdout)["metrics"]["final_value"] == row["final_value"]
    assert page.exists()
    assert run("backtest", "--fill", "never").returncode == 2


def test_ctrl_c_ends_quietly(run, monkeypatch, stored):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bank_python.desk.commands.pnl.build_view", interrupted)
    done = run("pnl", "--db", stored)
    assert (done.returncode, done.stdout) == (130, "")


def test_reading_a_file_that_is_not_there_is_an_error_and_builds_nothing(run, tmp_path):
    done = run("risk", "--db", tmp_path / "desk.db")
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("error: there is no desk at ")
    assert "--once --db" in line
    assert list(tmp_path.iterdir()) == []


def test_a_setting_is_kept_in_a_new_desk_and_read_from_it(run, tmp_path):
    path = tmp_path / "desk.db"
    done = run("config", "--db", path, "--set", "trader_loss_limit", "-5e5", "--json")
    assert done.returncode == 0
    assert done.stderr.splitlines() == [f"there was no desk at {path}: a new one is kept there now (simulated market)"]
    again = run("config", "--db", path, "--json")
    assert (again.returncode, again.stderr) == (0, "")
    assert json.loads(again.stdout)["settings"] == json.loads(done.stdout)["settings"]
    assert json.loads(again.stdout)["settings"]["trader_loss_limit"] == -5e5
    wrong = run("config", "--db", path, "--set", "max_deltas", "1")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "error: there is no setting 'max_deltas'; did you mean 'max_delta' or 'max_vega'?\n"


def test_a_live_desk_owns_its_file_others_read_it_and_what_it_did_is_saved(run, tmp_path):
    path = tmp_path / "desk.db"
    with subprocess.Popen(
        [*PROGRAM, "--live", "--db", str(path), "--refresh", "0.2", "--scenarios", "100"],
        env=environment(LINES="24"),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as live:
        for _ in range(24 * 3):
            live.stdout.readline()
        refused = run("config", "--db", path, "--set", "max_vega", "1")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"is being written by process {live.pid}" in refused.stderr
        read = run("pnl", "--db", path, "--json")
        assert (read.returncode, read.stderr) == (0, "")
        live.send_signal(signal.SIGINT)
        _, said = live.communicate(timeout=PATIENCE)
    assert (live.returncode, said.splitlines()) == (
        0,
        [f"there was no desk at {path}: a new one is kept there now (simulated market)"],
    )
    with Desk.open(path) as desk:
        assert desk.firm_pnl.value != 0.0


def test_one_frame_of_a_stored_desk_is_a_copy(run, stored):
    before = stored.read_bytes()
    done = run("--once", "--json", "--db", stored, "--scenarios", "100")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["firm"]["pnl"] != 0.0
    assert stored.read_bytes() == before


def test_orders_go_on_from_one_command_to_the_next(run, tmp_path):
    path = tmp_path / "desk.db"
    sold = run("trade", "Alice", "AAPL", "-100", "--db", path, "--json")
    assert json.loads(sold.stdout)["order"]["side"] == "SELL"
    assert "a new one is kept there" in sold.stderr
    run("order", "Alice", "AAPL", "buy", "10", "--type", "limit", "--price", "215", "--db", path)
    refused = run("order", "Alice", "AAPL", "BUY", "1000000", "--db", path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: ORD-000003 was rejected: Value of the order")
    listed = json.loads(run("orders", "--db", path, "--json").stdout)["orders"]
    assert [order["status"] for order in listed] == ["FILLED", "PENDING", "REJECTED"]
    run("orders", "--cancel", "ORD-000002", "--db", path)
    events = json.loads(run("audit", "--db", path, "--json").stdout)
    assert events["intact"]
    assert [event["event_type"] for event in events["events"]][-1] == "CANCEL"
    assert run("order", "Alice", "AAPL", "HOLD", "1", "--db", path).returncode == 2


def test_trading_stays_stopped_from_one_command_to_the_next_until_it_is_resumed(run, tmp_path):
    path = tmp_path / "desk.db"
    run("order", "Alice", "AAPL", "BUY", "10", "--type", "limit", "--price", "215", "--db", path)
    stopped = json.loads(run("kill", "prices look wrong", "--db", path, "--json").stdout)
    assert [order["order_id"] for order in stopped["cancelled"]] == ["ORD-000001"]
    refused = run("trade", "Alice", "AAPL", "-100", "--db", path)
    assert (refused.returncode, "trading was stopped: prices look wrong" in refused.stderr) == (1, True)
    assert "it was stopped for" in run("resume", "repaired", "--db", path).stdout
    assert run("trade", "Alice", "AAPL", "-100", "--db", path).returncode == 0
    again = run("resume", "repaired", "--db", path)
    assert (again.returncode, "trading is not stopped" in again.stderr) == (1, True)


def test_no_order_while_another_process_owns_the_desk(run, tmp_path):
    path = tmp_path / "desk.db"
    with build_desk(seed=7, db=path):
        refused = run("trade", "Alice", "AAPL", "100", "--db", path)
        assert refused.returncode == 1
        assert "is being written by" in refused.stderr
        assert run("orders", "--db", path).returncode == 0
