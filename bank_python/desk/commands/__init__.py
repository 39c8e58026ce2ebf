"""The commands of the trading desk: what each computes on a desk, and how it is shown, written and exported."""

from bank_python.completion import public_names
from bank_python.desk.commands.result import CommandResult
from bank_python.desk.commands.run import Output, change, deliver_alone, read

__all__ = ["CommandResult", "Output", "change", "deliver_alone", "read"]

__dir__ = public_names(__name__)
