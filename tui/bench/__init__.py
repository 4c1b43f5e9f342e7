"""The workbench screen: what it is made of, and how it is brought up to date."""
