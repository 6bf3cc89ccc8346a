"""`python -m exporter` is `openvpn-exporter`."""

import sys

from exporter.cli import main

sys.exit(main())
