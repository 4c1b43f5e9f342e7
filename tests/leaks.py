"""Whether a secret was left anywhere."""

import base64
from pathlib import Path


def leaks(folder: Path, *secrets: str) -> list[str]:
    """The files under the folder that hold one of the secrets, as it is or in base64."""
    forms = [form for secret in secrets for form in (secret.encode(), base64.b64encode(secret.encode()).rstrip(b"="))]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(form in path.read_bytes() for form in forms)]
