"""The record of processing as a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

from kept.core.notice.exports.record import Activity, Record

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS = (28, 14, 30, 30, 44, 28, 44, 44, 36)


def workbook(record: Record, made: datetime) -> bytes:
    """The record in four sheets. Every cell is text: nothing in it is ever a formula."""
    book = Workbook()
    book.properties.creator, book.properties.created, book.properties.modified = record.controller, _naive(made), _naive(made)
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = _("Controller")
    about = [
        (_("Controller"), record.controller),
        (_("Contact"), record.contact),
        (_("Supervisory authority"), record.authority),
        (_("Date of the notice"), record.dated),
    ]
    _fill(
        sheet,
        [_("What"), ""],
        [*about, *((_("Transfers"), one) for one in record.transfers), *((_("Security"), one) for one in record.measures)],
    )
    _fill(book.create_sheet(_("Processing")), _headings(), map(_row, record.activities))
    _fill(
        book.create_sheet(_("Recipients")),
        [_("Recipient"), _("Class"), _("Role"), _("Countries"), _("Safeguard"), _("Agreement"), _("Rule")],
        (
            (one.name, one.recipient_class, one.role, ", ".join(one.countries), one.safeguard, one.agreement, one.rule)
            for one in record.recipients
        ),
    )
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _headings() -> list[str]:
    purpose = [_("Purpose"), _("We are"), _("Lawful basis"), _("People"), _("Categories of data")]
    return [*purpose, _("Sources"), _("Recipients"), _("Kept"), _("Rule")]


def _row(one: Activity) -> tuple[str, ...]:
    bases = "\n".join(basis if region == "default" else f"{region}: {basis}" for region, basis in one.bases)
    recipients = "\n".join(to.name for to in one.recipients)
    people, categories, sources, retention = ("\n".join(words) for words in (one.people, one.categories, one.sources, one.retention))
    return (one.title, one.role, bases, people, categories, sources, recipients, retention, one.rule)


def _naive(moment: datetime) -> datetime:
    """A workbook knows no time zones."""
    return moment.replace(tzinfo=None, microsecond=0)


def _fill(sheet: Worksheet, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for line in (headings, *rows):
        sheet.append(list(line))
    for column in sheet.columns:
        sheet.column_dimensions[column[0].column_letter].width = WIDTHS[(column[0].column - 1) % len(WIDTHS)]
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            if cell.data_type == "f":  # a text that begins with = would be one
                cell.data_type = "s"
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
