"""The pages of ``docs/reference``, made from the tables that the code reads.

python -m reference          # write them
"""

from __future__ import annotations
