"""A home for each start of the workbench: it is killed in the end, and a draft would be brought back by the next."""

import tempfile
from pathlib import Path


def own_home(folder: Path) -> dict[str, str]:
    """The environment that names a new and empty home below the folder."""
    return {"QIAO_HOME": tempfile.mkdtemp(prefix="home-", dir=folder)}
