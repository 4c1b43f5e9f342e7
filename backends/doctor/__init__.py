"""`qiao doctor`: looks at everything that Qiao stands on, and says what to do where something is missing or wrong.

`examining.examine` is the door; each other file looks at one thing. Nothing here imports a heavy package, raises what
a person could cause, or waits without a limit.
"""
