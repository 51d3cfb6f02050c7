"""Words in usage objects that prices depend on: tiers, speeds and regions."""

from typing import Annotated

import msgspec

# As long as the same words may be in the fields of a record; but empty ones state nothing here.
Word = Annotated[str, msgspec.Meta(max_length=64)]
