"""The bundle's entry point: `backchannel-mcp`, from the package that pyproject.toml beside this file names."""

import sys

from mcp_server.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
