"""The form without a screen: what is filled in, what it means, how it is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.evaluation.checks import Checked, check
from engine.evaluation.config import EvaluationConfig
from tui.evaluations.fields import COST, FIELDS, Kind
from tui.evaluations.form import Form
from tui.evaluations.form_rows import GO, FormRows


def lines(form: Form, width: int = 80, *, sections: bool = False, plain: bool = False) -> list[str]:
    """The rows as text, cells with blanks between."""
    rows = FormRows(form, width=width, sections=sections, plain=plain)
    return [" ".join(cell.text for cell in rows.cells(row)) for row in range(rows.row_count)]


def test_every_setting_of_the_configuration_has_a_field() -> None:
    # Only one protocol is run; how many of the first checkpoints is what "which" says better.
    assert set(FIELDS) - {COST} == set(EvaluationConfig.model_fields) - {"protocol", "limit_checkpoints"}


def test_defaults_and_choices_are_those_of_the_configuration(tmp_path: Path) -> None:
    plain = EvaluationConfig(data=tmp_path, to=tmp_path)
    for field in FIELDS.values():
        if field.name == COST or field.kind is not Kind.CHOICE:
            continue
        if field.default:
            chosen = EvaluationConfig.model_validate({"data": tmp_path, "to": tmp_path, field.name: field.default})
            assert getattr(chosen, field.name) == getattr(plain, field.name)
        for choice in field.choices:
            EvaluationConfig.model_validate({"data": tmp_path, "to": tmp_path, field.name: choice})
    for name in ("seed", "seq_len", "stride", "shard", "readers", "device"):
        assert FIELDS[name].empty == str(getattr(plain, name))
    assert float(FIELDS["shard_timeout"].empty) == plain.shard_timeout


def test_what_is_filled_in_is_what_the_configuration_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    form = Form({"data": "~/data", "seed": "3", "cluster": "yes", "cost": "yes", "gone": "1", "name": ""})
    assert form.values() == {"data": "/home/me/data", "seed": "3", "cluster": "yes"}
    assert form.cost
    assert form.texts == {"data": "~/data", "seed": "3", "cluster": "yes", "cost": "yes"}


def test_a_default_is_not_kept() -> None:
    form = Form({"sampling": "stratified"})
    assert form.put("sampling", "uniform")
    assert form.texts == {}
    assert not form.put("sampling", "uniform")


def test_choices_go_round() -> None:
    form = Form({})
    assert [form.turn("split", 1) and form.text("split") for _ in range(5)] == ["train", "val", "test", "all", ""]
    form.turn("model", -1)
    assert form.text("model") == "tiny"
    form.put("model", "vgtt")  # as a preset may have it
    assert form.turn("model", 1)
    assert form.texts == {}
    assert not form.turn("seed", 1)


def test_another_folder_has_other_names() -> None:
    form = Form({"checkpoints": "/a", "only": "checkpoint_1"})
    form.put("checkpoints", "/b")
    assert form.texts == {"checkpoints": "/b"}


def test_what_is_missing_is_no_mistake_before_somebody_wants_to_start() -> None:
    form = Form({"seed": "x"})
    form.checked = check(form.values())
    assert form.mistakes() == ["seed"]
    form.asked = True
    assert form.mistakes() == ["data", "base", "seed", "to"]


def test_a_mistake_stands_below_its_field() -> None:
    form = Form({"seed": "x"})
    form.checked = Checked(None, {"seed": "no number, and a good many words more " * 3})
    found = lines(form)
    at = next(index for index, line in enumerate(found) if line.startswith("seed"))
    assert found[at + 1].strip().startswith("✗ no number")
    assert all(len(line) <= 80 for line in found[at + 1 : at + 3])
    assert found[at + 3].startswith("window length")
    rows = FormRows(form, width=80, sections=False, plain=False)
    assert [rows.row_kind(row) for row in (at, at + 1)] == ["row", "heading"]


def test_rare_fields_come_on_request_or_when_they_matter() -> None:
    form = Form({})
    assert not any(line.startswith("cache") for line in lines(form))
    form.put("cache", "/tmp/cache")
    assert any(line.startswith("cache") for line in lines(form))
    form.put("cache", "")
    form.checked = Checked(None, {"cache": "is not a folder"})
    assert any(line.startswith("cache") for line in lines(form))
    form.checked, form.more = None, True
    assert len(lines(form)) == len(FIELDS) + 1


def test_the_list_of_checkpoints_is_told() -> None:
    form = Form({})
    form.checked = Checked(None, found=("c_1", "c_2", "c_10"), chosen=("c_1", "c_2", "c_10"))
    assert "which all 3: c_1 to c_10" in lines(form)[2]
    form.put("only", "c_1*")
    form.checked = Checked(None, found=("c_1", "c_2", "c_10"), chosen=("c_1", "c_10"))
    assert "which c_1*  (2 of 3)" in lines(form)[2]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_all_of_it_is_ascii_in_plain_text(width: int) -> None:
    form = Form({})
    form.more = form.asked = True
    form.checked = check({})
    assert all(line.isascii() for line in lines(form, width, sections=True, plain=True))


def test_the_last_row_starts() -> None:
    rows = FormRows(Form({}), width=80, sections=True, plain=False)
    assert rows.row_key(rows.row_count - 1) == GO
