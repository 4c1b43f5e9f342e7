"""vLLM servers, attached and managed: starting, watching, ending them, and what they tell beyond answers."""
