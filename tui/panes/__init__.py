"""What stands beside, above and below the conversation."""
