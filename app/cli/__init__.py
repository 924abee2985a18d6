"""The command line: `credit`. Each command's module imports what it needs only when the command runs."""
