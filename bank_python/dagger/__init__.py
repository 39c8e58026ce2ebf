"""Dagger: the reactive dependency graph.

A change of a leaf marks dirty what rests on it; only that is recomputed, each node at most once, in
topological order, and the wave stops where a value came out the same. The graph knows no finance.
"""

from bank_python.dagger.aggregate import SumNode
from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.batch import ContractBatch
from bank_python.dagger.block import LeafBlock
from bank_python.dagger.contract import Flag, Inferred, Source, Term
from bank_python.dagger.derived import DerivedNode, node_function
from bank_python.dagger.domain import Domain
from bank_python.dagger.explain import Explanation, Plan
from bank_python.dagger.graph import DependencyGraph
from bank_python.dagger.greeks import Greeks, Slope
from bank_python.dagger.journal import Entry, Evaluation, Recorder
from bank_python.dagger.journals import BarbaraJournal, FileJournal, Journal, MemoryJournal
from bank_python.dagger.ladder import Ladder
from bank_python.dagger.large import LargeNode
from bank_python.dagger.node import Leaf, Node
from bank_python.dagger.observe import Subscription
from bank_python.dagger.outcome import Failure
from bank_python.dagger.policy import Background, Every, Moved, OnRead, Policy
from bank_python.dagger.profile import Profile, ProfileRow
from bank_python.dagger.recalculation import Recalculation
from bank_python.dagger.scenario import Layer
from bank_python.dagger.snapshot import Snapshot

__all__ = [
    "ArrayNode",
    "Background",
    "BarbaraJournal",
    "ContractBatch",
    "DependencyGraph",
    "DerivedNode",
    "Domain",
    "Entry",
    "Evaluation",
    "Every",
    "Explanation",
    "Failure",
    "FileJournal",
    "Flag",
    "Greeks",
    "Inferred",
    "Journal",
    "Ladder",
    "LargeNode",
    "Layer",
    "Leaf",
    "LeafBlock",
    "MemoryJournal",
    "Moved",
    "Node",
    "OnRead",
    "Plan",
    "Policy",
    "Profile",
    "ProfileRow",
    "Recalculation",
    "Recorder",
    "Slope",
    "Snapshot",
    "Source",
    "Subscription",
    "SumNode",
    "Term",
    "node_function",
]
