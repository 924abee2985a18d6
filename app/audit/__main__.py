"""`python -m app.audit`: see app.audit.commands.main."""

import sys

from app.audit.commands.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
