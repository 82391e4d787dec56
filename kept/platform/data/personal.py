"""What a row of an account is, and what a row about a person must declare of itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeVar, cast

from django.db import models
from django.db.models.query import QuerySet

from kept.core.errors import NoPurpose, Withheld
from kept.platform.data.use import OPEN_MASK, RESERVED_BIT, Use, current, require

Erasure = Literal["delete", "keep"]
Row = TypeVar("Row", bound="AccountModel")


@dataclass(frozen=True)
class Personal:
    """The declaration of one table: its columns by category, its plain columns, what erasing a subject does to its rows.

    `columns` maps a field to the category of its values; with `by_row` the category stands in the row itself (its field
    `category`). `plain` lists the fields that say nothing about a person. `keep` needs a reason. `search` names the fields
    that full-text search covers.
    """

    columns: Mapping[str, str]
    plain: tuple[str, ...] = ()
    erase: Erasure = "delete"
    keep_because: str = ""
    by_row: bool = False
    search: tuple[str, ...] = ()


class GuardedQuerySet(models.QuerySet[Row]):
    """Refuses every question that was not scoped by `under(use)`."""

    scope: Use | None = None

    def under(self, use: Use) -> Self:
        """See `AccountModel.under`."""
        require(use)
        scoped: Self = super()._chain()  # type: ignore[misc]
        scoped.scope = use
        return scoped.filter(account_id=use.account_id).defer(*self.model.withheld_fields(use))

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone.scope = self.scope
        return clone

    def _demand_scope(self) -> None:
        use = current()
        if self._result_cache is None and (use is None or self.scope not in (None, use)):
            raise NoPurpose(f"{self.model.__name__} was read without entering its Use.", cure="Ask through Model.under(use), within it.")

    def iterator(self, chunk_size: int | None = None) -> Iterator[Row]:
        """Rows as they come. They belong to the use that was entered at the first, and stop with it."""
        self._demand_scope()
        use = current()
        for row in super().iterator(chunk_size):
            if current() != use:
                raise NoPurpose(f"The use ended while {self.model.__name__} was being read.", cure="Read to the end within it.")
            yield row

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Figures over the rows in scope."""
        self._demand_scope()
        return super().aggregate(*args, **kwargs)

    def _fetch_all(self) -> None:
        self._demand_scope()
        super()._fetch_all()

    def count(self) -> int:
        """Number of rows in scope."""
        self._demand_scope()
        return super().count()

    def exists(self) -> bool:
        """Whether any row is in scope."""
        self._demand_scope()
        return super().exists()

    def update(self, **kwargs: Any) -> int:
        """Change the rows in scope."""
        self._demand_scope()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows in scope."""
        self._demand_scope()
        return super().delete()


class AccountModel(models.Model):
    """A row that belongs to one account. The engine keeps every other account away from it."""

    personal: ClassVar[Personal]

    id = models.BigAutoField(primary_key=True)
    account_id = models.BigIntegerField()

    objects: ClassVar[Any] = GuardedQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["account_id", "id"], name="%(app_label)s_%(class)s_account_id")]

    @classmethod
    def under(cls, use: Use) -> models.QuerySet[Self]:
        """The rows of the use's account, with the columns that its purpose does not read left out. Raises NoPurpose."""
        found: models.QuerySet[Self] = cast(Any, cls.objects).under(use)
        return found

    @classmethod
    def withheld_fields(cls, use: Use) -> frozenset[str]:
        """Names of the fields that the use may not read."""
        declared = getattr(cls, "personal", None)
        if declared is None or declared.by_row:
            return frozenset()
        return frozenset(name for name, category in declared.columns.items() if not use.columns.reads(category))

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: QuerySet[Any] | None = None
    ) -> None:
        """Load deferred fields; one that the purpose may not read raises `Withheld` and names the rule."""
        use = current()
        asked = [fields] if isinstance(fields, str) else list(fields or ())
        if use is not None:
            for name in asked:
                if name in self.withheld_fields(use):
                    raise withheld(use, type(self), name)
        super().refresh_from_db(using=using, fields=asked or None, from_queryset=from_queryset)

    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Change the named fields. A save that names none is refused: it would write back columns that were never read."""
        if update_fields is None:
            cure = "Insert with data.rows.insert, change with save(update_fields=[…])."
            raise NoPurpose(f"{type(self).__name__}.save() names no fields.", cure=cure)
        super().save(update_fields=update_fields, **kwargs)


FENCE = models.CheckConstraint(condition=models.Q(fence__gte=1 << RESERVED_BIT), name="%(app_label)s_%(class)s_fence")
"""A fence without the reserved purposes' bit would hide the row from erasure too. Stands among the constraints of every personal table."""


class PersonalModel(AccountModel):
    """A row about one person. `permits` is the subject's mask, kept equal by the database itself; `fence` has a bit for each purpose that
    everything in the row may serve by where it came from, and one for people. A row is seen whole or not at all.
    """

    subject = models.ForeignKey("data.Subject", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    permits = models.BigIntegerField(null=True, editable=False)
    provenance_id = models.BigIntegerField(null=True)
    fence = models.BigIntegerField(db_default=OPEN_MASK)

    class Meta(AccountModel.Meta):
        abstract = True
        constraints = [*AccountModel.Meta.constraints, FENCE]
        indexes = [models.Index(fields=["account_id", "subject"], name="%(app_label)s_%(class)s_subject")]


class ValueModel(PersonalModel):
    """A value that is a row of its own: a contact point, a custom value. The same fact from elsewhere is another row."""

    category = models.CharField(max_length=64)
    source = models.CharField(max_length=64)
    value = models.TextField()

    class Meta(PersonalModel.Meta):
        abstract = True


SYSTEM_FIELDS = frozenset({"id", "account_id", "subject", "permits", "provenance_id", "category", "source", "fence"})
"""Fields of the bases above: plain, and known to the guard."""


def withheld(use: Use, model: type[AccountModel], name: str) -> Withheld:
    """The error for a field that the use may not read."""
    category = model.personal.columns[name]
    rule, text = use.why(category)
    return Withheld(text, place=f"{model._meta.label}.{name}", rule=rule)
