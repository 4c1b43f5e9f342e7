"""The Textual app. Nothing else imports Textual."""
