"""The log of an experiment: the contract between measuring and analysis.

One folder per experiment, plain CSV that opens anywhere. Raw events only: no averages here.
What `quantum-leap` leaves is of another kind, and its records are its own.
All stamps are `time.perf_counter_ns` of one machine.
"""

from clients.errors import LogError
from clients.injected import BESIDE, Fault
from clients.quantum_leap.records import (
    HEADER_DETAILS,
    HEADER_FILES,
    HEADER_ROWS,
    HeaderTraffic,
    shortcomings,
)
from clients.reading import Beside, Log, read
from clients.records import (
    DELIVERIES,
    EXPERIMENT,
    REQUESTS,
    RUNS,
    WIRE,
    Delivery,
    Exchange,
    Experiment,
    Request,
    Run,
    Settings,
)
from clients.rows import ADDED_LATER
from clients.writing import Writer, make_folder, written_to

__all__ = [
    "ADDED_LATER",
    "BESIDE",
    "DELIVERIES",
    "EXPERIMENT",
    "HEADER_DETAILS",
    "HEADER_FILES",
    "HEADER_ROWS",
    "REQUESTS",
    "RUNS",
    "WIRE",
    "Beside",
    "Delivery",
    "Exchange",
    "Experiment",
    "Fault",
    "HeaderTraffic",
    "Log",
    "LogError",
    "Request",
    "Run",
    "Settings",
    "Writer",
    "make_folder",
    "read",
    "shortcomings",
    "written_to",
]
