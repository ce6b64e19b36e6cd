#!/usr/bin/env python
"""Run a management command of Hotswap."""

import sys

from config.command import manage

if __name__ == "__main__":
    manage(sys.argv)
