"""The open conversations: what is selected in each, what is coming for it, how it is to be shown. No widgets."""
