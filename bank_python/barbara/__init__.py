"""Barbara, the object store: overlaid rings of keys, a history of all versions, typed records, transactions.

The store is in :mod:`bank_python.barbara.store`, and the types of its values in :mod:`bank_python.barbara.records`.
"""

from bank_python.barbara.notify import Subscription
from bank_python.barbara.past import PastView
from bank_python.barbara.records import Storable, register_storable, storable
from bank_python.barbara.resolve import NodeFinder
from bank_python.barbara.store import BarbaraDB
from bank_python.barbara.versions import MISSING, Change, Version
from bank_python.completion import public_names

__all__ = [
    "MISSING",
    "BarbaraDB",
    "Change",
    "NodeFinder",
    "PastView",
    "Storable",
    "Subscription",
    "Version",
    "register_storable",
    "storable",
]

__dir__ = public_names(__name__)
