"""The `qiao` command: a second front, as thin over the same core as the screen."""
