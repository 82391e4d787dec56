"""Backup and restore that honour erasure.

A backup is two files. The first holds every row of the deployment and every sealed file; each row of a person is sealed under that
person's key, everything else under a key that the backup has for itself. The second holds the wrapped keys, and is kept for days only:
who was erased is noise in the first as soon as no copy of their key is left. What both leave out, and how to keep them:
docs/howto/backup.md.

A restore is whole or not at all, and ends with the erasure journal replayed: until then nothing starts.
"""

from kept.platform.privacy.backup.making import Made, back_up
from kept.platform.privacy.backup.restoring import Replayed, Restored, restore
from kept.platform.privacy.backup.unfinished import refuse_unfinished, unfinished

__all__ = ["Made", "Replayed", "Restored", "back_up", "refuse_unfinished", "restore", "unfinished"]
