"""playbook.yml for pyinfra."""

import os

from pyinfra.operations import files

files.sync(name="tree", src=os.environ["BENCH_TREE"], dest="/opt/tree", mode="644", dir_mode="755")
