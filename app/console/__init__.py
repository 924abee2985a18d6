"""The console: pages for people who have to find a decision, explain it and answer for it."""
