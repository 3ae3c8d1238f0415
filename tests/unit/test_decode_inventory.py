"""The inventory: whose a virtual machine is, and when (contract: Inventory)."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.azure.inventory import Inventory, InventoryError, inventory_of, parse_inventory
from tests.fixtures.decoding import decode, ignored, one, rejected, settings
from tests.fixtures.native import AT, AT_MICROS, GROUP, MACHINE, SET, SET_ID, health_record, rest, status_event

EARLY, LATE = "2026-10-01T09:00:10.123456Z", "2026-10-01T09:00:10.123457Z"
OTHER = SET + "2"


def _inventory(*rows: dict[str, str]) -> Inventory:
    return inventory_of((f"row {number}", {"vm_id": MACHINE, "scale_set_id": SET} | row) for number, row in enumerate(rows, 1))


def test_a_flexible_machine_belongs_to_its_set_under_its_name() -> None:
    event = one(status_event(target=MACHINE.upper()), by=settings(_inventory({})))
    assert (event["scale_set_id"], event["instance_id"]) == (SET_ID, "flex_a1b2")


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        ({"valid_from": EARLY}, True),
        ({"valid_from": LATE}, False),
        ({"valid_to": LATE}, True),
        ({"valid_to": EARLY}, False),
        ({"valid_from": EARLY, "valid_to": LATE}, True),
        ({"valid_from": "", "valid_to": None}, True),
    ],
)
def test_a_row_holds_from_its_start_until_just_before_its_end(row: Any, holds: bool) -> None:
    by = settings(_inventory(row))
    if holds:
        assert one(status_event(target=MACHINE), by=by)["scale_set_id"] == SET_ID
    else:
        assert ignored(status_event("Bogus", MACHINE), by=by) == ignored(status_event(target=MACHINE), by=by) == "unplaced_vm"


def test_of_several_rows_the_latest_start_counts() -> None:
    rows = [{}, {"scale_set_id": OTHER, "valid_from": "2026-09-01T00:00:00Z"}, {"valid_from": "2026-08-01T00:00:00Z"}]
    inventory = _inventory(*rows)
    assert one(status_event(target=MACHINE), by=settings(inventory))["scale_set_id"] == OTHER.casefold()
    assert len(inventory) == 3
    assert inventory.place(MACHINE.casefold(), 0).scale_set_id == SET_ID


def test_a_machine_in_no_row_is_counted_among_the_unplaced() -> None:
    counts = decode(status_event(target=MACHINE + "x"), status_event(target=MACHINE), by=settings(_inventory({}))).counts
    assert (counts.health, counts.unplaced, counts.ignored) == (2, 1, {"unplaced_vm": 1})
    counts = decode(rest("Microsoft.Compute/virtualMachines/write", resourceId=MACHINE)).counts
    assert (counts.health, counts.unplaced) == (0, 0)


@pytest.mark.parametrize("time", ["soon", "1999-01-01T00:00:00Z"])
def test_a_machine_that_the_inventory_names_is_rejected_for_its_time(time: str) -> None:
    by = settings(_inventory({"valid_from": EARLY}))
    assert rejected(health_record(resourceId=MACHINE, eventTimestamp=time), by=by)[0] == "bad_time"
    assert ignored(health_record(resourceId=MACHINE, eventTimestamp=time)) == "unplaced_vm"


HEAD = "vm_id,scale_set_id,valid_from,valid_to\n"


def _parquet(**columns: list[object]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("i.csv", (HEAD + f'"{MACHINE}",{SET},{AT},\n').encode()),
        ("I.CSV", ("\ufeff" + HEAD.replace("\n", "\r\n") + f"{MACHINE},{SET},10/1/2026 9:00:00,\r\n").encode()),
        ("i.jsonl", f'{{"vm_id": "{MACHINE}", "scale_set_id": "{SET}", "more": 1}}\n\n'.encode()),
        ("i.parquet", _parquet(vm_id=[MACHINE], scale_set_id=[SET], valid_from=[None])),
        ("i.parquet", _parquet(vm_id=[MACHINE], scale_set_id=[SET], valid_from=pa.array([AT_MICROS], pa.timestamp("us", "UTC")))),
        ("i.parquet", _parquet(vm_id=[MACHINE], scale_set_id=[SET], valid_from=pa.array([0], pa.timestamp("s")))),
    ],
)
def test_csv_json_lines_and_parquet_say_the_same(name: str, data: Any) -> None:
    assert parse_inventory(data, name).place(MACHINE.casefold(), AT_MICROS + 1).scale_set_id == SET_ID


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("i.csv", b"", "i.csv: the columns vm_id and scale_set_id are required, got none"),
        ("i.csv", b"vm,set\na,b\n", "i.csv: the columns vm_id and scale_set_id are required, got vm, set"),
        ("i.csv", f"{HEAD}{MACHINE},\n".encode(), "i.csv: line 2: scale_set_id is required, and it is absent"),
        ("i.csv", f"{HEAD}{SET},{SET}\n".encode(), "i.csv: line 2: vm_id must be the resource id of a virtual machine"),
        ("i.csv", f"{HEAD}{MACHINE},{GROUP}\n".encode(), "i.csv: line 2: scale_set_id must be the resource id of a scale set"),
        (
            "i.csv",
            f"{HEAD}{MACHINE},{SET}/virtualMachines/1\n".encode(),
            "i.csv: line 2: scale_set_id must be the resource id of a scale set",
        ),
        ("i.csv", f"{HEAD}{MACHINE},{SET},soon,\n".encode(), "i.csv: line 2: valid_from must be a time"),
        ("i.csv", f"{HEAD}{MACHINE},{SET},{LATE},{EARLY}\n".encode(), "i.csv: line 2: valid_to must not lie before valid_from"),
        ("i.csv", b"vm_id,scale_set_id\n\xff\n", "i.csv: CSV is required, and it cannot be read"),
        ("i.jsonl", b"[]", "i.jsonl: line 1: an object is required, got []"),
        ("i.jsonl", b"{", "i.jsonl: JSONL is required, and it cannot be read"),
        ("i.parquet", b"PAR1", "i.parquet: PARQUET is required, and it cannot be read"),
        ("i.parquet", _parquet(vm=["a"]), "i.parquet: the columns vm_id and scale_set_id are required, got vm"),
        ("i.txt", b"", "i.txt: an inventory must be a .csv, .jsonl or .parquet file"),
    ],
)
def test_a_mistake_is_one_sentence_that_says_where(name: str, data: Any, sentence: str) -> None:
    with pytest.raises(InventoryError) as found:
        parse_inventory(data, name)
    assert str(found.value).startswith(sentence)
    assert "\n" not in str(found.value)
