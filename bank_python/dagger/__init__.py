"""Dagger: the reactive dependency graph.

A change of a leaf is propagated to its dependents. Each is evaluated at most once, in topological order, and the
propagation stops at a node whose value is unchanged. This package contains no finance.
"""

from bank_python.completion import public_names
from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.batch import ContractBatch
from bank_python.dagger.bumps import Greeks, Ladder, Slope
from bank_python.dagger.contract import Flag, Inferred, Source, Term
from bank_python.dagger.derived import DerivedNode, LargeNode, node_function
from bank_python.dagger.engine import Batch, LeafBlock
from bank_python.dagger.explain import Explanation, Plan, Profile, ProfileRow
from bank_python.dagger.graph import DependencyGraph
from bank_python.dagger.journal import Entry, Evaluation, Recorder, Replay
from bank_python.dagger.journals import BarbaraJournal, FileJournal, Journal, MemoryJournal
from bank_python.dagger.leaf import Domain, Leaf
from bank_python.dagger.node import Graph, Node
from bank_python.dagger.observers import Subscription
from bank_python.dagger.outcome import Failure
from bank_python.dagger.policy import Background, Every, Moved, OnRead, Policy
from bank_python.dagger.propagate import Recalculation
from bank_python.dagger.sums import SumNode
from bank_python.dagger.what_if import Layer, Snapshot

__all__ = [
    "ArrayNode",
    "Background",
    "BarbaraJournal",
    "Batch",
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
    "Graph",
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
    "Replay",
    "Slope",
    "Snapshot",
    "Source",
    "Subscription",
    "SumNode",
    "Term",
    "node_function",
]

__dir__ = public_names(__name__)
