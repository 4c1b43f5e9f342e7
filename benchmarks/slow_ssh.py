"""Any program in this terminal, over a real SSH connection on a slow line: to try by hand what it feels like.

    python benchmarks/slow_ssh.py [--delay-ms 150] [--kilobits 256] -- PROGRAM [ARGUMENT…]

`qiao` is the program of this environment; without any, it is the one that runs.
"""

import argparse
import subprocess
import sys

from slow_line import BITS_PER_SECOND, DELAY_S, SlowLine
from ssh_server import SshServer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay-ms", type=float, default=DELAY_S * 1000, help="each way")
    parser.add_argument("--kilobits", type=float, default=BITS_PER_SECOND / 1000, help="a second, each way")
    parser.add_argument("program", nargs="*", default=["qiao"])
    options = parser.parse_args()
    name, *rest = options.program
    program = [sys.executable, "-m", "qiao.cli", *rest] if name == "qiao" else options.program
    with (
        SshServer() as server,
        SlowLine(server.port, delay_s=options.delay_ms / 1000, bits_per_second=options.kilobits * 1000) as line,
    ):
        ended = subprocess.run(server.command(program, port=line.port), check=False)
        print(f"{line.up:,} bytes up, {line.down:,} bytes down")
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
