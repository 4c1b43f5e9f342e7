"""The screens beside the workbench: each is opened by a key, and gives back what was chosen there."""
