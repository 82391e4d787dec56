"""What `kept backup` and `kept restore` say."""

from __future__ import annotations

from pathlib import Path

from kept.platform.privacy.backup import Made, Restored


def keys_of(backup: Path, given: Path | None) -> Path:
    """Where the keys of a backup stand: beside it, unless said otherwise."""
    return given or backup.with_name(f"{backup.name}.keys")


def _tables(tables: dict[str, int]) -> list[str]:
    return [f"    {name:<32} {rows:>12,}" for name, rows in tables.items() if rows]


def made_in_words(made: Made) -> str:
    """What was written, and what to do with it."""
    rows = sum(made.tables.values())
    lines = [
        *_tables(made.tables),
        f"{rows:,} rows and {made.files:,} sealed files in {made.file}, {made.keys:,} keys in {made.keys_file}.",
        f"{made.size:,} bytes, {made.seconds:.1f} s.",
        "Keep the file of keys apart, and for days only; copy the erasure journal to a third place after every erasure.",
    ]
    if made.left_out:
        lines.append(f"{made.left_out:,} rows are left out: their keys were destroyed meanwhile.")
    if made.unexplained:
        lines.append(f"Of {made.unexplained:,} people the key is gone, and no erasure names them. Look at `kept doctor`.")
    return "\n".join(lines)


def well(restored: Restored) -> bool:
    """Whether everybody is back who should be, and every ledger verifies."""
    return not restored.unexplained and not any(restored.ledgers.values())


def restored_in_words(restored: Restored) -> str:
    """What is back, who is not, and what was replayed."""
    rows = sum(restored.tables.values())
    lines = [
        f"As it was at {restored.made_at}:",
        *_tables(restored.tables),
        f"{rows:,} rows, {restored.files:,} sealed files and {restored.keys:,} keys are back, in {restored.seconds:.1f} s.",
    ]
    if restored.destroyed:
        lines.append(f"{restored.destroyed:,} keys that the journal knows as destroyed were destroyed again.")
    if restored.lacking:
        lines.append(f"{restored.lacking:,} people ({restored.rows_lacking:,} rows) are not back: their keys are gone.")
    if restored.unexplained:
        lines.append(f"Of these, {restored.unexplained:,} are named by no erasure. Are the keys older than the backup?")
    lines.append(f"{len(restored.replayed):,} erasures replayed{':' if restored.replayed else '.'}")
    lines += [
        f"    {one.request} of {one.account}, intended {one.intended_at[:19]}: {'done' if one.done else 'begun; it waits for something'}"
        for one in restored.replayed
    ]
    lines += [f"Ledger of {slug}: {'verifies' if not faults else '; '.join(faults)}" for slug, faults in restored.ledgers.items()]
    return "\n".join(lines)
