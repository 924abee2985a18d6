"""`python -m app.audit`: see app.audit.main."""

import sys

from app.audit.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
