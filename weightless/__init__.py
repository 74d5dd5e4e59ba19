"""An open engine for weightless neural networks: `import weightless as ao`.

Agents of binary neurons that learn by storing what they read, one example at a time. It takes
the calls that AO Labs document for their agents, and needs numpy and numba alone.
"""

from weightless.agent import WHY, Agent
from weightless.arch import Arch
from weightless.patterns import Patterns, pack, unpack
from weightless.population import Population

__all__ = ["WHY", "Agent", "Arch", "Patterns", "Population", "pack", "unpack"]
