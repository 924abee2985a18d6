"""The command line as it is installed beside this interpreter, whatever PATH names."""

import sys
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("credit"))
