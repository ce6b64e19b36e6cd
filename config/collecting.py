"""Python's collector of what refers to itself: it looks at nothing while a program starts.

A start makes some hundreds of thousands of objects, and nearly all of them stay. The collector
would look through the newest at every seven hundred, and through all now and then: a sixth of the
time of a start.
"""

import gc
from typing import Any

OBJECTS_OF_A_START = 300_000
"""What web makes until it serves; the others make fewer."""


def wait_for_the_start() -> None:
    """Put the first collection off until a start is over; from then on all is as ever."""
    usual = gc.get_threshold()

    def go_on_as_ever(*_: Any) -> None:
        gc.callbacks.remove(go_on_as_ever)
        gc.set_threshold(*usual)

    gc.callbacks.append(go_on_as_ever)
    gc.set_threshold(OBJECTS_OF_A_START)
