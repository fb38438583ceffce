"""One of several workers, as `python -m demo --workers` starts it: its number, then the options."""

import sys
from functools import partial

from demo.__main__ import run, serve
from demo.options import parse

if __name__ == "__main__":
    options = parse(sys.argv[2:])
    sys.exit(run(options, partial(serve, worker=int(sys.argv[1]))))
