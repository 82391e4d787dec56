"""Taking an uploaded file in: its bytes go straight to staging, and never to a temporary file or the memory of a form."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from kept.apps.imports.staging import READ_AT_ONCE, Staging
from kept.core.errors import KeptError
from kept.platform.accounts.door import TeamRequest


class Staged(UploadedFile):  # type: ignore[type-arg] # generic in its stubs alone
    """What the form finds in place of a file. The file's own name is not kept: it may say whose data it is."""

    def __init__(self, import_id: int, size: int) -> None:
        super().__init__(name="file.csv", size=size)
        self.import_id = import_id


class StagingHandler(FileUploadHandler):
    """Stages the one file of a form. What goes wrong stands in `failure`; what was staged of a broken upload is discarded."""

    chunk_size = READ_AT_ONCE

    def __init__(self, request: TeamRequest) -> None:
        super().__init__(request)
        self.team = request
        self.staging: Staging | None = None
        self.failure: KeptError | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins; a second one in the same form is not read."""
        super().new_file(*args, **kwargs)
        if self.staging is not None:
            raise StopUpload
        try:
            self.staging = Staging(self.team.account.pk, self.team.actor)
        except KeptError as error:
            self._fail(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """More of the file; nothing is passed on."""
        assert self.staging is not None
        try:
            self.staging.feed(raw_data)
        except KeptError as error:
            self._fail(error)

    def file_complete(self, file_size: int) -> Staged | None:
        """The file ends."""
        if self.staging is None or self.failure is not None:
            return None
        try:
            return Staged(self.staging.finish(), file_size)
        except KeptError as error:
            self.failure = error
            self.staging.discard()
            return None

    def upload_interrupted(self) -> None:
        """The browser went away."""
        self.discard()

    def discard(self) -> None:
        """Forget what was staged."""
        if self.staging is not None:
            self.staging.discard()

    def _fail(self, error: KeptError) -> None:
        self.failure = error
        self.discard()
        raise StopUpload
