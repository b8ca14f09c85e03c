"""Process entry of one worker: `python -m harness.serve SPEC`, where SPEC is a `WorkerSpec` as JSON."""

import os
import signal
import sys

from harness.errors import HarnessError
from harness.serve.spec import WorkerSpec
from harness.tether import die_with_parent

signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the launcher ends its workers
spec = WorkerSpec.model_validate_json(sys.argv[1])
die_with_parent(spec.parent_pid)
if spec.cpus and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, spec.cpus)  # before any library counts the cores to size its thread pool

from harness.serve.worker import serve  # noqa: E402

try:
    serve(spec)
except HarnessError as error:
    print(error, file=sys.stderr)
    raise SystemExit(error.exit_code) from None
