"""What serving keeps of its decisions: the recorder, and the child process that ships the journal."""
