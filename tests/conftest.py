"""What every test shares."""

from __future__ import annotations

from hypothesis import settings

# A slow machine is no bug, so no example has a deadline; a failure prints what repeats it.
settings.register_profile("instep", deadline=None, print_blob=True)
settings.load_profile("instep")
