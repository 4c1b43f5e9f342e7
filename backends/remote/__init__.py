"""Answers of OpenAI-compatible servers, by one client over the `openai` package."""
