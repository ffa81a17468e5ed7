"""The command line: ``wharf``, and ``ibmcloud`` for those who know it by that name."""

from typing import Final

__version__: Final = "0.9.0"
