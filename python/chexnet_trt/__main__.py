from __future__ import annotations

import sys

from chexnet_trt.cli import main

if __name__ == "__main__":
    sys.exit(main())
