"""What a card may say of padding; readable without torch."""

from __future__ import annotations

#: Sides can be asked to be multiples of this, at most: more is no pooling but memory.
LARGEST_MULTIPLE = 1024

#: Where what is missing goes: all of it behind the last pixel, or half of it on either side, the
#: odd one behind (as MONAI's DivisiblePad has it).
PADDINGS = ("end", "symmetric")
