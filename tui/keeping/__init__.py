"""What outlasts this run: files in step with documents, drafts after a kill, what was open, what is remembered."""
