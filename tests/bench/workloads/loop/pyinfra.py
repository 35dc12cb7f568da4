"""playbook.yml for pyinfra."""

from io import StringIO

from pyinfra import host
from pyinfra.operations import files

files.directory(name="directory", path="/opt/loop", mode="755")
for item in range(100):
    content = StringIO(f"item {item} of {host.name}\n")
    files.put(name=f"item {item}", src=content, dest=f"/opt/loop/{item}", mode="644")
