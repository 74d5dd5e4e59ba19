"""An open engine for weightless neural networks: `import weightless as ao`.

It has agents of binary neurons that learn by storing what they read, one example at a time, with
the calls that AO Labs document for theirs; and n-tuple memories, which count. It needs only numpy
and numba.
"""

from weightless.agent import WHY, Agent
from weightless.arch import Arch
from weightless.counters import draw_tuples
from weightless.ntuple import NTupleMemory
from weightless.population import Population
from weightless.wisard import Wisard

__all__ = [
    "WHY",
    "Agent",
    "Arch",
    "NTupleMemory",
    "Population",
    "Wisard",
    "draw_tuples",
]
